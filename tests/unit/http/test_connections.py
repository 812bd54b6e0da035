"""Whoever holds a connection and says nothing, or takes nothing, holds it for a while and keeps nobody else out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from services.chassis.connections import FRAMING, HEAD, connections, server_config
from tests.unit.http.issuer import TestIssuer

KEY = b"idempotency-key: 0190c1a0-0000-7000-8000-00000000000a\r\n"


class _Server(uvicorn.Server):
    """Leaves the signals to the tests."""

    async def serve(self, sockets: Any = None) -> None:
        await self._serve(sockets)


@asynccontextmanager
async def serving(app: Any, **bounds: Any) -> AsyncIterator[int]:
    """The application on a port of its own; yields the port."""
    server = _Server(server_config(app, port=0, http=connections(**bounds), timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


class Caller:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, port: int) -> "Caller":
        """Connected."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def says(self, *pieces: bytes) -> None:
        """Send."""
        for piece in pieces:
            self.writer.write(piece)

    async def hears(self) -> bytes:
        """Everything until the other side ends, or nothing but an end."""
        heard = b""
        try:
            while piece := await asyncio.wait_for(self.reader.read(65_536), 10):
                heard += piece
        except ConnectionError:
            pass  # cut off, which ends it too
        return heard

    @property
    def is_cut_off(self) -> bool:
        """Whether the other side has ended it."""
        return self.reader.at_eof() or self.reader.exception() is not None


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 what is waited for happens in another program
            await asyncio.sleep(0.01)


async def answers(port: int) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}/live")).status_code


@pytest.mark.parametrize(
    "said", [b"", b"G", b"GET /live HTTP/1.1\r\nhost: x\r\n", b"GET /live HTTP/1.1\r\nhost: x\r\n\r\nGET /li"], ids=str
)
async def test_a_head_that_does_not_end_is_not_waited_for(app: Any, said: bytes) -> None:
    async with serving(app, patience=0.4) as port:
        slow = await Caller.at(port)
        slow.says(said)
        heard = await slow.hears()
        assert heard.count(b"HTTP/1.1 200") == said.count(b"\r\n\r\n")


async def test_a_head_that_drips_is_not_waited_for_either(app: Any) -> None:
    async with serving(app, patience=0.4) as port:
        slow = await Caller.at(port)
        hearing = asyncio.create_task(slow.hears())
        slow.says(b"GET /live HTTP/1.1\r\n")
        for number in range(1000):
            if hearing.done():
                break
            slow.says(b"x-%d: y\r\n" % number)
            await asyncio.sleep(0.02)
        assert await hearing == b""


async def test_when_all_places_are_taken_the_one_that_has_waited_longest_makes_room(app: Any) -> None:
    async with serving(app, most=20) as port:
        idle = [await Caller.at(port) for _ in range(60)]
        assert await answers(port) == 200
        await eventually(lambda: sum(one.is_cut_off for one in idle) >= 40)
        assert not idle[-1].is_cut_off
        idle[-1].says(b"GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert (await idle[-1].hears()).startswith(b"HTTP/1.1 200")


async def test_a_request_in_hand_is_never_cut_off_for_room(app: Any, issuer: TestIssuer) -> None:
    async with serving(app, most=3, patience=30) as port:
        asking = await Caller.at(port)
        body = b'{"kind": "complaint", "subject": "xx"}'
        token = f"authorization: {issuer.bearer()['authorization']}\r\n".encode()
        head = b"POST /cases HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
        asking.says(head, KEY, token, b"content-length: %d\r\n\r\n" % len(body), body[:5])
        await eventually(lambda: app.edge.in_flight == 1)
        for _ in range(12):
            await Caller.at(port)
        asking.says(body[5:])
        assert (await asking.hears()).startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * (HEAD + 10_000) + b" HTTP/1.1\r\n",
        b"GET /live HTTP/1.1\r\nx: " + b"y" * (HEAD + 10_000),
        b"GET /live HTTP/1.1\r\n" + b"x: y\r\n" * (HEAD // 6 + 1000),
    ],
    ids=["address", "header", "headers"],
)
async def test_a_head_without_end_is_refused(app: Any, head: bytes) -> None:
    async with serving(app) as port:
        caller = await Caller.at(port)
        caller.says(head)
        heard = await caller.hears()
        assert heard.startswith(b"HTTP/1.1 431")
        assert b"head-too-large" in heard and b"application/problem+json" in heard
        assert await answers(port) == 200


@pytest.mark.parametrize(
    "after",
    [
        b"0\r\n" + b"x-trailer: y\r\n" * (FRAMING // 10),
        b"1;" + b"e" * (FRAMING * 2),
        b"0\r\nx: " + b"y" * (FRAMING * 2),
    ],
    ids=["trailers", "extension", "trailer"],
)
async def test_a_body_in_pieces_may_not_be_mostly_something_else(app: Any, issuer: TestIssuer, after: bytes) -> None:
    async with serving(app) as port:
        caller = await Caller.at(port)
        token = f"authorization: {issuer.bearer()['authorization']}\r\n".encode()
        caller.says(b"POST /cases HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n", KEY, token, b"\r\n", after)
        assert b"HTTP/1.1 2" not in await caller.hears()
        assert await answers(port) == 200
        await eventually(lambda: app.edge.in_flight == 0)


async def test_what_is_sent_on_after_the_answer_is_not_read_for_ever(app: Any) -> None:
    async with serving(app) as port:
        caller = await Caller.at(port)
        caller.says(b"POST /cases HTTP/1.1\r\nhost: x\r\ncontent-length: 90000000\r\n\r\n")
        assert (await caller.reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401")
        hearing = asyncio.create_task(caller.hears())
        for _ in range(200):
            if hearing.done():
                break
            caller.says(b"x" * 65_536)
            await asyncio.sleep(0)
        await hearing
        assert caller.is_cut_off


async def test_an_answer_that_nobody_takes_is_given_up(app: Any) -> None:
    large = b"x" * 60_000_000

    async def tells(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"60000000")]})
        await send({"type": "http.response.body", "body": large})
        done.set()

    done = asyncio.Event()
    async with serving(tells, patience=0.4) as port:
        caller = await Caller.at(port)
        caller.says(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.wait_for(done.wait(), 10)


async def test_an_answer_that_is_taken_slowly_but_steadily_arrives(app: Any) -> None:
    large = b"x" * 20_000_000

    async def tells(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"20000000")]})
        await send({"type": "http.response.body", "body": large})

    async with serving(tells, patience=0.4) as port:
        caller = await Caller.at(port)
        caller.says(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        taken = 0
        while piece := await caller.reader.read(1_000_000):
            taken += len(piece)
            await asyncio.sleep(0.02)
        assert taken > 20_000_000


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /cases HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /cases HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"GET /live HTTP/1.1\r\nhost: x\r\nx\x00: y\r\n\r\n",
    ],
    ids=["tls", "version", "address", "smuggled", "two-lengths", "nul"],
)
async def test_what_is_no_http_is_told_so_in_both_languages(app: Any, garbage: bytes) -> None:
    async with serving(app) as port:
        caller = await Caller.at(port)
        caller.says(garbage)
        heard = await caller.hears()
        assert heard.startswith(b"HTTP/1.1 400")
        assert b"request-malformed" in heard and "请求无法读取".encode() in heard


async def test_nobody_talks_over_websockets(app: Any) -> None:
    upgrade = b"GET /live HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n"
    async with serving(app, patience=0.5) as port:
        caller = await Caller.at(port)
        caller.says(upgrade, b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        assert (await caller.hears()).startswith(b"HTTP/1.1 200")
