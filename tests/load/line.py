"""One kept connection on which requests are asked one after the other and their answers are read."""

import asyncio
from dataclasses import dataclass

import orjson

from tests.load.http_load import HOST, answered


@dataclass(frozen=True)
class Told:
    """An answer: its status and its body as JSON."""

    status: int
    body: dict[str, object]


class Line:
    """A plain HTTP/1.1 client that costs as little as it can. One question at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Line":
        """Connect. Raises OSError when nobody listens."""
        return cls(*await asyncio.open_connection(HOST, port))

    async def ask(self, request: bytes) -> Told:
        """Send a whole request and read its answer. Raises ConnectionError when the server goes away."""
        self._writer.write(request)
        received = b""
        while (status := answered(received) if received else None) is None:
            chunk = await self._reader.read(65536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            received += chunk
        body = received[received.find(b"\r\n\r\n") + 4 :]
        return Told(status, orjson.loads(body) if body else {})

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
