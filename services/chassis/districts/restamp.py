"""When units move, the copies of their place follow: ``scope`` of every record in the moved subtree is rewritten.

Neither version nor event: where a record's unit stands in the tree is no fact of the record. The work is resumable,
always writes the tree as it is now, and is done twice: a process may write with its copy of the tree, which is some
seconds old, after the first pass has gone by.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Gauge
from pymongo import UpdateMany

from services.chassis.districts.units import RESTAMPS, UnitUnknown
from services.chassis.errors import Unavailable
from services.chassis.storage.driver import Document, is_passing
from services.chassis.storage.leading import pause, while_leading
from services.chassis.storage.lease import Held

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

LOG = structlog.get_logger()
PAUSE = 1.0  # seconds between two looks for work
CHUNK = 100  # units rewritten between two notes of the progress
SETTLED = timedelta(seconds=30)  # longer than a copy of the tree lives and a write takes
PASSES = 2
OPEN = Gauge("linli_restamps_open", "Moves of units whose records are still being rewritten", ["service"])


class Restamp:
    """The rewriting of one service. Any number of processes may run it: a lease lets one work."""

    def __init__(self, runtime: "Runtime", settled: timedelta = SETTLED) -> None:
        self._runtime = runtime
        self._units = runtime.units
        self._work = runtime.database.collection(RESTAMPS)
        self._settled = settled
        own = [n for n, fields in runtime.service.indexes.items() if any("scope" in names for names in fields)]
        self.collections = [*runtime.units.aggregates, *own]

    async def run(self, stopping: asyncio.Event) -> None:
        """Rewrite until told to stop."""
        for name in self.collections:
            await self._runtime.database.collection(name).ensure_indexes(("unit",))
        try:
            await while_leading(self._runtime.database, "restamp", stopping, lambda held: self._rounds(held, stopping))
        finally:
            OPEN.labels(self._runtime.service.name).set(0)

    async def _rounds(self, held: Held, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self.once(held)
            except Exception as error:
                if not is_passing(error) and not isinstance(error, Unavailable):
                    raise
                LOG.warning("restamp_postponed", error=type(error).__name__)
            await pause(PAUSE, stopping)

    async def once(self, held: Held | None = None) -> int:
        """Do the passes that are to be done now, oldest first; returns how many."""
        ready = await self._work.find({"done": False, "again": {"$lte": datetime.now(UTC)}}, sort=[("_id", 1)])
        for work in ready:
            await self._pass(work, held)
        OPEN.labels(self._runtime.service.name).set(await self._work.count({"done": False}))
        return len(ready)

    async def _pass(self, work: Document, held: Held | None) -> None:
        begun, after = work.get("collection"), work.get("after", "")
        subtree = await self._units.subtree(work["unit"])
        for name in self.collections[self.collections.index(begun) if begun in self.collections else 0 :]:
            for units in _chunks([unit for unit in subtree if unit > after]):
                if held is not None:
                    held.require()
                if not await self._rewrite(name, units):
                    await self._note(work, {"again": datetime.now(UTC) + timedelta(seconds=5)})
                    return
                await self._note(work, {"collection": name, "after": units[-1]})
            after = ""
        passes = work["passes"] + 1
        done = {"passes": passes, "done": passes >= PASSES, "again": datetime.now(UTC) + self._settled}
        await self._work.update_one({"_id": work["_id"]}, {"$set": done, "$unset": {"collection": "", "after": ""}})
        LOG.info("restamped", unit=work["unit"], units=len(subtree), passes=passes)

    async def _rewrite(self, name: str, units: list[str]) -> bool:
        """Write the present scopes; False when the tree is not whole yet: a move of another unit is on its way."""
        try:
            views = await self._units.get_many(units)
        except UnitUnknown:
            return False
        await self._runtime.database.collection(name).bulk_write(
            [
                UpdateMany({"unit": unit, "scope": {"$ne": list(view.scope)}}, {"$set": {"scope": list(view.scope)}})
                for unit, view in views.items()
            ]
        )
        return True

    async def _note(self, work: Document, progress: Document) -> None:
        await self._work.update_one({"_id": work["_id"]}, {"$set": progress})


def _chunks(units: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(units), CHUNK):
        yield units[start : start + CHUNK]
