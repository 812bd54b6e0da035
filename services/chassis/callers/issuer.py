"""The token issuer as seen from a service: OpenID Connect discovery and its signing keys."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.jwk import ECKey, RSAKey

Key = ECKey | RSAKey
TIMEOUT = httpx.Timeout(3.0, connect=1.0)
SMALLEST_RSA = 2048  # bits
MOST_KEYS = 64


class IssuerAway(Exception):
    """The issuer does not answer, or not as OpenID Connect Discovery 1.0 says. ``args[0]`` says what, for a person."""


@dataclass(frozen=True)
class Discovered:
    """What the discovery document names."""

    jwks_uri: str
    token_endpoint: str


class Issuer:
    """Fetches from one issuer. Every URL comes from the discovery document, never from a token."""

    def __init__(self, url: str, http: httpx.AsyncClient | None = None) -> None:
        self.url = url
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False)
        self._discovered: Discovered | None = None

    async def discovered(self) -> Discovered:
        """The endpoints, fetched once. Raises IssuerAway."""
        if self._discovered is None:
            document = await self._json(self.url.rstrip("/") + "/.well-known/openid-configuration")
            if document.get("issuer") != self.url:
                raise IssuerAway("the discovery document names another issuer")
            self._discovered = Discovered(
                self._endpoint(document, "jwks_uri"), self._endpoint(document, "token_endpoint")
            )
        return self._discovered

    async def keys(self) -> dict[str, Key]:
        """The signing keys by ``kid``. Raises IssuerAway."""
        found = await self.discovered()
        document = await self._json(found.jwks_uri)
        listed = document.get("keys")
        if not isinstance(listed, list):
            raise IssuerAway("the key set holds no list of keys")
        usable = (_signing_key(entry) for entry in listed[:MOST_KEYS])
        keys = {kid: key for kid, key in (pair for pair in usable if pair is not None)}
        if not keys:
            raise IssuerAway("the key set holds no usable signing key")
        return keys

    async def token(self, client_id: str, secret: str) -> tuple[str, float]:
        """A client-credentials token and its life in seconds. Raises IssuerAway."""
        found = await self.discovered()
        answer = await self._send(
            self._http.build_request(
                "POST",
                found.token_endpoint,
                data={"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret},
            )
        )
        token, life = answer.get("access_token"), answer.get("expires_in", 60)
        if not isinstance(token, str) or not isinstance(life, (int, float)):
            raise IssuerAway("the token endpoint answered without a token")
        return token, float(life)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _json(self, url: str) -> dict[str, Any]:
        return await self._send(self._http.build_request("GET", url, headers={"accept": "application/json"}))

    async def _send(self, request: httpx.Request) -> dict[str, Any]:
        try:
            response = await self._http.send(request)
            document = response.json() if response.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise IssuerAway(f"the issuer does not answer ({type(error).__name__})") from error
        if response.status_code != 200:
            raise IssuerAway(f"the issuer answers {response.status_code}")
        if not isinstance(document, dict):
            raise IssuerAway("the issuer does not answer with a JSON object")
        return document

    def _endpoint(self, document: dict[str, Any], name: str) -> str:
        value = document.get(name)
        parts = urlsplit(value) if isinstance(value, str) else None
        secure = urlsplit(self.url).scheme == "https"
        if parts is None or not parts.hostname or parts.scheme not in (("https",) if secure else ("https", "http")):
            raise IssuerAway(f"the discovery document has no usable {name}")
        return str(value)


def _signing_key(entry: Any) -> tuple[str, Key] | None:
    """A key that may verify ES256 or RS256, or None: other kinds stand in the same set and are not an error."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
        return None
    try:
        if entry.get("kty") == "EC" and entry.get("crv") == "P-256" and entry.get("alg", "ES256") == "ES256":
            return entry["kid"], ECKey.import_key({k: entry[k] for k in ("kty", "crv", "x", "y")})
        if entry.get("kty") == "RSA" and entry.get("alg", "RS256") == "RS256":
            key = RSAKey.import_key({k: entry[k] for k in ("kty", "n", "e")})
            return (entry["kid"], key) if key.public_key.key_size >= SMALLEST_RSA else None
    except (KeyError, TypeError, ValueError):
        return None
    return None
