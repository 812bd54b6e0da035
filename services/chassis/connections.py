"""Connections below the requests: bounded in number, in time, and in what is neither head nor body.

The server by itself waits for ever for a request that does not come, keeps headers without end, and lets go of no
answer that nobody takes. Here whoever waits for a caller longer than its patience is cut off, and when all places are
taken the connection that has waited longest makes room, so that idle ones never keep a request out.
"""

import asyncio
import resource
from typing import Any, ClassVar

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.chassis.texts.chassis import CHASSIS

PATIENCE = 30.0  # seconds for the next whole head, and for SLOWEST bytes of an answer to be taken
SLOWEST = 65_536  # bytes
HEAD = 65_536  # bytes of a request line with its headers
FRAMING = 1_048_576  # bytes of a message that are neither head nor body: chunk sizes, trailers, what nobody reads
MOST = 4_000  # connections at once
RESERVED = 300  # files for everything else: the database, the logs
REASONS = {400: "Bad Request", 431: "Request Header Fields Too Large"}


class Waiting:
    """The connections that wait for their caller, the longest waiting first. One timer for all."""

    def __init__(self, patience: float = PATIENCE, most: int = MOST) -> None:
        self.patience, self.most = patience, most
        self._since: dict[Connection, float] = {}
        self._reaping = False

    def begin(self, connection: "Connection") -> None:
        """From now on it waits; what it waited before does not count."""
        loop = asyncio.get_running_loop()
        self._since.pop(connection, None)
        self._since[connection] = loop.time()
        if not self._reaping:
            self._reaping = True
            loop.call_later(self.patience / 4, self._reap, loop)

    def end(self, connection: "Connection") -> None:
        """It has a request in hand, or is gone."""
        self._since.pop(connection, None)

    def make_room(self, open_now: int) -> None:
        """When there are too many, cut off the one that has waited longest."""
        if open_now > self.most and self._since:
            next(iter(self._since)).cut_off()

    def _reap(self, loop: asyncio.AbstractEventLoop) -> None:
        late = [one for one, since in self._since.items() if since + self.patience <= loop.time()]
        for connection in late:
            if connection.takes():
                self.begin(connection)
            else:
                connection.cut_off()
        self._reaping = bool(self._since)
        if self._reaping:
            loop.call_later(self.patience / 4, self._reap, loop)


class Connection(HttpToolsProtocol):
    """One connection. A class made by ``connections`` has its own ``waiting``, one for each server."""

    waiting: ClassVar[Waiting]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._apart = 0  # bytes since the last head or piece of a body
        self._headed = False  # whether the head of the message in hand is complete
        self._left = 0  # bytes of an answer that the caller had not taken when it was last looked at

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn does; and it waits for its first request."""
        super().connection_made(transport)
        self._wait()
        self.waiting.make_room(len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn does."""
        self.waiting.end(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As uvicorn does, as long as it is head or body and not more of either than is allowed."""
        self._apart += len(data)
        super().data_received(data)
        if self._apart > (FRAMING if self._headed else HEAD) and not self.transport.is_closing():
            if self._headed:
                self.cut_off()
            else:
                self._refuse(431, "head-too-large")

    def on_message_begin(self) -> None:
        """A message begins."""
        self._headed = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what follows a body in pieces (a trailer) is nobody's business."""
        if not self._headed:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The caller has asked: now it is we who are waited for."""
        self._apart, self._headed = 0, True
        self.waiting.end(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body, unless it was answered already."""
        if not self.cycle.response_complete:
            self._apart -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is here."""
        self._apart = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answered: the next request is waited for."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._wait()

    def pause_writing(self) -> None:
        """The caller does not take what it asked for."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """The caller has taken most of it."""
        super().resume_writing()
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self.waiting.end(self)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets the same kind of answer as everything else."""
        self._refuse(400, "request-malformed")

    def takes(self) -> bool:
        """Whether the caller has taken a good part of its answer since this was asked last."""
        before, self._left = self._left, self.transport.get_write_buffer_size()
        return before - self._left >= SLOWEST

    def cut_off(self) -> None:
        """Close at once, whatever was not taken."""
        self.waiting.end(self)
        self.transport.abort()

    def _wait(self) -> None:
        self._left = self.transport.get_write_buffer_size()
        self.waiting.begin(self)

    def _refuse(self, status: int, code: str) -> None:
        """A problem document in both languages (the language that was asked for is not known), and an end."""
        text = CHASSIS[code]
        problem = {"type": f"urn:linli:problem:{code}", "title": f"请求无法读取 {REASONS[status]}", "status": status}
        body = orjson.dumps(problem | {"code": code, "detail": f"{text.zh} {text.en}", "instance": "", "errors": []})
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/problem+json\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()


def connections(patience: float = PATIENCE, most: int | None = None) -> type[Connection]:
    """The kind of connection for one server, to be given to uvicorn. ``most``: as many as files can be open."""
    waiting = Waiting(patience, places() if most is None else most)
    return type("Connection", (Connection,), {"waiting": waiting})


def places() -> int:
    """How many connections this process may hold: it may open as many files as the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(1, min(MOST, hard - RESERVED))


def server_config(app: Any, **options: Any) -> Config:
    """uvicorn's configuration as every server of ours has it: bounded connections, no websockets, nothing logged."""
    kept = {"log_config": None, "access_log": False, "server_header": False, "lifespan": "off", "ws": "none"}
    return Config(app, **{"http": connections(), **kept, **options})
