"""Deadlines come to pass by themselves: one sweep per service turns each due entry into a command, exactly once.

The operation is named by the entry, so that two sweeps, a crash or a repeat take no second effect. An entry that is
still there after its command is parked and shown, never tried in a tight loop. See docs/promises/deadlines.md.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import Counter, Gauge

from services.chassis.clocks.stuck import Entry, Stuck
from services.chassis.context import Context
from services.chassis.errors import Busy, Conflict, NotFound, Problem, Unavailable
from services.chassis.storage.driver import Document, is_passing
from services.chassis.storage.history import History, Stored
from services.chassis.storage.leading import pause, while_leading
from services.chassis.storage.lease import Held
from services.kernel.events import Refused

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

LOG = structlog.get_logger()
BATCH = 200  # due aggregates of each type taken up in one round
TOGETHER = 16  # of them at once: their writes leave in groups
A_SECOND = 400  # at most, so that a night's deadlines do not crowd out the day's requests
PAUSE = 1.0  # seconds between two rounds when nothing is due
MEASURE = 5.0  # seconds between two counts of what is overdue
COUNT_TO = 100_000  # overdue aggregates are counted no further
REVIEW = 30.0  # seconds between two looks at what is stuck
STAYS = "deadline-stays"  # the command was given and the entry is still there

OVERDUE = Gauge("linli_overdue", "Aggregates with a deadline that has passed", ["service", "aggregate"])
SWEPT = Counter("linli_deadline_swept", "Deadlines turned into commands", ["service", "aggregate"])
Task = tuple[datetime, History[Any], str]


class Sweep:
    """The sweep of one service. Any number of processes may run it: a lease lets one work."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._service = runtime.service.name
        self._histories = [h for h in runtime.histories.values() if h.aggregate.on_due is not None]
        self.stuck = Stuck(runtime.database, self._service, [h.aggregate.name for h in self._histories])
        self._measure_at = self._review_at = float("-inf")
        self._calendar_day = ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep until told to stop."""
        if not self._histories:
            await stopping.wait()
            return
        self._runtime.health.add("deadlines", self.stuck.readiness)
        try:
            await while_leading(self._runtime.database, "sweep", stopping, lambda held: self._rounds(held, stopping))
        finally:
            self._forget_figures()

    async def _rounds(self, held: Held, stopping: asyncio.Event) -> None:
        known = False
        while not stopping.is_set():
            try:
                if not known:
                    await self.stuck.load()
                    known = True
                swept = await self.once(held)
            except Exception as error:
                if not _is_passing(error):
                    raise
                LOG.warning("sweep_postponed", error=type(error).__name__)
                swept = 0
            if not swept:
                await pause(PAUSE, stopping)

    async def once(self, held: Held | None = None) -> int:
        """One round: take up what is due, in due order; returns how many commands were given."""
        now = self._runtime.clock.now()
        tasks = [] if self.stuck.full else await self._due(now)
        given = 0
        for start in range(0, len(tasks), TOGETHER):
            if held is not None:
                held.require()
            began = time.monotonic()
            together = tasks[start : start + TOGETHER]
            given += sum(await _all(self._take_up(history, subject) for _, history, subject in together))
            await asyncio.sleep(max(0.0, len(together) / A_SECOND - (time.monotonic() - began)))
        await self._besides(now)
        return given

    async def _due(self, now: datetime) -> list[Task]:
        found: list[Task] = []
        for history in self._histories:
            wanted: Document = {"next_due": {"$lte": now}}
            if stuck := self.stuck.subjects(history.aggregate.name):
                wanted["_id"] = {"$nin": stuck}
            rows = await history.collection.find(wanted, {"next_due": 1}, sort=[("next_due", 1)], limit=BATCH)
            found += [(row["next_due"], history, row["_id"]) for row in rows]
        return sorted(found, key=lambda task: task[0])

    async def _besides(self, now: datetime) -> None:
        if time.monotonic() - self._measure_at >= MEASURE:
            self._measure_at = time.monotonic()
            await self._measure(now)
        if time.monotonic() - self._review_at >= REVIEW:
            self._review_at = time.monotonic()
            for history in self._histories:
                for subject in self.stuck.subjects(history.aggregate.name):
                    await self._take_up(history, subject)
        if now.date().isoformat() != self._calendar_day:
            await self.recompute(now)
            self._calendar_day = now.date().isoformat()

    async def _take_up(self, history: History[Any], subject: str) -> bool:
        """Give the command of the aggregate's earliest due entry that is not waiting for its next attempt, if any."""
        try:
            stored = await history.get(subject, scope=None)
        except NotFound:
            await self.stuck.keep_only(history.aggregate.name, subject, ())
            return False
        entries = _entries(history, stored)
        if self.stuck.has(history.aggregate.name, subject):
            await self.stuck.keep_only(history.aggregate.name, subject, [entry for entry, _ in entries])
        now = self._runtime.clock.now()
        ready = [(entry, due) for entry, due in entries if entry.at <= now and not self.stuck.waits(entry)]
        if not ready:
            return False
        await self._command(history, stored, *min(ready, key=lambda pair: (pair[0].at, pair[0].name)))
        return True

    async def _command(self, history: History[Any], stored: Stored[Any], entry: Entry, due: Any) -> None:
        assert history.aggregate.on_due is not None
        context = Context(by="clock", at=self._runtime.clock.now(), operation=entry.operation)
        code = STAYS
        try:
            written = await history.change(stored.id, history.aggregate.on_due(stored.state, due), context)
            if written.events and not written.repeated:
                SWEPT.labels(self._service, history.aggregate.name).inc()
                return
        except Conflict:
            return  # others write it all the time; the next round tries again
        except Exception as error:
            if _is_passing(error):
                raise
            code = error.code if isinstance(error, (Problem, Refused)) else type(error).__name__
            LOG.exception("deadline_refused", aggregate=history.aggregate.name, code=code)
        after = await history.get(stored.id, scope=None)
        if entry in [present for present, _ in _entries(history, after)]:
            await self.stuck.park(entry, code)

    async def recompute(self, now: datetime) -> int:
        """Give ``on_calendar`` to each aggregate whose deadlines are provisional, once a day; returns how many."""
        found = 0
        for history in self._histories:
            if history.aggregate.on_calendar is None:
                continue
            wanted = {"next_due": {"$gt": now}, "state.due.provisional": True}
            async for row in history.collection.iterate(wanted, {"_id": 1}, sort=[("next_due", 1)], batch=BATCH):
                await self._recompute_one(history, row["_id"], now)
                found += 1
        return found

    async def _recompute_one(self, history: History[Any], subject: str, now: datetime) -> None:
        assert history.aggregate.on_calendar is not None
        context = Context(by="clock", at=now, operation=f"calendar|{now.date().isoformat()}")
        try:
            stored = await history.get(subject, scope=None)
            await history.change(subject, history.aggregate.on_calendar(stored.state), context)
        except Exception as error:
            if _is_passing(error):
                raise
            LOG.exception("deadline_stays_provisional", aggregate=history.aggregate.name)

    async def _measure(self, now: datetime) -> None:
        for history in self._histories:
            overdue = await history.collection.count({"next_due": {"$lt": now}}, limit=COUNT_TO)
            OVERDUE.labels(self._service, history.aggregate.name).set(overdue)

    def _forget_figures(self) -> None:
        """Another process counts from now on; both would count twice."""
        for history in self._histories:
            OVERDUE.labels(self._service, history.aggregate.name).set(0)
        self.stuck.forget()


def _entries(history: History[Any], stored: Stored[Any]) -> list[tuple[Entry, Any]]:
    name = history.aggregate.name
    return [(Entry(name, stored.id, due.name, due.at), due) for due in stored.state.due]


def _is_passing(error: Exception) -> bool:
    return isinstance(error, (Busy, Unavailable)) or is_passing(error)


async def _all(work: Iterable[Awaitable[bool]]) -> list[bool]:
    """Wait for all, also when one fails; then raise the first failure."""
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome is True for outcome in outcomes]
