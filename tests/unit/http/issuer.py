"""A token issuer on a real local port, whose keys and claims a test chooses."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa"})  # once: it takes a while
ALGORITHMS = ["ES256", "RS256", "HS256", "RS384", "RS512", "PS256"]  # in which it can sign, whoever believes them
UNIT = "unit_0190c1a0-0000-7000-8000-000000000001"


class TestIssuer:
    """Serves discovery, keys and tokens; ``away`` makes it answer 500, ``asked`` counts looks at the keys."""

    __test__ = False

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", parameters={"kid": "first"})
        self.rsa = RSA
        self.published: list[Any] = [self.key, self.rsa]
        self.extra: list[dict[str, Any]] = []
        self.overrides: dict[str, Any] = {}
        self.granted: dict[str, Any] = {"sub": "service:complaints"}  # to clients, besides the standard claims
        self.away = False
        self.asked = 0
        self.tokens_asked = 0
        self.url = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/realms/linli"

    async def stop(self) -> None:
        if self._server:
            self._server.close()

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "linli",
            "sub": "worker-1",
            "roles": ["recorder"],
            "unit": UNIT,
            "iat": now,
            "nbf": now,
            "exp": now + 600,
        }
        claims.update(other)
        return {name: value for name, value in claims.items() if value is not ...}

    def token(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        head = {"alg": "ES256", "kid": "first", **(header or {})}
        head = {name: value for name, value in head.items() if value is not ...}
        return jwt.encode(head, self.claims(**claims), key or self.key, algorithms=ALGORITHMS)

    def bearer(self, **claims: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(**claims)}"}

    def handmade(self, header: dict[str, Any], signature: bytes = b"") -> str:
        parts = [json.dumps(header).encode(), json.dumps(self.claims()).encode(), signature]
        return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split(b" ")[1].decode()
        length = 0
        while (line := await reader.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
        status, body = ("500 Away", {}) if self.away else ("200 OK", self._document(path))
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n"
        writer.write(head.encode() + b"connection: close\r\n\r\n" + text)
        await writer.drain()
        writer.close()

    def _document(self, path: str) -> dict[str, Any]:
        if path.endswith("/keys"):
            self.asked += 1
            listed = [key.as_dict(private=False) | {"use": "sig"} for key in self.published]
            return {"keys": listed + self.extra}
        if path.endswith("/token"):
            self.tokens_asked += 1
            return {"access_token": self.token(jti=str(self.tokens_asked), **self.granted), "expires_in": 300}
        found = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", "token_endpoint": f"{self.url}/token"}
        return found | self.overrides
