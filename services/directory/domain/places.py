"""Places: organisations and service points that have their place in the district, by kinds that are data.

Stationed units, social and mass organisations, residents' committees, counterparties such as water or property
companies, and points where a service is given obey the same rules: they are known under a name, stand under a unit,
lie in at most one grid at a time, and have a contact that is sealed. A kind says what else must be told.

Invariants
* A place lies in at most one grid on any day; a new one ends the earlier.
* A point of service has a position; a counterparty has a service promise and a supervisor other than itself.
* A closed place takes nothing more.
"""

from dataclasses import dataclass
from datetime import date, datetime
from math import asin, cos, radians, sin, sqrt
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from services.directory.domain.households import NOTHING, Sealed
from services.kernel.events import Event, Happened, Refused, State, Value
from services.kernel.values import Day, Part, Whole

Family = Literal["organisation", "counterparty", "point", "body"]
KINDS: dict[str, Family] = {
    "stationed-unit": "organisation",
    "new-economic-organisation": "organisation",
    "new-social-organisation": "organisation",
    "volunteer-organisation": "organisation",
    "mass-organisation": "organisation",
    "party-organisation": "organisation",
    "residents-committee": "body",
    "owners-committee": "body",
    "water": "counterparty",
    "power": "counterparty",
    "gas": "counterparty",
    "heating": "counterparty",
    "property-company": "counterparty",
    "party-service-station": "point",
    "health-station": "point",
    "police-room": "point",
    "convenience-centre": "point",
}
CONTACT = "contact"  # the purpose under which the contact person is sealed


class Position(Value):
    """A position in millionths of a degree (WGS 84): integers, so that equal positions are equal."""

    latitude: Whole = Field(ge=-90_000_000, le=90_000_000)
    longitude: Whole = Field(ge=-180_000_000, le=180_000_000)


class Registered(Event):
    """A place is known. ``serves`` are the categories of concern it answers for, ``promise_hours`` how fast."""

    TYPE: ClassVar[str] = "place.registered"
    kind: str
    name: str
    unit: str
    line: str | None = None
    offers: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    promise_hours: int | None = None
    supervisor: str | None = None
    position: Position | None = None


class Changed(Event):
    """Other facts of the place, whole as they are from now on."""

    TYPE: ClassVar[str] = "place.changed"
    name: str
    line: str | None = None
    offers: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    promise_hours: int | None = None
    supervisor: str | None = None
    position: Position | None = None


class Gridded(Event):
    """The place lies in a grid from a day on, and in no other any more."""

    TYPE: ClassVar[str] = "place.gridded"
    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)
    grid: str
    since: Day = Field(alias="from")


class Closed(Event):
    """The place is no more."""

    TYPE: ClassVar[str] = "place.closed"
    reason: str


class Redacted(Event):
    """What was sealed has been erased."""

    TYPE: ClassVar[str] = "place.redacted"


class Membership(Part):
    """In which grid the place lay, over which days; ``until`` is the first day it did not."""

    grid: str
    since: Day
    until: Day | None = None


class Place(State):
    """State of a place; ``family`` follows from its kind, ``grid`` is the present one."""

    unit: str
    kind: str
    family: Family
    name: str
    line: str | None = None
    offers: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    promise_hours: int | None = None
    supervisor: str | None = None
    position: Position | None = None
    grid: str | None = None
    grids: tuple[Membership, ...] = ()
    status: Literal["active", "closed"] = "active"


@dataclass(frozen=True)
class Facts:
    """What may be told of a place, whole."""

    name: str
    line: str | None = None
    offers: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    promise_hours: int | None = None
    supervisor: str | None = None
    position: Position | None = None

    def fields(self) -> dict[str, Any]:
        """The same, as fields of an event."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Register:
    id: str
    kind: str
    unit: str
    facts: Facts
    sealed: Sealed = NOTHING


@dataclass(frozen=True)
class Change:
    id: str
    facts: Facts
    sealed: Sealed = NOTHING


@dataclass(frozen=True)
class PutInGrid:
    """``same_community``: whether the grid belongs to the community of the place, or the place to none."""

    grid: str
    is_grid: bool
    same_community: bool
    since: date


@dataclass(frozen=True)
class Close:
    reason: str


def decide(state: Place | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused."""
    if isinstance(command, Register):
        if command.kind not in KINDS:
            raise Refused("place-kind-unknown", "kind", allowed=list(KINDS))
        _refuse_incomplete(KINDS[command.kind], command.id, command.facts)
        event = Registered(kind=command.kind, unit=command.unit, **command.facts.fields())
        return [command.sealed.beside(event)]
    assert state is not None
    if state.status == "closed":
        raise Refused("place-closed")
    match command:
        case Change():
            _refuse_incomplete(state.family, command.id, command.facts)
            return [command.sealed.beside(Changed(**command.facts.fields()))]
        case PutInGrid():
            return _gridded(state, command)
        case Close():
            return [Happened(Closed(reason=command.reason))]
    raise AssertionError(f"no such command: {type(command).__name__}")


def _refuse_incomplete(family: Family, own: str, facts: Facts) -> None:
    if facts.supervisor == own:
        raise Refused("supervisor-is-itself", "supervisor")
    if family == "point" and facts.position is None:
        raise Refused("position-missing", "position")
    if family == "counterparty" and (facts.promise_hours is None or facts.promise_hours < 1):
        raise Refused("promise-missing", "promise_hours")
    if family == "counterparty" and not facts.supervisor:
        raise Refused("supervisor-missing", "supervisor")


def _gridded(state: Place, command: PutInGrid) -> list[Happened]:
    if not command.is_grid:
        raise Refused("not-a-grid", "grid")
    if not command.same_community:
        raise Refused("grid-of-another-community", "grid")
    if command.grid == state.grid:
        return []
    if state.grids and command.since < state.grids[-1].since:
        raise Refused("from-before-present", "from")
    return [Happened(Gridded(grid=command.grid, since=command.since))]


def evolve(state: Place | None, event: Event, at: datetime) -> Place:
    """The state after an event."""
    if isinstance(event, Registered):
        return Place(family=KINDS[event.kind], **dict(event))
    assert state is not None
    match event:
        case Changed():
            return state.model_copy(update=dict(event))
        case Gridded():
            ended = tuple(
                one if one.until is not None else one.model_copy(update={"until": event.since}) for one in state.grids
            )
            grids = (*ended, Membership(grid=event.grid, since=event.since))
            return state.model_copy(update={"grid": event.grid, "grids": grids})
        case Closed():
            return state.model_copy(update={"status": "closed"})
    return state


def metres_between(one: Position, other: Position) -> int:
    """The great-circle distance in whole metres, on a sphere of 6,371 km."""
    def angle(micro: int) -> float:
        return radians(micro / 1_000_000)

    north = angle(other.latitude - one.latitude)
    east = angle(other.longitude - one.longitude)
    chord = sin(north / 2) ** 2 + cos(angle(one.latitude)) * cos(angle(other.latitude)) * sin(east / 2) ** 2
    return round(2 * 6_371_000 * asin(sqrt(min(1.0, chord))))
