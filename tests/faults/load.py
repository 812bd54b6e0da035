"""The load: many people at once, who tell one story after the other until they are told to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.stories import Stories

AT_ONCE = 8  # stories


class Load:
    """Keeps people busy. ``more`` and ``fewer`` may be called from any thread."""

    def __init__(self, stories: Stories, at_once: int = AT_ONCE) -> None:
        self.stories = stories
        self._at_once = at_once
        self._over = asyncio.Event()
        self._busy: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted, self._now = at_once, 0

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """People are busy during the body; what has begun is told to the end."""
        self._loop = asyncio.get_running_loop()
        self._hire()
        try:
            yield
        finally:
            self._over.set()
            await asyncio.gather(*self._busy)

    def times(self, many: int) -> None:
        """So many times the usual load from now on: people, and requests a second."""
        assert self._loop is not None
        self.stories.clients.pace.times = many
        self._wanted = self._at_once * many
        self._loop.call_soon_threadsafe(self._hire)

    def _hire(self) -> None:
        while self._now < self._wanted:
            self._now += 1
            task = asyncio.ensure_future(self._tell())
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)

    async def _tell(self) -> None:
        while not self._over.is_set() and self._now <= self._wanted:
            await self.stories.any()
        self._now -= 1
