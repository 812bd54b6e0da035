"""A way to a server that can be cut and mended."""

import asyncio
from contextlib import suppress
from types import TracebackType


class Proxy:
    """Forwards one port to the first host of a MongoDB address. ``uri`` leads through it."""

    def __init__(self, uri: str) -> None:
        host, port = uri.removeprefix("mongodb://").split("/")[0].split(",")[0].split(":")
        self._target = (host, int(port))
        self._open: set[asyncio.StreamWriter] = set()
        self._mended = True

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._server.close()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        self._mended = False
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """Let them through again."""
        self._mended = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._mended:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._open |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._open -= {writer, back}

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while content := await source.read(65536):
                to.write(content)
                await to.drain()
        to.transport.abort()
