"""Group commit: concurrent guarded writes to one collection leave in one bulk write.

The next group leaves when one of the two in flight has returned; nothing lingers. A write is done only when the
server acknowledged it by majority and journal, or when its event is read back under read concern majority. Absent
means not known, never failed: the same operation is sent again until its deadline.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from pymongo import InsertOne, UpdateOne

from services.chassis.errors import Busy, Problem, Unavailable
from services.chassis.storage.driver import BulkWriteError, Collection, is_passing

LOG = structlog.get_logger()
GROUPS = Histogram(
    "linli_batch_size", "Writes that left together", ["collection"], buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
)
RESENT = Counter("linli_writes_resent_total", "Writes sent again because their fate was not known", ["collection"])
DUPLICATE_KEY = 11000


class VersionMoved(Exception):
    """Another write came first: decide again on fresh state."""


@dataclass(eq=False)
class Write:
    """One guarded write. ``version`` is the version it expects; 0 is an insert. ``event`` marks it for read-back."""

    id: str
    version: int
    event: str
    operation: InsertOne[Any] | UpdateOne
    size: int  # bytes
    deadline: float  # of the event loop's clock, seconds
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, error: BaseException | None = None) -> None:
        """Tell the waiter, unless it has gone away."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Groups:
    """The queue of one collection. Bounded: when ``limit`` writes wait, the next is refused with 429."""

    def __init__(
        self,
        collection: Collection,
        *,
        limit: int = 2000,
        group: int = 500,
        group_bytes: int = 8_000_000,
        in_flight: int = 2,
    ) -> None:
        self._collection = collection
        self._limit, self._group, self._group_bytes, self._in_flight = limit, group, group_bytes, in_flight
        self._waiting: deque[Write] = deque()
        self._busy: set[str] = set()  # ids whose write is in flight
        self._flying: set[asyncio.Task[None]] = set()

    async def write(self, write: Write) -> None:
        """Return when the write is kept. Raises VersionMoved, Busy or Unavailable."""
        if len(self._waiting) >= self._limit:
            raise Busy()
        self._waiting.append(write)
        self._start()
        await write.done

    async def drain(self) -> None:
        """Wait until nothing is queued or in flight: for a graceful stop."""
        while self._flying:
            await asyncio.wait(self._flying)

    def _start(self) -> None:
        while self._waiting and len(self._flying) < self._in_flight:
            group = self._take()
            if not group:
                return
            task = asyncio.create_task(self._send(group))
            self._flying.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        self._start()

    def _take(self) -> list[Write]:
        group: list[Write] = []
        skipped: list[Write] = []
        size = 0
        while self._waiting and len(group) < self._group and size < self._group_bytes:
            write = self._waiting.popleft()
            if write.id in self._busy:
                skipped.append(write)
                continue
            self._busy.add(write.id)
            group.append(write)
            size += write.size
        self._waiting.extendleft(reversed(skipped))
        return group

    async def _send(self, group: list[Write]) -> None:
        GROUPS.labels(self._collection.name).observe(len(group))
        try:
            await self._until_settled(group)
        except Exception as error:
            LOG.exception("group_failed", collection=self._collection.name, writes=len(group))
            for write in group:
                write.settle(error)
        finally:
            self._busy.difference_update(write.id for write in group)

    async def _until_settled(self, group: list[Write]) -> None:
        pause = 0.005
        while group:
            group = await self._attempt(group)
            if not group:
                return
            RESENT.labels(self._collection.name).inc(len(group))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)
            group = self._within_deadline(group)

    @staticmethod
    def _within_deadline(group: list[Write]) -> list[Write]:
        now = asyncio.get_running_loop().time()
        for write in group:
            if write.deadline <= now:
                write.settle(Unavailable())
        return [write for write in group if write.deadline > now]

    async def _attempt(self, group: list[Write]) -> list[Write]:
        """Send once; return the writes whose fate is not known."""
        try:
            doubtful = await self._bulk(group)
            return await self._read_back(doubtful) if doubtful else []
        except Exception as error:
            if not is_passing(error):
                raise
            LOG.warning("write_uncertain", collection=self._collection.name, error=type(error).__name__)
            return group

    async def _bulk(self, group: list[Write]) -> list[Write]:
        """Send; settle what is certain; return what must be read back."""
        try:
            result = await self._collection.bulk_write([write.operation for write in group])
        except BulkWriteError as error:
            return self._sort_out(group, error.details)
        if result.matched_count + result.inserted_count == len(group):
            for write in group:
                write.settle()
            return []
        return self._settle_inserts(group)

    @staticmethod
    def _settle_inserts(group: Sequence[Write]) -> list[Write]:
        for write in group:
            if write.version == 0:
                write.settle()
        return [write for write in group if write.version]

    @staticmethod
    def _sort_out(group: list[Write], details: Any) -> list[Write]:
        failed = {item["index"]: item for item in details.get("writeErrors", ())}
        if details.get("writeConcernErrors"):
            return group
        doubtful = []
        for index, write in enumerate(group):
            error = failed.get(index)
            if error is None and write.version == 0:
                write.settle()
            elif error is None or error["code"] == DUPLICATE_KEY:
                doubtful.append(write)
            else:
                LOG.error("write_refused", code=error["code"])
                write.settle(Problem("write-refused"))
        return doubtful

    async def _read_back(self, group: list[Write]) -> list[Write]:
        """Present is done, moved is a conflict, anything else is still not known.

        An insert that finds the id taken is always a conflict: the stored first answer counts, not this decision.
        """
        found = await self._collection.find(
            {"_id": {"$in": [write.id for write in group]}}, {"version": 1, "history.id": 1}
        )
        stored = {document["_id"]: document for document in found}
        unknown = []
        for write in group:
            document = stored.get(write.id)
            if document is None:
                unknown.append(write)
            elif write.version and any(entry["id"] == write.event for entry in document["history"]):
                write.settle()
            elif document["version"] != write.version:
                write.settle(VersionMoved())
            else:
                unknown.append(write)
        return unknown
