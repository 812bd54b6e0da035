"""One time for all domain code, which tests and demonstrations can move, forward only.

Deadlines, registrations and reports take the time from ``Clock.now()``. Leases, tokens, rates and the relay's marks
are about machines and use real time. See docs/promises/deadlines.md.
"""

import asyncio
import os
import re
import socket
from datetime import UTC, datetime, timedelta

import structlog
import uuid_utils

from services.chassis.errors import Conflict, Invalid
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, Document, is_passing

LOG = structlog.get_logger()
OFFSET = "offset"
POLL = 1.0  # seconds between two looks at the shared offset
SIGN_OF_LIFE = 5.0  # seconds between two signs that a process follows the clock
GONE_AFTER = 15.0  # seconds without a sign: that process has ended
FOLLOW_WITHIN = 20.0  # seconds that an advance waits for every process
_PARTS = re.compile(r"(\d+)(d|h|m|s)")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def duration(text: str) -> timedelta:
    """``90s``, ``15m``, ``8h``, ``3d`` or a chain such as ``1d12h``. Raises Invalid("duration-malformed")."""
    if not re.fullmatch(rf"({_PARTS.pattern})+", text):
        raise Invalid("duration-malformed")
    try:
        return timedelta(**{_UNITS[unit]: int(count) for count, unit in _PARTS.findall(text)})
    except OverflowError:
        raise Invalid("duration-malformed") from None


class Clock:
    """UTC with millisecond precision, which is what MongoDB keeps.

    Without ``settings.movable_clock`` it is the machine's time. With it, all processes of one prefix share an offset
    in the database ``<prefix>_clock`` and follow it within about a second.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._movable = settings.movable_clock
        database = client.database(f"{settings.prefix}_clock")
        self._state = database.collection("state")
        self._followers = database.collection("followers")
        self._me = f"{socket.gethostname()}:{os.getpid()}:{uuid_utils.uuid4()}"
        self._service = settings.service
        self._offset = timedelta(0)
        self._signed = float("-inf")
        self._following: asyncio.Task[None] | None = None

    def now(self) -> datetime:
        """The time of the domain."""
        now = datetime.now(UTC) + self._offset
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    @property
    def offset(self) -> timedelta:
        """How far the clock has been moved ahead of real time."""
        return self._offset

    async def start(self) -> None:
        """Read the shared offset and follow it until ``stop``; nothing to do for a clock that does not move."""
        if self._movable:
            await self._look()
            self._following = asyncio.create_task(self._follow(), name="clock")

    async def stop(self) -> None:
        """Stop following, and say so, so that nobody waits for this process."""
        if self._following is None:
            return
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        self._following = None
        try:
            await self._followers.delete_one({"_id": self._me})
        except Exception as error:
            if not is_passing(error):
                raise
            LOG.warning("clock_still_followed", error=type(error).__name__)  # its sign of life runs out

    async def advance(self, by: timedelta) -> datetime:
        """Move every process' clock forward and return the new time when all of them have followed.

        Raises Conflict("clock-fixed") where the clock does not move, Invalid("clock-never-back") for a step that is
        not forward, and Conflict("clock-not-followed") with the laggards when they do not follow in time: the clock
        has been moved nevertheless.
        """
        if not self._movable:
            raise Conflict("clock-fixed")
        step = by // timedelta(milliseconds=1)
        if step <= 0:
            raise Invalid("clock-never-back")
        moved = await self._state.find_one_and_update({"_id": OFFSET}, {"$inc": {"ms": step}}, upsert=True)
        assert moved is not None
        self._take(moved)
        await self._until_followed(moved["ms"])
        return self.now()

    async def _until_followed(self, ms: int) -> None:
        deadline = asyncio.get_running_loop().time() + FOLLOW_WITHIN
        while behind := await self._behind(ms):
            if asyncio.get_running_loop().time() > deadline:
                raise Conflict("clock-not-followed", followers=behind)
            await asyncio.sleep(POLL / 10)

    async def _behind(self, ms: int) -> list[str]:
        alive = datetime.now(UTC) - timedelta(seconds=GONE_AFTER)
        behind = await self._followers.find({"ms": {"$lt": ms}, "at": {"$gt": alive}, "_id": {"$ne": self._me}})
        return [f"{one['service']} {one['_id']}" for one in behind]

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            try:
                await self._look()
            except Exception as error:
                if not is_passing(error):
                    raise
                LOG.warning("clock_not_read", error=type(error).__name__)  # keeps the offset it has

    async def _look(self) -> None:
        state = await self._state.find_one({"_id": OFFSET}) or {"ms": 0}
        moved = self._take(state)
        elapsed = asyncio.get_running_loop().time() - self._signed
        if moved or elapsed >= SIGN_OF_LIFE:
            self._signed = asyncio.get_running_loop().time()
            sign = {"service": self._service, "ms": self._offset // timedelta(milliseconds=1), "at": datetime.now(UTC)}
            await self._followers.update_one({"_id": self._me}, {"$set": sign}, upsert=True)

    def _take(self, state: Document) -> bool:
        """Take the shared offset unless it lies behind (a restored database): never back. True when it moved."""
        offset = timedelta(milliseconds=state["ms"])
        if offset <= self._offset:
            return False
        LOG.warning("clock_moved", hours=round(offset.total_seconds() / 3600, 2))
        self._offset = offset
        return True
