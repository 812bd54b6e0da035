"""Calls from one service to another: a token of its own, time-outs, the trace passed on."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from services.chassis.callers.issuer import Issuer, IssuerAway
from services.chassis.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, Problem, Unavailable
from services.chassis.health import PUBLISHED
from services.chassis.settings import Settings
from services.chassis.telemetry import continued, current_trace

TIMEOUT = httpx.Timeout(5.0, connect=1.0, pool=2.0)
QUICKLY = httpx.Timeout(1.0)
EARLY = 30.0  # seconds before its end at which a token is replaced
CODE_LENGTH = 64
REFUSALS: dict[int, type[Problem]] = {404: NotFound, 409: Conflict, 412: PreconditionFailed, 422: Invalid}


class Peers:
    """The other services. Every trouble on the way is ``Unavailable``; what the peer refuses keeps its code."""

    def __init__(
        self, settings: Settings, *, issuer: Issuer | None = None, http: httpx.AsyncClient | None = None
    ) -> None:
        self._addresses = {name: url.rstrip("/") for name, url in settings.peers.items()}
        self._client, self._secret = settings.client_id, settings.client_secret
        self._issuer = issuer or Issuer(settings.issuer)
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False)
        self._token, self._until = "", 0.0
        self._fetching = asyncio.Lock()

    async def get(self, service: str, path: str, *, unit: str, params: Mapping[str, str | int] | None = None) -> Any:
        """The JSON of ``GET path`` as ``unit`` may see it. Raises NotFound, Unavailable, or the peer's refusal."""
        return await self._call("GET", service, path, params=params, headers={"linli-unit": unit})

    async def post(
        self, service: str, path: str, body: Any, *, unit: str, key: str, if_version: int | None = None
    ) -> Any:
        """The JSON of ``POST path`` on behalf of ``unit``. ``key``: derive it from what causes the call.

        Raises NotFound, Conflict, Invalid, PreconditionFailed or Unavailable; the last may be repeated with the key.
        """
        headers = {"linli-unit": unit, "idempotency-key": key, "content-type": "application/json"}
        if if_version is not None:
            headers["if-match"] = f'"{if_version}"'
        return await self._call("POST", service, path, content=orjson.dumps(body), headers=headers)

    async def published_to(self, service: str) -> datetime:
        """The instant before which every event of the service is in Kafka, as one of its processes tells everybody.

        Raises Unavailable, within a second.
        """
        url = self._address(service) + PUBLISHED
        try:
            response = await self._http.get(url, headers={"accept": "application/json"}, timeout=QUICKLY)
        except httpx.HTTPError as error:
            raise Unavailable("peer-away") from error
        told = _json(response) if response.status_code == 200 else None
        try:
            at = datetime.fromisoformat(told["published_to"]) if isinstance(told, dict) else None
        except (KeyError, TypeError, ValueError):
            at = None
        if at is None or at.tzinfo is None:
            raise Unavailable("peer-away")
        return at.astimezone(UTC)

    async def stop(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self._issuer.close()

    async def _call(self, method: str, service: str, path: str, **what: Any) -> Any:
        address = self._address(service)
        if not path.startswith("/"):
            raise ValueError("a path begins with a slash")
        if "//" in path or "/." in path:  # an id that somebody typed must not choose another route
            raise NotFound()
        url = address + quote(path, safe="/")
        response = await self._send(method, url, what)
        if response.status_code == 401:  # the issuer turned its keys, or the token was withdrawn
            self._until = 0.0
            response = await self._send(method, url, what)
        if response.status_code >= 300:
            raise _refusal(response)
        return _json(response)

    def _address(self, service: str) -> str:
        if service not in self._addresses:
            raise Unavailable("peer-unknown", service=service)
        return self._addresses[service]

    async def _send(self, method: str, url: str, what: dict[str, Any]) -> httpx.Response:
        headers = {
            **what.get("headers", {}),
            "authorization": f"Bearer {await self._current_token()}",
            "accept": "application/json",
            "traceparent": continued(current_trace()),
        }
        try:
            return await self._http.request(method, url, **(what | {"headers": headers}))
        except httpx.HTTPError as error:
            raise Unavailable("peer-away") from error

    async def _current_token(self) -> str:
        if time.monotonic() < self._until:
            return self._token
        async with self._fetching:
            if time.monotonic() >= self._until:
                try:
                    self._token, life = await self._issuer.token(self._client, self._secret)
                except IssuerAway as error:
                    raise Unavailable("issuer-away") from error
                self._until = time.monotonic() + max(life - EARLY, life / 2)
            return self._token


def _refusal(response: httpx.Response) -> Problem:
    if response.status_code == 403:
        return Forbidden("peer-forbids")
    kind = REFUSALS.get(response.status_code)
    if kind is None:
        return Unavailable("peer-away")
    document = _json(response)
    code = document.get("code") if isinstance(document, dict) else None
    usable = isinstance(code, str) and len(code) <= CODE_LENGTH and code.replace("-", "").isalnum()
    return kind(code if usable else None)


def _json(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise Unavailable("peer-away") from error
