"""Stands between everybody and the servers, in a process of its own: one door before each, which can be disturbed.

    python -m tests.faults.doors <data folder> 20290=20090 20292=20092 …

Each line of input is a JSON list of rules ``[client, port, how]`` that replaces those before, and is answered by
``ok``: ``client`` is a pattern of names under supervisord (``complaints-*``), ``port`` that of a door.

* ``cut``: connections are broken off, new ones too.
* ``slow``: every piece arrives ``SLOW`` seconds late, in both directions.
* ``half-open``: the server's side is closed and the client is not told; nothing passes. After it, a client that has
  spoken in vain is broken off, and any other as soon as it speaks: the answer of a server that knows of nothing.
"""

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import psutil
import uvloop

from deploy.local.ports import HOST
from deploy.local.state import State

SLOW = 0.3  # seconds
AGAIN = 0.1  # seconds between two looks whether a server is back
CUT_AFTER = 0.2  # seconds until a new connection is broken off, so that nobody tries in a tight loop
Rule = tuple[str, int, str]


class Side(asyncio.Protocol):
    """One end of a passage."""

    def __init__(self, passage: "Passage") -> None:
        self.passage = passage
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.passage.joined(self)

    def data_received(self, data: bytes) -> None:
        self.passage.take(self, data)

    def pause_writing(self) -> None:
        if (other := self.passage.other(self)).transport:
            other.transport.pause_reading()

    def resume_writing(self) -> None:
        if (other := self.passage.other(self)).transport:
            other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.passage.left(self)


class Passage:
    """One client's connection through a door."""

    def __init__(self, door: "Door") -> None:
        self.door = door
        self.client, self.server = Side(self), Side(self)
        self.how = ""
        self.forgotten = self.spoken = False
        self._held: deque[tuple[Side, bytes]] = deque()
        self._early: list[bytes] = []  # of the client, before the server was reached

    def other(self, side: Side) -> Side:
        """The other end."""
        return self.server if side is self.client else self.client

    def joined(self, side: Side) -> None:
        """The client is here: reach the server; the server is reached: give it what came meanwhile."""
        if side is self.server:
            for data in self._early:
                self.take(self.client, data)
            return
        self.door.passages.add(self)
        self.door.tasks.add(task := asyncio.ensure_future(self._open()))
        task.add_done_callback(self.door.tasks.discard)

    async def _open(self) -> None:
        self.disturb(await self.door.house.how(self.port(), self.door.port))
        if self.how in ("cut", "half-open") or self.client.transport is None or self.client.transport.is_closing():
            return
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, HOST, self.door.behind)
        except OSError:
            self.abort()
            self.door.shut()

    def port(self) -> int:
        """The client's own."""
        assert self.client.transport is not None
        return int(self.client.transport.get_extra_info("peername")[1])

    def take(self, side: Side, data: bytes) -> None:
        """Pass it on, late, or not at all."""
        target = self.other(side)
        if self.forgotten:
            self.spoken = True
            if self.how != "half-open":
                self.abort()
        elif target.transport is None:
            self._early.append(data)
        elif self.how == "slow" or self._held:
            self._held.append((target, data))
            asyncio.get_running_loop().call_later(SLOW, self._pass_first)
        else:
            target.transport.write(data)

    def _pass_first(self) -> None:
        target, data = self._held.popleft()
        if target.transport and not target.transport.is_closing():
            target.transport.write(data)

    def disturb(self, how: str) -> None:
        """From now on it is like this; empty: undisturbed."""
        self.how = how
        if how == "cut":
            asyncio.get_running_loop().call_later(CUT_AFTER, self.abort)
        elif how == "half-open":
            self.forgotten = True
            if self.server.transport:
                self.server.transport.abort()
        elif self.forgotten and self.spoken:
            self.abort()

    def left(self, side: Side) -> None:
        """One end has gone."""
        if side is self.server and self.forgotten:
            return
        self.door.passages.discard(self)
        if (other := self.other(side)).transport:
            other.transport.close()

    def abort(self) -> None:
        """Break off both ends."""
        for side in (self.client, self.server):
            if side.transport:
                side.transport.abort()


