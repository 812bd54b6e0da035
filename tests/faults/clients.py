"""Outside clients as the documentation asks them to be: a key for each request, the same key at each repeat."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import httpx

from tests.faults.ledger import Asked, Ledger
from tests.faults.tokens import Caller

AGAIN = frozenset({429, 500, 502, 503, 504})
LATER = frozenset({429, 503})  # the only errors that a fault may bring; they say when to come again
PATIENCE = 90.0  # seconds until a client gives up
LONGEST_PAUSE = 1.0  # seconds between repeats, whatever Retry-After says
FIRST_PAUSE = 0.1


class Refused(Exception):
    """The final answer is a refusal. ``code`` is the problem's."""

    def __init__(self, status: int, code: str, path: str) -> None:
        super().__init__(f"{path}: {status} {code}")
        self.status, self.code = status, code


class GaveUp(Exception):
    """No answer came for as long as a client waits."""


class Pace:
    """Lets so many requests through a second, at equal distances; ``times`` as many while that is more than 1."""

    def __init__(self, per_second: float) -> None:
        self._distance = 1 / per_second
        self._next = 0.0
        self.times = 1

    async def turn(self) -> None:
        """Wait for one's turn."""
        now = time.monotonic()
        self._next = max(now, self._next) + self._distance / self.times
        await asyncio.sleep(self._next - now)


class Clients:
    """Everybody who asks. ``urls`` maps services to the addresses of their apis, of which each try takes the next."""

    def __init__(self, urls: Mapping[str, Sequence[str]], ledger: Ledger, per_second: float) -> None:
        self._urls = {service: cycle(addresses) for service, addresses in urls.items()}
        self._ledger = ledger
        self.pace = Pace(per_second)
        limits = httpx.Limits(max_connections=40, max_keepalive_connections=40)
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(15.0, connect=3.0), limits=limits)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def post(self, who: Caller, service: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask for a change until it is answered. Raises Refused, GaveUp."""
        asked = self._ledger.begin(who.sub, service, path)
        headers = {"authorization": f"Bearer {who.token}", "idempotency-key": asked.key}
        try:
            response = await self._until_answered("POST", service, path, headers, asked, body)
        except GaveUp:
            self._ledger.end(asked, 0, None)
            raise
        told = response.json()
        self._ledger.end(asked, response.status_code, told)
        if not response.is_success:
            raise Refused(response.status_code, asked.code, path)
        return dict(told)

    async def get(self, who: Caller, service: str, path: str) -> Any:
        """A page, asked for until it comes. Raises Refused, GaveUp."""
        headers = {"authorization": f"Bearer {who.token}"}
        response = await self._until_answered("GET", service, path, headers, None, None)
        if not response.is_success:
            raise Refused(response.status_code, response.json().get("code", ""), path)
        return response.json()

    async def _until_answered(
        self, method: str, service: str, path: str, headers: dict[str, str], asked: Asked | None, body: Any
    ) -> httpx.Response:
        limit, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        trace = asked.trace if asked else os.urandom(16).hex()
        while time.monotonic() < limit:
            await self.pace.turn()
            # each try is a span of its own in the trace of the request
            sent = headers | {"traceparent": f"00-{trace}-{os.urandom(8).hex()}-01"}
            try:
                response = await self._http.request(method, next(self._urls[service]) + path, json=body, headers=sent)
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                if response.status_code not in AGAIN:
                    return response
                trouble = _named(response)
            self._ledger.trouble(asked, path, trouble)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        raise GaveUp(path)


def _named(response: httpx.Response) -> str:
    """``503``, and whether it lacked what it must say."""
    lacks = response.status_code in LATER and "retry-after" not in response.headers
    return f"{response.status_code}{' without Retry-After' if lacks else ''}"
