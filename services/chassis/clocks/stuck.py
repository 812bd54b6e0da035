"""Deadlines whose command did not take: parked with the reason, counted, shown, and tried again ever more rarely."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from services.chassis.storage.driver import Database, Document

LOG = structlog.get_logger()
STUCK = Gauge("linli_deadline_stuck", "Deadlines whose command did not take", ["service", "aggregate"])
MOST = 1000  # more than these are not the fault of single records: the sweep takes up nothing new
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Entry:
    """One due entry of one aggregate. Its name as an operation is the same whenever it is taken up."""

    aggregate: str
    subject: str
    name: str
    at: datetime

    @property
    def id(self) -> str:
        """Identity of the parked entry."""
        return f"{self.aggregate}|{self.subject}|{self.name}|{self.at.isoformat()}"

    @property
    def operation(self) -> str:
        """The operation under which its command is given."""
        return f"due|{self.name}|{self.at.isoformat()}"


class Stuck:
    """The collection ``stuck_deadlines`` of one service, and what the leading process knows of it."""

    def __init__(self, database: Database, service: str, aggregates: Iterable[str]) -> None:
        self._parked = database.collection("stuck_deadlines")
        self._service, self._aggregates = service, tuple(aggregates)
        self._known: dict[str, Document] = {}

    async def load(self) -> None:
        """Read what is parked: another process may have led before."""
        self._known = {row["_id"]: row for row in await self._parked.find({})}
        self._count()

    @property
    def full(self) -> bool:
        """Whether so much is stuck that nothing new is taken up."""
        return len(self._known) >= MOST

    def subjects(self, aggregate: str) -> list[str]:
        """The aggregates of that type with a stuck deadline."""
        return sorted({row["subject"] for row in self._known.values() if row["aggregate"] == aggregate})

    def has(self, aggregate: str, subject: str) -> bool:
        """Whether a deadline of that aggregate is stuck."""
        return subject in self.subjects(aggregate)

    def waits(self, entry: Entry) -> bool:
        """Whether the entry is parked and its next attempt has not come."""
        row = self._known.get(entry.id)
        return row is not None and row["again"] > datetime.now(UTC)

    async def park(self, entry: Entry, code: str) -> None:
        """Keep the entry with its reason; ``code`` is stable and holds nothing that somebody typed."""
        now = datetime.now(UTC)
        attempts = self._known.get(entry.id, {}).get("attempts", 0) + 1
        row: Document = {
            "aggregate": entry.aggregate,
            "subject": entry.subject,
            "name": entry.name,
            "due": entry.at,
            "code": code,
            "attempts": attempts,
            "last": now,
            "again": now + min(FIRST_RETRY * 2 ** min(attempts - 1, 10), LAST_RETRY),
        }
        await self._parked.update_one({"_id": entry.id}, {"$set": row, "$setOnInsert": {"first": now}}, upsert=True)
        self._known[entry.id] = row
        self._count()
        LOG.error("deadline_stuck", service=self._service, attempts=attempts, code=code, entry=entry.id)

    async def keep_only(self, aggregate: str, subject: str, present: Iterable[Entry]) -> None:
        """Forget parked entries of that aggregate which are not in its state any more."""
        still = {entry.id for entry in present}
        gone = [
            row_id
            for row_id, row in self._known.items()
            if (row["aggregate"], row["subject"]) == (aggregate, subject) and row_id not in still
        ]
        if gone:
            await self._parked.delete_many({"_id": {"$in": gone}})
            self._known = {row_id: row for row_id, row in self._known.items() if row_id not in gone}
            self._count()

    async def readiness(self) -> tuple[bool, str]:
        """What the readiness page says: stuck deadlines are told, and alarm only when the sweep has stopped."""
        rows = await self._parked.find({}, {"subject": 1, "code": 1}, sort=[("due", 1)], limit=1)
        if not rows:
            return True, ""
        count = await self._parked.count({}, limit=MOST)
        return count < MOST, f"{count} deadlines are stuck, the oldest of {rows[0]['subject']} ({rows[0]['code']})"

    def forget(self) -> None:
        """Another process leads from now on, and counts."""
        self._known = {}
        self._count()

    def _count(self) -> None:
        for aggregate in self._aggregates:
            stuck = sum(row["aggregate"] == aggregate for row in self._known.values())
            STUCK.labels(self._service, aggregate).set(stuck)

