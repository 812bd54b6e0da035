"""Waiting for what is away: the stream stands still, with growing pauses, until it is back or the process stops."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog

from services.chassis.errors import Unavailable
from services.chassis.storage.driver import TRANSIENT_CODES, BulkWriteError, is_passing

LOG = structlog.get_logger()
T = TypeVar("T")
FIRST, LONGEST = 0.1, 5.0  # seconds


class Stopping(Exception):
    """The process ends while something was being waited for; what was in hand is not done."""


def is_away(error: BaseException) -> bool:
    """Whether the service's own MongoDB is what failed, so that the same is to be sent again for as long as it takes.

    ``Unavailable`` with another code is a peer's and is no reason to hold.
    """
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        codes = {each["code"] for each in details.get("writeErrors", ())}
        return codes <= TRANSIENT_CODES and bool(codes or details.get("writeConcernErrors"))
    return is_passing(error) or (isinstance(error, Unavailable) and error.code == Unavailable.code)


def pause_after(attempt: int) -> float:
    """Seconds to wait after the ``attempt``-th failure (from 0): doubling, capped, with jitter."""
    longest = min(LONGEST, FIRST * 2 ** min(attempt, 10))
    return longest * (0.5 + random.random() / 2)


class Hold:
    """Who waits and why; readiness tells it."""

    def __init__(self) -> None:
        self.reason = ""
        self.began = asyncio.Event()  # set while somebody waits
        self._waiting = 0
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Every wait ends with Stopping, now and from now on."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether the process is about to end."""
        return self._stop.is_set()

    async def pause(self, seconds: float) -> None:
        """Wait; raises Stopping when the process ends meanwhile."""
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
        raise Stopping

    async def through(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it, again and again while MongoDB is away. Raises Stopping, and whatever else ``act`` raises."""
        try:
            return await act()
        except Exception as error:
            if not is_away(error):
                raise
            first = error
        return await self._again(act, first)

    async def _again(self, act: Callable[[], Awaitable[T]], error: Exception) -> T:
        attempt = 0
        with self.waiting(f"MongoDB is away ({type(error).__name__})"):
            while True:
                await self.pause(pause_after(attempt))
                attempt += 1
                try:
                    return await act()
                except Exception as again:
                    if not is_away(again):
                        raise

    @contextmanager
    def waiting(self, reason: str) -> Iterator[None]:
        """While the body runs, somebody waits for this reason."""
        if not self._waiting:
            LOG.warning("holding", reason=reason)
        self._waiting += 1
        self.reason = reason
        self.began.set()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.reason = ""
                self.began.clear()
                LOG.info("hold_ended")
