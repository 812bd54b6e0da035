"""Accepted is kept: one document per aggregate holds its state, its history and its outbox.

A change loads the document, decides, and writes state and events in one update guarded by ``version``. The list of
events is the audit trail and, through ``out``, what the relay publishes. Nothing can disagree, because there is one
write. See docs/promises/accepted-is-kept.md.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import random
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakValueDictionary

import structlog
import uuid_utils

from services.chassis.aggregate import AggregateType
from services.chassis.context import Context, derived
from services.chassis.errors import Conflict, Invalid, KeyReused, NotFound, PreconditionFailed, Unavailable
from services.chassis.storage.archive import Archive
from services.chassis.storage.commit import Groups, VersionMoved, Write
from services.chassis.storage.documents import changed_fields, first_due, insertion, operation, update
from services.chassis.storage.driver import Database, Document, is_passing
from services.chassis.storage.queries import under
from services.kernel.events import Event, Happened, Refused, State

if TYPE_CHECKING:
    from services.chassis.districts.units import Units
    from services.chassis.personal.sealing import Sealing

LOG = structlog.get_logger()
S = TypeVar("S", bound=State)
DEADLINE = 10.0  # seconds until a write whose fate is not known is answered 503
ATTEMPTS = 10  # decisions on fresh state before a conflict is told


def new_id(prefix: str) -> str:
    """A new id, ordered by time: ``case_<UUIDv7>``."""
    return f"{prefix}_{uuid_utils.uuid7()}"


def id_for(prefix: str, operation: str) -> str:
    """The id that this operation gives to what it creates, the same at every repeat."""
    return f"{prefix}_{derived(prefix, operation)}"


@dataclass(frozen=True)
class Written:
    """What a command did. ``seq`` is the last event's; ``repeated`` tells a first answer given again."""

    id: str
    seq: int
    repeated: bool
    events: list[tuple[str, Document]]  # ("case.registered.v1", data)


@dataclass(frozen=True)
class Stored(Generic[S]):
    """An aggregate as it is stored, its state in the present schema."""

    id: str
    version: int
    unit: str
    scope: list[str]
    state: S
    sealed: dict[str, bytes]
    keys: dict[str, list[str]]
    history: list[Document]
    archived: int


@dataclass(frozen=True)
class _Decided(Generic[S]):
    state: S
    scope: list[str]
    entries: list[Document]
    sealed: dict[str, Any]
    keys: dict[str, list[str]]


