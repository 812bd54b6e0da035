"""What a service does when an event arrives: plain functions, found by the event's full type.

A reaction may be run more than once for one event (after a crash, a rebalance, a replay). What it does through
``Doing`` then takes no second effect: every command carries an operation made of the event's id, the reaction's name
and an ordinal, and ids of what is created are derived from it. What it writes by itself must be the same when repeated.
"""

import inspect
import re
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from services.chassis.context import Context
from services.chassis.contracts.wire import Envelope, Reader
from services.chassis.settings import Settings
from services.chassis.storage.driver import Collection
from services.chassis.storage.history import Written, id_for
from services.chassis.telemetry import current_trace

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

React = Callable[[Any, "Doing"], Awaitable[None]]
_TYPE = re.compile(r"linli\.([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_-]*)\.[a-z][a-z0-9_-]*\.v[1-9][0-9]*")


@dataclass(frozen=True)
class Reaction:
    """One function for one event type. ``name`` is part of every operation, so renaming it is a new reaction."""

    name: str
    event_type: str
    reader: type[Reader]
    run: React


class Reactions:
    """The reactions of one service (or of one part of the chassis), by full event type."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._by_type: dict[str, tuple[Reaction, ...]] = {}
        self._unversioned: set[str] = set()

    def on(self, full_type: str) -> Callable[[React], React]:
        """Register a function ``(event: SomeReader, do: Doing) -> None`` for ``linli.<service>.<agg>.<verb>.v<n>``.

        Raises ValueError for a malformed type, a name already taken for that type, or a first argument that is not
        annotated with a Reader.
        """
        if _TYPE.fullmatch(full_type) is None:
            raise ValueError(f"{full_type} is not the full type of an event")

        def register(function: React) -> React:
            name = str(getattr(function, "__name__", ""))
            self._add(Reaction(name, full_type, _reader(function), function))
            return function

        return register

    def include(self, other: "Reactions", part: str) -> None:
        """Take over the reactions of another part, for example ``units``; ``part`` goes before their names."""
        for reactions in other._by_type.values():
            for reaction in reactions:
                self._add(replace(reaction, name=f"{part}.{reaction.name}"))

    def of(self, full_type: str) -> tuple[Reaction, ...]:
        """The reactions to a type, in the order of their registration; empty when nobody reacts."""
        return self._by_type.get(full_type, ())

    def knows_other_version(self, full_type: str) -> bool:
        """Whether somebody reacts to this event, but not in this version: it must be parked, not passed over."""
        return full_type not in self._by_type and unversioned(full_type) in self._unversioned

    def types(self) -> list[str]:
        """The full types that somebody reacts to, sorted."""
        return sorted(self._by_type)

    def topics(self, settings: Settings) -> list[str]:
        """The topics that carry those types, sorted."""
        found = (_TYPE.fullmatch(full_type) for full_type in self._by_type)
        return sorted({settings.topic(each[1], each[2]) for each in found if each})

    def reader_of(self, full_type: str) -> type[Reader]:
        """What the first reaction to a type reads of it; raises KeyError when nobody reacts."""
        return self._by_type[full_type][0].reader

    def readers(self) -> list[tuple[str, type[Reader]]]:
        """Every (type, Reader) pair: what the contract tests hold against the published schemas."""
        return sorted(
            {(each.event_type, each.reader) for reactions in self._by_type.values() for each in reactions},
            key=lambda pair: (pair[0], pair[1].__name__),
        )

    def _add(self, reaction: Reaction) -> None:
        present = self._by_type.get(reaction.event_type, ())
        if any(each.name == reaction.name for each in present):
            raise ValueError(f"two reactions to {reaction.event_type} are named {reaction.name}")
        self._by_type[reaction.event_type] = (*present, reaction)
        self._unversioned.add(unversioned(reaction.event_type))


def unversioned(full_type: str) -> str:
    """The type without its version: ``linli.complaints.case.registered``."""
    return full_type.rpartition(".v")[0]


def _reader(function: React) -> type[Reader]:
    first = next(iter(inspect.signature(function).parameters.values()), None)
    annotation = SimpleNamespace(__annotations__={"event": first.annotation if first else None})
    reader = typing.get_type_hints(annotation, globalns=function.__globals__)["event"]
    if not (isinstance(reader, type) and issubclass(reader, Reader)):
        raise ValueError(f"the first argument of {function} must be annotated with a Reader")
    return reader


class Writes(Protocol):
    """Where a reaction's own writes leave together with those of the other events of its batch."""

    async def write(self, collection: str, operation: Any) -> None:
        """Send one of PyMongo's write operations; return when it is kept."""


class Doing:
    """What a reaction may do, for one event."""

    __slots__ = ("_reaction", "_writes", "envelope", "runtime")

    def __init__(self, envelope: Envelope, runtime: "Runtime", reaction: str, writes: Writes) -> None:
        self.envelope = envelope
        self.runtime = runtime
        self._reaction = reaction
        self._writes = writes

    def operation(self, ordinal: int = 0) -> str:
        """The name, for ever, of the ``ordinal``-th command of this reaction to this event."""
        return f"{self.envelope.id}|{self._reaction}|{ordinal}"

    def id_for(self, aggregate: str, ordinal: int = 0) -> str:
        """The id that ``create`` gives: the same at every repeat."""
        return id_for(aggregate, self.operation(ordinal))

    def context(self, ordinal: int = 0) -> Context:
        """The circumstances of the ``ordinal``-th command: by the service itself, caused by this event."""
        return Context(
            by=f"service:{self.runtime.service.name}",
            at=self.runtime.clock.now(),
            operation=self.operation(ordinal),
            cause=self.envelope.id,
            trace=current_trace(),
        )

    async def create(self, aggregate: str, unit: str, command: Any, ordinal: int = 0) -> Written:
        """Create one of the service's own aggregates; give each of several its own ``ordinal``."""
        context = self.context(ordinal)
        return await self.runtime.histories[aggregate].create(
            id_for(aggregate, context.operation), unit, command, context
        )

    async def change(self, aggregate: str, aggregate_id: str, command: Any, ordinal: int = 0) -> Written:
        """Change one of the service's own aggregates; give each of several commands its own ``ordinal``."""
        return await self.runtime.histories[aggregate].change(aggregate_id, command, self.context(ordinal))

    def collection(self, name: str) -> Collection:
        """A read model of the service's own. The effect must be the same when repeated, so guard it by sequence."""
        return self.runtime.database.collection(name)

    async def write(self, collection: str, operation: Any) -> None:
        """One write to a read model of the service's own, many times cheaper than one through ``collection``.

        ``operation`` is PyMongo's InsertOne, UpdateOne, ReplaceOne or DeleteOne; it leaves in one bulk write with
        those of the batch's other events. It must be the same when repeated and does not tell whether it matched; an
        insert of an ``_id`` that is there already is a repeat and passes.
        """
        await self._writes.write(collection, operation)