class Door:
    """Listens where everybody thinks that the server is, as long as the server does."""

    def __init__(self, house: "House", port: int, behind: int) -> None:
        self.house, self.port, self.behind = house, port, behind
        self.passages: set[Passage] = set()
        self.tasks: set[asyncio.Future[Any]] = set()
        self._listening: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen from now on; returns at once when it does already."""
        if self._listening is None:
            loop = asyncio.get_running_loop()
            self._listening = await loop.create_server(lambda: Passage(self).client, HOST, self.port, backlog=512)

    def shut(self) -> None:
        """The server refuses connections, so this door does too until the server is back."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self.tasks.add(task := asyncio.ensure_future(self._when_back()))
            task.add_done_callback(self.tasks.discard)

    async def _when_back(self) -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, self.behind)
            except OSError:
                await asyncio.sleep(AGAIN)
                continue
            writer.close()
            return await self.open()


class House:
    """All doors and the rules in force. ``names`` tells whose connections there are, by their local ports."""

    def __init__(self, pairs: dict[int, int], names: Callable[[], dict[int, str]]) -> None:
        self._names = names
        self.doors = [Door(self, port, behind) for port, behind in pairs.items()]
        self._rules: list[Rule] = []
        self._known: dict[int, str] = {}  # by a client's port: the name of its program
        self._looking = asyncio.Lock()

    async def lay_down(self, rules: list[Rule]) -> None:
        """These rules hold from now on, for what is open too."""
        self._rules = rules
        self._known = await asyncio.to_thread(self._names) if rules else {}
        for door in self.doors:
            for passage in tuple(door.passages):
                how = await self.how(passage.port(), door.port)
                if how != passage.how:
                    passage.disturb(how)

    async def how(self, client: int, door: int) -> str:
        """What the rules say of a connection from this port through this door."""
        asked = [rule for rule in self._rules if rule[1] == door]
        if not asked:
            return ""
        if client not in self._known:
            async with self._looking:
                if client not in self._known:
                    self._known = await asyncio.to_thread(self._names)
                    self._known.setdefault(client, "")  # somebody from outside
        name = self._known[client]
        return next((how for pattern, _, how in asked if name and fnmatchcase(name, pattern)), "")


def programs(data: Path) -> dict[int, str]:
    """By the local port of each connection: the name of the program that holds it, as supervisord knows it."""
    state = State.read(data)
    supervisor = state.supervisor.process() if state else None
    ports = _ports_by_socket()
    found: dict[int, str] = {}
    for process in supervisor.children() if supervisor else ():
        try:
            name = process.environ()["SUPERVISOR_PROCESS_NAME"]
            sockets = [os.readlink(file) for file in Path(f"/proc/{process.pid}/fd").iterdir()]
        except (psutil.NoSuchProcess, KeyError, FileNotFoundError):  # it has just ended, or is not yet what it will be
            continue
        found |= {ports[socket]: name for socket in sockets if socket in ports}
    return found


def _ports_by_socket() -> dict[str, int]:
    """The local port of every TCP connection of this machine, by what its file descriptor links to. Java's are IPv6."""
    tables = [Path(f"/proc/net/{table}").read_text().splitlines()[1:] for table in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    return {f"socket:[{row[9]}]": int(row[1].rpartition(":")[2], 16) for row in rows}


async def _main(data: Path, pairs: dict[int, int]) -> None:
    house = House(pairs, lambda: programs(data))
    for door in house.doors:
        await door.open()
    print("ok", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await house.lay_down([(client, port, how) for client, port, how in json.loads(line)])
        print("ok", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        given = {int(door): int(behind) for door, _, behind in (pair.partition("=") for pair in sys.argv[2:])}
        runner.run(_main(Path(sys.argv[1]), given))
