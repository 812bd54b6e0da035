"""The doors do to a link what they say, and nothing to others."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from deploy.local.ports import HOST, free_ports
from tests.faults.doors import SLOW, House


class Echo:
    """A server that says what it is told, and one door before it."""

    def __init__(self) -> None:
        self.port, self.door = free_ports(2)
        self.names: dict[int, str] = {}
        self.house = House({self.door: self.port}, lambda: self.names)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    @staticmethod
    async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    async def client(self, name: str) -> "Client":
        reader, writer = await asyncio.open_connection(HOST, self.door)
        self.names[writer.get_extra_info("sockname")[1]] = name
        return Client(reader, writer)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, seconds: float = 5.0) -> bytes:
        """The echo; raises ConnectionError when broken off, TimeoutError when nothing comes."""
        self._writer.write(b"are you there")
        async with asyncio.timeout(seconds):
            told = await self._reader.read(1000)
        if not told:
            raise ConnectionResetError
        return told


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    await echo.start()
    for door in echo.house.doors:
        await door.open()
    yield echo
    echo.stop()


async def test_a_cut_link_is_broken_off_for_one_client_and_mended(echo: Echo) -> None:
    cut, other = await echo.client("complaints-worker"), await echo.client("relay")
    assert await cut.ask() == await other.ask() == b"are you there"
    await echo.house.lay_down([("complaints-*", echo.door, "cut")])
    with pytest.raises(ConnectionError):
        while True:
            await cut.ask()
    with pytest.raises(ConnectionError):
        again = await echo.client("complaints-worker-2")
        while True:
            await again.ask()
    assert await other.ask()
    await echo.house.lay_down([])
    assert await (await echo.client("complaints-worker")).ask()


async def test_on_a_slow_link_everything_comes_late_and_in_order(echo: Echo) -> None:
    client = await echo.client("relay")
    await echo.house.lay_down([("relay*", echo.door, "slow")])
    began = time.monotonic()
    assert await client.ask() == b"are you there"
    assert time.monotonic() - began >= 2 * SLOW


async def test_of_a_half_open_link_the_client_learns_when_it_speaks_after_it(echo: Echo) -> None:
    speaks, waits = await echo.client("relay"), await echo.client("relay-2")
    assert await speaks.ask() and await waits.ask()
    await echo.house.lay_down([("relay*", echo.door, "half-open")])
    with pytest.raises(TimeoutError):
        await speaks.ask(0.3)
    await echo.house.lay_down([])
    with pytest.raises(ConnectionError):
        await speaks.ask()
    with pytest.raises(ConnectionError):
        await waits.ask()


async def test_a_door_refuses_while_its_server_does(echo: Echo) -> None:
    echo.stop()
    with pytest.raises(ConnectionError):
        while True:
            await (await echo.client("relay")).ask()
    with pytest.raises(ConnectionRefusedError):
        await echo.client("relay")
    await echo.start()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await (await echo.client("relay")).ask()
                return
            except ConnectionError:
                await asyncio.sleep(0.05)
