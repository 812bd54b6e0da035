"""Up to when a consumer has everything, and whether something is known to wait: what figures say of themselves.

Every owner tells up to when its events are in Kafka. Whatever the topics hold after that was heard is taken once the
group's offsets have passed it; then no event written before is missing. The worker looks and keeps what it saw, so that
the processes that answer need not ask Kafka, and a worker that stands still shows by the age of its last look.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from services.chassis.consuming.lag import Partition, Standing
from services.chassis.consuming.parked import Parked
from services.chassis.errors import Unavailable
from services.chassis.publishing.positions import published_to

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

STANDING = "standing"
MARGIN = timedelta(seconds=15)  # a write is answered within ten seconds of its event's time, and clocks differ
FRESH = timedelta(seconds=30)  # a worker looks every five seconds
MOST = 500  # looks that wait to be passed; of a longer standstill fewer instants are known


@dataclass(frozen=True)
class Heard:
    """Up to when the events of all sources are in the topics; None when one of them, ``silent``, did not tell."""

    to: datetime | None
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completeness:
    """``complete_to``: every event of an earlier time has taken effect. ``waiting`` in topics and ``parked``: events of
    which it is known that they have not. None is not known; ``seen_at`` is the last look, ``fresh`` if it was just now.
    ``silent`` sources do not tell up to when they have published."""

    complete_to: datetime | None = None
    waiting: int | None = None
    parked: int | None = None
    silent: tuple[str, ...] = ()
    seen_at: datetime | None = None
    fresh: bool = False


class Looks:
    """Ends of topics that were seen, each with the instant up to which they held everything."""

    def __init__(self) -> None:
        self._looks: deque[tuple[datetime, Mapping[Partition, int]]] = deque()

    def add(self, to: datetime, ends: Mapping[Partition, int]) -> None:
        """The topics ended there, and held everything up to ``to``."""
        if len(self._looks) < MOST:
            self._looks.append((to, dict(ends)))

    def passed(self, committed: Mapping[Partition, int]) -> datetime | None:
        """The latest instant of which all has been taken now; None when there is none that was not told before."""
        latest: datetime | None = None
        while self._looks and all(committed.get(each, 0) >= end for each, end in self._looks[0][1].items()):
            to, _ = self._looks.popleft()
            latest = to if latest is None else max(latest, to)
        return latest


class Watermark:
    """What one consumer's worker keeps of each look."""

    def __init__(self, runtime: "Runtime", topics: Sequence[str]) -> None:
        self._runtime = runtime
        prefix = f"{runtime.settings.prefix}."
        self._sources = sorted({topic.removeprefix(prefix).partition(".")[0] for topic in topics})
        self._looks = Looks()
        self._parked = Parked(runtime.database)
        self._rows = runtime.database.collection(STANDING)

    async def heard(self) -> Heard:
        """Ask every source. To be called before the topics are looked at."""
        told = await asyncio.gather(*(self._told(source) for source in self._sources))
        silent = tuple(source for source, at in zip(self._sources, told, strict=True) if at is None)
        instants = [at for at in told if at is not None]
        return Heard(min(instants) if instants and not silent else None, silent)

    async def note(self, heard: Heard, standing: Standing, parked: int) -> None:
        """Keep what was seen after ``heard``."""
        if heard.to is not None:
            self._looks.add(heard.to, standing.ends)
        taken = self._looks.passed(standing.committed)
        seen = {
            "at": datetime.now(UTC),
            "waiting": sum(standing.lag().values()),
            "parked": parked,
            "oldest_parked": await self._parked.oldest() if parked else None,
            "silent": list(heard.silent),
        }
        change = {"$set": seen} | ({"$max": {"taken_to": taken}} if taken else {})
        await self._rows.update_one({"_id": self._runtime.service.name}, change, upsert=True)

    async def _told(self, source: str) -> datetime | None:
        if source == self._runtime.service.name:
            return await published_to(self._runtime.database)
        try:
            return await self._runtime.peers.published_to(source)
        except Unavailable:
            return None


async def completeness(runtime: "Runtime") -> Completeness:
    """What the service's workers last saw, in the time of the domain.

    Where a demonstration's clock is moved while an owner does not publish, ``complete_to`` moves with it.
    """
    row = await runtime.database.collection(STANDING).find_one({"_id": runtime.service.name})
    if row is None:
        return Completeness()
    taken, oldest = row.get("taken_to"), row["oldest_parked"]
    to = None if taken is None else taken - MARGIN + runtime.clock.offset
    return Completeness(
        complete_to=min(to, oldest) if to and oldest else to,
        waiting=row["waiting"],
        parked=row["parked"],
        silent=tuple(row["silent"]),
        seen_at=row["at"] + runtime.clock.offset,
        fresh=datetime.now(UTC) - row["at"] < FRESH,
    )