class History(Generic[S]):
    """The aggregates of one type: loads, decides, writes."""

    def __init__(
        self, aggregate: AggregateType[S], database: Database, units: "Units", sealing: "Sealing", limit: int = 2000
    ) -> None:
        self.aggregate = aggregate
        self.collection = database.collection(aggregate.name)
        self.archive = Archive(database, aggregate.name)
        self.groups = Groups(self.collection, limit=limit)
        self._units, self._sealing = units, sealing
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._chores: set[asyncio.Task[None]] = set()

    async def create(self, aggregate_id: str, unit: str, command: Any, context: Context) -> Written:
        """Decide on nothing and insert event 1. The same operation again gives the first answer.

        Raises what ``decide`` refuses, Conflict when the id is taken by another operation, KeyReused, Busy,
        Unavailable, and Invalid("unit-unknown") also for a unit outside the caller's scope.
        """
        scope = await self._units.scope_of(unit)
        if context.scope is not None and context.scope not in scope:
            raise Invalid("unit-unknown", field="unit")
        async with self._lock(aggregate_id):
            try:
                happened = self.aggregate.decide(None, command, context.at)
            except Refused:
                earlier = await self._earlier(aggregate_id, context)
                if earlier is None:
                    raise
                return earlier
            if not happened:
                raise Conflict("nothing-created")
            decided = await self._apply(None, happened, aggregate_id, 0, (unit, scope), context)
            document = insertion(self.aggregate.schema, aggregate_id, decided.scope, decided)
            try:
                await self._write(aggregate_id, 0, decided.entries, document)
            except VersionMoved:
                earlier = await self._earlier(aggregate_id, context)
                if earlier is None:
                    raise Conflict("already-exists") from None
                return earlier
        return _written(aggregate_id, decided.entries, repeated=False)

    async def change(
        self, aggregate_id: str, command: Any, context: Context, *, if_version: int | None = None
    ) -> Written:
        """Decide on the stored state and append. Decided again on fresh state when another write came first."""
        async with self._lock(aggregate_id):
            for attempt in range(ATTEMPTS):
                await _give_way(attempt)
                document = await self._load(aggregate_id, context.scope)
                earlier = await self._repeated(document, context)
                if earlier is not None:
                    return earlier
                if if_version is not None and if_version != document["version"]:
                    raise PreconditionFailed(version=document["version"])
                state = self._state(document)
                happened = self.aggregate.decide(state, command, context.at)
                if not happened:
                    return Written(aggregate_id, document["version"], repeated=False, events=[])
                try:
                    return await self._append(document, state, happened, context)
                except VersionMoved:
                    continue
        raise Conflict("contended")

    async def get(self, aggregate_id: str, *, scope: str | None) -> Stored[S]:
        """The aggregate, when it lies in ``scope`` (None: the service itself). Raises NotFound."""
        document = await self._load(aggregate_id, scope)
        return self.stored(document)

    def stored(self, document: Document) -> Stored[S]:
        """A document of the collection with its state in the present schema."""
        return Stored(
            id=document["_id"],
            version=document["version"],
            unit=document["unit"],
            scope=document["scope"],
            state=self._state(document),
            sealed=document.get("sealed", {}),
            keys=document.get("keys", {}),
            history=document.get("history", []),
            archived=document.get("archived", 0),
        )

    async def entries(self, aggregate_id: str, *, scope: str | None) -> list[Document]:
        """The whole history, oldest first, with what has been moved to the archive."""
        document = await self._load(aggregate_id, scope)
        older = await self.archive.entries(aggregate_id) if document.get("archived") else []
        return [entry for entry in older if entry["seq"] <= document["archived"]] + list(document["history"])

    async def drain(self) -> None:
        """Wait for everything accepted: the graceful stop."""
        await self.groups.drain()
        while self._chores:
            await asyncio.wait(self._chores)

    async def erase(self, aggregate_id: str, purposes: Sequence[str], event: Event, context: Context) -> Written:
        """Remove what belongs to ``purposes`` and nothing else: their sealed values in state, history and archive, and
        the look-up keys made from them. What of the open state belongs to them, ``evolve`` takes away.

        ``event`` (``<aggregate>.redacted``) is appended and says that, not what. Repeats take no second effect.
        """
        async with self._lock(aggregate_id):
            for attempt in range(ATTEMPTS):
                await _give_way(attempt)
                document = await self._load(aggregate_id, context.scope)
                written = await self._repeated(document, context)
                await self.archive.erase(aggregate_id, purposes)
                if written is None:
                    try:
                        written = await self._redact(document, purposes, event, context)
                    except VersionMoved:
                        continue
                    await self.archive.erase(aggregate_id, purposes)  # what another process moved there meanwhile
                return written
        raise Conflict("contended")

    async def _redact(self, document: Document, purposes: Sequence[str], event: Event, context: Context) -> Written:
        state = self._state(document)
        version = document["version"]
        place = (document["unit"], document["scope"])
        decided = await self._apply(
            state, [Happened(event)], document["_id"], version, place, context, document.get("changed")
        )
        kept = [self.archive.without(entry, purposes) for entry in document["history"]]
        change = update(self.aggregate.schema, decided, changed_fields(state, decided.state))
        change["$set"]["history"] = kept + decided.entries
        del change["$push"]
        change["$set"]["archived"] = document.get("archived", 0)  # the history is whole again, whoever moved its head
        gone = self.aggregate.keys_of(document.get("keys", {}), purposes)
        change["$unset"] = {f"sealed.{purpose}": "" for purpose in purposes} | {f"keys.{name}": "" for name in gone}
        if first_due(decided.state) is None and "next_due" in document:
            change["$unset"]["next_due"] = ""
        await self._write(document["_id"], version, decided.entries, change)
        return _written(document["_id"], decided.entries, repeated=False)

    async def _append(self, document: Document, state: S, happened: list[Happened], context: Context) -> Written:
        aggregate_id, version, place = document["_id"], document["version"], (document["unit"], document["scope"])
        decided = await self._apply(
            state, happened, aggregate_id, version, place, context, document.get("changed")
        )
        change = update(self.aggregate.schema, decided, changed_fields(state, decided.state))
        unit = decided.state.unit  # type: ignore[attr-defined]
        if unit != document["unit"]:
            change["$set"] |= {"unit": unit, "scope": decided.scope}
        if first_due(decided.state) is None and "next_due" in document:
            change["$unset"] = {"next_due": ""}
        await self._write(aggregate_id, version, decided.entries, change)
        if len(document["history"]) + len(decided.entries) > self.archive.longest:
            self._chore(self._trim(aggregate_id))
        return _written(aggregate_id, decided.entries, repeated=False)

    async def _apply(
        self,
        state: S | None,
        happened: list[Happened],
        aggregate_id: str,
        version: int,
        place: tuple[str, list[str]],
        context: Context,
        after: Any = None,
    ) -> _Decided[S]:
        unit, scope = place
        entries: list[Document] = []
        sealed: dict[str, Any] = {}
        keys: dict[str, list[str]] = {}
        for ordinal, one in enumerate(happened):
            state = self.aggregate.evolve(state, one.event, context.at)
            if state.unit != unit:  # type: ignore[attr-defined]
                unit = state.unit  # type: ignore[attr-defined]
                scope = await self._units.scope_of(unit)
            self._refuse_undeclared(one)
            private = await self._sealing.seal(scope[0], one.private) if one.private else {}
            sealed |= private
            keys |= one.keys
            entry = _entry(one.event, aggregate_id, version + ordinal + 1, ordinal, (unit, scope), context)
            if after is not None and ordinal == 0:
                entry["after"] = after  # the server's time of the write before: tells when that one was made
            entries.append(entry | ({"private": private} if private else {}))
        assert state is not None
        return _Decided(state, scope, entries, sealed, keys)

    def _refuse_undeclared(self, happened: Happened) -> None:
        """A look-up key of which nobody knows with what it is erased is a mistake of the service."""
        undeclared = sorted(happened.keys.keys() - self.aggregate.keys.keys())
        if undeclared:
            raise TypeError(f"{self.aggregate.name} declares no purpose for the look-up keys {undeclared}")

    async def _write(self, aggregate_id: str, version: int, entries: list[Document], change: Document) -> None:
        bulk, size = operation(aggregate_id, version, change)
        deadline = asyncio.get_running_loop().time() + DEADLINE
        await self.groups.write(Write(aggregate_id, version, entries[-1]["id"], bulk, size, deadline))

    async def _load(self, aggregate_id: str, scope: str | None) -> Document:
        wanted: Document = {"_id": aggregate_id}
        if scope is not None:
            wanted = under(scope, wanted)
        document = await self._read(wanted)
        if document is None:
            raise NotFound()
        return document

    async def _read(self, wanted: Document) -> Document | None:
        try:
            return await self.collection.find_one(wanted, {"out": 0})
        except Exception as error:
            if is_passing(error):
                raise Unavailable() from error
            raise

    def _state(self, document: Document) -> S:
        raw, schema = document["state"], document["schema"]
        while schema < self.aggregate.schema:
            raw = self.aggregate.upcasts[schema](raw)
            schema += 1
        return self.aggregate.state.model_validate(raw)

    async def _earlier(self, aggregate_id: str, context: Context) -> Written | None:
        document = await self._read({"_id": aggregate_id})
        return None if document is None else await self._repeated(document, context)

    async def _repeated(self, document: Document, context: Context) -> Written | None:
        """The first answer when this operation has been done already. Raises KeyReused for another body."""
        done = [entry for entry in document["history"] if entry["op"] == context.operation]
        if not done and document.get("archived"):
            done = await self.archive.of_operation(document["_id"], context.operation)
        if not done:
            return None
        if done[0].get("body", "") != context.body:
            raise KeyReused()
        return _written(document["_id"], done, repeated=True)

    async def _trim(self, aggregate_id: str) -> None:
        async with self._lock(aggregate_id):
            document = await self._load(aggregate_id, None)
            await self.archive.cut(self.collection, document)

    def _chore(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chore_done)

    def _chore_done(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and task.exception() is not None:
            LOG.warning("archive_postponed", error=type(task.exception()).__name__)  # the next write tries again

    def _lock(self, aggregate_id: str) -> asyncio.Lock:
        lock = self._locks.get(aggregate_id)
        if lock is None:
            lock = self._locks[aggregate_id] = asyncio.Lock()
        return lock


async def _give_way(attempt: int) -> None:
    """Let the other process finish, for a random and growing while, so that neither starves."""
    if attempt:
        await asyncio.sleep(random() * 0.002 * 2**attempt)


def _entry(
    event: Event,
    aggregate_id: str,
    seq: int,
    ordinal: int,
    place: tuple[str, list[str]],
    context: Context,
) -> Document:
    at: datetime = context.at
    unit, scope = place
    entry: Document = {
        "id": str(derived(aggregate_id, context.operation, context.body, str(ordinal))),
        "seq": seq,
        "type": f"{event.TYPE}.v{event.VERSION}",
        "at": at,
        "by": context.by,
        "op": context.operation,
        "unit": unit,
        "district": scope[0],
        "scope": scope,
        "data": event.model_dump(mode="json", exclude_none=True),
    }
    if context.body:
        entry["body"] = context.body
    if context.cause:
        entry["cause"] = context.cause
    if context.trace:
        entry["trace"] = context.trace
    return entry


def _written(aggregate_id: str, entries: list[Document], *, repeated: bool) -> Written:
    events = [(entry["type"], entry["data"]) for entry in entries]
    return Written(aggregate_id, entries[-1]["seq"], repeated, events)
