"""The outermost layer: every request passes here once, and every answer leaves here."""

import asyncio
from time import perf_counter
from typing import Any

import structlog
from starlette.responses import Response

from services.chassis.errors import Busy, Unavailable
from services.chassis.health import PATHS, Health, answer_probe
from services.chassis.http.answers import Answer
from services.chassis.http.bodies import LARGEST, BodyReader, Gone
from services.chassis.http.exchange import Exchange, Headers
from services.chassis.http.problems import Problems
from services.chassis.http.routes import Served, Table
from services.chassis.telemetry import IN_FLIGHT, REQUESTS, TRAIL

LOG = structlog.get_logger()
MOST_IN_FLIGHT = 256  # requests at once; at a thousand a second the last of them waits a quarter of a second
# Those whose body is still on its way are counted apart (bodies.MOST_WAITING): slow senders must not keep others out.
MOST_UPLOADS = 4  # large files in hand at once: each takes its size in memory, and a core while it is read
WARNING = (b"linli-warning", b"embedded default: not for production")
NO_STORE = (b"cache-control", b"no-store")


class Edge:
    """Bounds what comes in, names it, answers it, counts it."""

    def __init__(
        self,
        runtime: Any,
        table: Table,
        problems: Problems,
        health: Health,
        *,
        most_in_flight: int = MOST_IN_FLIGHT,
        patience: float | None = None,
    ) -> None:
        self._runtime, self._table, self._problems, self._health = runtime, table, problems, health
        self._most = most_in_flight
        self._bodies = BodyReader() if patience is None else BodyReader(patience)
        self._service = runtime.service.name
        self._standing: Headers = [(b"x-content-type-options", b"nosniff")]
        if runtime.settings.embedded:
            self._standing.append(WARNING)
        self.in_flight = 0
        self._uploads = 0
        self._idle = asyncio.Event()
        self._idle.set()
        IN_FLIGHT.labels(self._service).set_function(lambda: self.in_flight)

    async def drain(self) -> None:
        """Refuse what is new with 503, tell probes, and return when everything accepted is answered."""
        self._health.stopping = True
        await self._idle.wait()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] in PATHS and scope["method"] == "GET":
            await answer_probe(self._health, scope["path"], send, self._standing)
            return
        began = perf_counter()
        exchange = Exchange(scope, self._runtime)
        scope["linli.exchange"] = exchange
        token = TRAIL.set(exchange.trail)
        self.in_flight += 1
        self._idle.clear()
        status = 0
        try:
            response = await self._respond(exchange, receive)
            status = response.status_code
            await self._send(exchange, response, receive, send)
        except Gone:
            status = 499
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self._idle.set()
            TRAIL.reset(token)
            self._observe(exchange, status, perf_counter() - began)

    async def _respond(self, exchange: Exchange, receive: Any) -> Response:
        try:
            if self.in_flight - self._bodies.waiting > self._most:
                raise Busy()
            if self._health.stopping:
                raise Unavailable("stopping")
            scope = exchange.scope
            served, exchange.path_params = self._table.find(scope["method"], scope["path"])
            exchange.served = served
            exchange.refuse_repeated_headers()
            await served.admit(exchange)
            take = self._take_file if served.largest > LARGEST else self._take
            response = await take(served, exchange, receive)
        except Gone:
            raise
        except Exception as error:  # noqa: BLE001 the one place where anything at all becomes an answer
            return self._problem(exchange, error)
        return _unchanged(exchange, response)

    async def _take(self, served: Served, exchange: Exchange, receive: Any) -> Response:
        if served.takes_body:
            exchange.body = await self._bodies.read(exchange, receive, served.largest)
        return await served.respond(exchange)

    async def _take_file(self, served: Served, exchange: Exchange, receive: Any) -> Response:
        if self._uploads >= MOST_UPLOADS:
            raise Busy()
        self._uploads += 1
        try:
            return await self._take(served, exchange, receive)
        finally:
            self._uploads -= 1

    def _problem(self, exchange: Exchange, error: Exception) -> Response:
        status, headers, body = self._problems.of(error, exchange)
        response = Answer(None, status)
        response.raw_headers, response.body = headers, body
        return response

    async def _send(self, exchange: Exchange, response: Response, receive: Any, send: Any) -> None:
        own = [*self._standing, (b"x-request-id", exchange.trail.request.encode())]
        if not _says_how_long(response.raw_headers):
            own.append(NO_STORE)
        if type(response) is Answer:
            await send(
                {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers + own}
            )
            await send({"type": "http.response.body", "body": response.body})
            return
        response.raw_headers += own
        await response(exchange.scope, receive, send)

    def _observe(self, exchange: Exchange, status: int, seconds: float) -> None:
        if exchange.served is not None:
            exchange.served.observe(status, seconds)
        else:
            REQUESTS.labels(self._service, "", "", status).inc()


def _says_how_long(headers: Headers) -> bool:
    for name, _ in headers:  # noqa: SIM110 a loop is three times as fast as any() here
        if name == b"cache-control":
            return True
    return False


def _unchanged(exchange: Exchange, response: Response) -> Response:
    """304 when the caller holds this version already (``If-None-Match``)."""
    held = exchange.headers.get(b"if-none-match")
    if held is None or type(response) is not Answer or exchange.scope["method"] != "GET" or response.etag != held:
        return response
    response.status_code, response.body = 304, b""
    response.raw_headers = [(name, value) for name, value in response.raw_headers if name not in _OF_BODY]
    return response


_OF_BODY = (b"content-length", b"content-type")
