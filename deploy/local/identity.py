"""The embedded OpenID provider of a demonstration: real tokens, a key made on this machine. Not for production.

It gives services their own tokens (client credentials) and demonstration accounts theirs (password), so that one
``curl`` is enough to try the system. Production names another provider in ``LINLI_OIDC_ISSUER``.
"""

import base64
import binascii
import hmac
import json
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Header, Request, Response
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.local.ports import HOST
from deploy.local.secret import Secrets

ACCOUNTS = Path(__file__).with_name("accounts.json")
WARNING = "embedded identity provider with known passwords: not for production"
ALGORITHM = "ES256"
LIFETIME = 3_600  # seconds
LOG = logging.getLogger("identity")


class Refused(Exception):
    """A token request that is not granted: an error code of RFC 6749 section 5.2 and the HTTP status it goes with."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Account:
    """One demonstration account, as accounts.json lists it."""

    account: str
    password: str
    sub: str
    roles: list[str]
    unit: str
    zh: str
    en: str


def accounts(file: Path = ACCOUNTS) -> list[Account]:
    """The demonstration accounts of this project."""
    return [Account(**row) for row in json.loads(file.read_text())]


class Provider:
    """Signs tokens. ``clients`` maps the id of each service to its secret."""

    def __init__(self, issuer: str, audience: str, key: ECKey, clients: dict[str, str], known: list[Account]) -> None:
        self.issuer = issuer
        self.audience = audience
        self.accounts = {account.account: account for account in known}
        self._key = key
        self._clients = clients

    def jwks(self) -> dict[str, Any]:
        """The public half of the key, as services fetch it."""
        public = self._key.as_dict(private=False)
        return {"keys": [public | {"kid": self._key.thumbprint(), "use": "sig", "alg": ALGORITHM}]}

    def for_service(self, client_id: str, secret: str) -> str:
        """A token for a service; raises Refused when the pair is not right."""
        if not _same(self._clients.get(client_id, ""), secret):
            raise Refused("invalid_client", 401)
        return self._signed({"sub": f"service:{client_id}", "azp": client_id, "roles": ["service"], "unit": ""})

    def for_account(self, name: str, password: str) -> str:
        """A token for a demonstration account; raises Refused when the pair is not right."""
        account = self.accounts.get(name)
        if account is None or not _same(account.password, password):
            raise Refused("invalid_grant")
        claims = {"sub": account.sub, "roles": account.roles, "unit": account.unit}
        return self._signed(claims | {"preferred_username": account.account, "name": account.zh})

    def _signed(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        standard = {"iss": self.issuer, "aud": self.audience, "iat": now, "nbf": now, "exp": now + LIFETIME}
        header = {"alg": ALGORITHM, "kid": self._key.thumbprint(), "typ": "JWT"}
        return jwt.encode(header, {**standard, "jti": uuid.uuid4().hex, **claims}, self._key)


def _same(expected: str, given: str) -> bool:
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode())


def signing_key(secrets: Secrets) -> ECKey:
    """The machine's own key, made once."""
    kept = secrets.kept("signing-key.json", lambda: json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    return ECKey.import_key(json.loads(kept))


def basic_pair(authorization: str) -> tuple[str, str]:
    """Client id and secret of an HTTP Basic header; two empty strings without one; raises Refused for a broken one."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("invalid_client", 401) from None
    return name, secret


def application(provider: Provider) -> FastAPI:
    """The provider's pages over HTTP; every answer carries the warning."""
    app = FastAPI(title="Linli embedded identity", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def warn(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await proceed(request)
        answer.headers["Linli-Warning"] = WARNING
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"error": error.code}, error.status)

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return {
            "issuer": provider.issuer,
            "token_endpoint": f"{provider.issuer}/token",
            "jwks_uri": f"{provider.issuer}/jwks",
            "grant_types_supported": ["client_credentials", "password"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "subject_types_supported": ["public"],
            "response_types_supported": ["token"],
            "linli_warning": WARNING,
        }

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        return provider.jwks()

    @app.get("/ready")
    @app.get("/live")
    async def ready() -> dict[str, str]:
        return {"status": "ready", "warning": WARNING}

    @app.get("/accounts")
    async def listed() -> dict[str, Any]:
        return {"warning": WARNING, "accounts": [vars(account) for account in provider.accounts.values()]}

    _token_route(app, provider)
    return app


def _token_route(app: FastAPI, provider: Provider) -> None:
    @app.post("/token")
    async def token(
        grant_type: Annotated[str, Form()] = "",
        username: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
        authorization: Annotated[str, Header()] = "",
    ) -> dict[str, Any]:
        if grant_type == "client_credentials":
            name, secret = basic_pair(authorization)
            signed = provider.for_service(name or client_id, secret or client_secret)
        elif grant_type == "password":
            signed = provider.for_account(username, password)
        else:
            raise Refused("unsupported_grant_type")
        return {"access_token": signed, "token_type": "Bearer", "expires_in": LIFETIME, "warning": WARNING}


def provider_from_environment() -> Provider:
    """The provider that ``LINLI_OIDC_*``, ``LINLI_SECRETS`` (a folder) and ``LINLI_CLIENTS`` (names) describe."""
    secrets = Secrets(Path(os.environ["LINLI_SECRETS"]))
    clients = {name: secrets.client(name) for name in os.environ["LINLI_CLIENTS"].split(",")}
    issuer, audience = os.environ["LINLI_OIDC_ISSUER"], os.environ["LINLI_OIDC_AUDIENCE"]
    return Provider(issuer, audience, signing_key(secrets), clients, accounts())


def main() -> None:
    """Serve on ``LINLI_API_PORT`` of this machine alone."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    LOG.warning("内置身份服务,口令公开,不得用于生产 · %s", WARNING)
    app = application(provider_from_environment())
    uvicorn.run(app, host=HOST, port=int(os.environ["LINLI_API_PORT"]), log_config=None, access_log=False)


if __name__ == "__main__":
    main()
