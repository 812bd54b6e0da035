"""How a service describes an aggregate and itself to the chassis."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from services.kernel.events import Event, Happened, State

if TYPE_CHECKING:
    from fastapi import APIRouter
    from pydantic import TypeAdapter

    from services.chassis.consuming.reactions import Reactions
    from services.chassis.runtime import Runtime

S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class AggregateType(Generic[S]):
    """One kind of aggregate: a collection, a topic, a set of events and two pure functions.

    ``state`` must have ``unit: str``; when it has ``due: tuple[Due, ...]`` (``name``, ``at``, ``provisional``) the
    sweep turns each due entry into ``on_due(state, due)``, a command whose events must remove or move that entry.
    ``on_calendar(state)``: the command by which provisional deadlines are computed again, given once a day.
    ``keys``: look-up name to the purposes from whose sealed values its hashes are made; they go when any of these is
    erased. An empty tuple: hashes of nothing personal, such as a code made of the record's id; they stay.
    ``indexes``: field lists over the stored document, for example ``("state.stage", "-changed")``; the chassis puts
    ``scope`` in front of each. ``unscoped_indexes`` stand as given.
    """

    name: str
    state: type[S]
    events: tuple[type[Event], ...]
    decide: Callable[[S | None, Any, datetime], list[Happened]]
    evolve: Callable[[S | None, Event, datetime], S]
    schema: int = 1
    upcasts: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    on_due: Callable[[S, Any], Any] | None = None
    on_calendar: Callable[[S], Any] | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    indexes: tuple[tuple[str, ...], ...] = ()
    unscoped_indexes: tuple[tuple[str, ...], ...] = ()

    def event_type(self, name: str, version: int) -> type[Event] | None:
        """The class of a stored or published event, or None when it is not of this aggregate."""
        return next((e for e in self.events if name == e.TYPE and version == e.VERSION), None)

    def keys_of(self, names: Iterable[str], purposes: Collection[str]) -> list[str]:
        """Those of the look-up ``names`` that go when ``purposes`` are erased; one that nobody declares goes too."""
        return [name for name in names if name not in self.keys or not set(purposes).isdisjoint(self.keys[name])]


@dataclass(frozen=True)
class Text:
    """What a person is told for a code: Chinese first; ``{name}`` stands for a parameter."""

    zh: str
    en: str
    status: int = 409


@dataclass(frozen=True)
class Service:
    """A service as the chassis runs it."""

    name: str
    aggregates: tuple[AggregateType[Any], ...]
    routers: "tuple[APIRouter, ...]"
    permissions: Mapping[str, frozenset[str]]  # role to permissions
    texts: Mapping[str, Text]  # code to text
    reactions: "Reactions | None" = None
    indexes: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)  # of collections of its own
    prepare: "Callable[[Runtime], Awaitable[None]] | None" = None  # once per process, before it serves
    title: Text = Text("", "", 200)
    policies: "Mapping[str, TypeAdapter[Any]]" = field(default_factory=dict)  # key to the type that it is read as
    public_texts: Mapping[str, Text] = field(default_factory=dict)  # as ``texts``, for residents on open routes
