"""A plain HTTP/1.1 load over kept connections: one request at a time on each, as fast as the answers come.

It does as little as it can, since it shares the machine with what it measures; both sides of a comparison pay the same.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

Request = Callable[[], bytes]
HOST = "127.0.0.1"


@dataclass
class Measured:
    """What came of one run, or of several taken together."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list, repr=False)  # seconds, of answers 2xx
    refused: dict[int, int] = field(default_factory=dict)  # other statuses

    @property
    def rate(self) -> float:
        """Answers 2xx a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Seconds; 0.99 is the p99."""
        return percentile(self.latencies, share)

    def add(self, other: "Measured") -> None:
        """Take another run of the same kind in."""
        self.seconds += other.seconds
        self.latencies += other.latencies
        for status, count in other.refused.items():
            self.refused[status] = self.refused.get(status, 0) + count


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def request(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def load(port: int, make: Request, connections: int, seconds: float) -> Measured:
    """Drive ``connections`` for ``seconds``. Raises OSError when nobody listens, ConnectionError when one is lost."""
    measured = Measured()
    begun = time.perf_counter()
    await asyncio.gather(*(_drive(port, make, begun + seconds, measured) for _ in range(connections)))
    measured.seconds = time.perf_counter() - begun
    return measured


async def _drive(port: int, make: Request, until: float, measured: Measured) -> None:
    loop = asyncio.get_running_loop()
    transport, connection = await loop.create_connection(lambda: Connection(make, until, measured), HOST, port)
    try:
        await connection.done
    finally:
        transport.close()


class Connection(asyncio.Protocol):
    """One kept connection: sends the next request from within the arrival of the last answer."""

    def __init__(self, make: Request, until: float, measured: Measured) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._make, self._until, self._measured = make, until, measured
        self._transport: asyncio.Transport | None = None
        self._begun = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        status = answered(self._received)
        if status is None:
            return
        now = time.perf_counter()
        self._received = b""
        if 200 <= status < 300:
            self._measured.latencies.append(now - self._begun)
        else:
            self._measured.refused[status] = self._measured.refused.get(status, 0) + 1
        if now < self._until:
            self._send()
        elif not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        assert self._transport is not None
        message = self._make()
        self._begun = time.perf_counter()
        self._transport.write(message)


def answered(received: bytes) -> int | None:
    """The status of an answer that is here to its end, by its Content-Length; None while some of it is missing."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    lower = received[:head].lower()
    start = lower.index(b"content-length:") + 15
    end = lower.find(b"\r\n", start)
    length = int(lower[start : end if end >= 0 else head])
    return int(received[9:12]) if len(received) >= head + 4 + length else None
