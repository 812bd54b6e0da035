"""Residents: one file for each person, sealed, found again by keyed hashes.

Invariants
* The public part says where a person belongs and how fresh the file is; who it is, how to reach them and what marks
  them is sealed, each for a purpose of its own. An event says only *that* markers changed.
* Two files of one person are merged into the elder one; the younger's id leads there for ever. Elder is decided by
  when the files were opened and then by id, which never changes: so no circle can arise, in whatever order merges run.
* A merged or closed file takes nothing more, except that a closed one may still be merged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from services.directory.domain.households import NOTHING, Sealed
from services.directory.domain.persons import IDENTITY, MARKERS
from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Instant

Reason = Literal["moved-away", "died", "mistaken"]


class Registered(Event):
    """A person is known. ``building`` is the unit where the household lives."""

    TYPE: ClassVar[str] = "resident.registered"
    household: str
    building: str


class Moved(Event):
    """The person lives elsewhere in the district: with the household, or in another one."""

    TYPE: ClassVar[str] = "resident.moved"
    household: str
    building: str


class MarkersChanged(Event):
    """Markers of the person changed; which, only the directory tells, to who may know."""

    TYPE: ClassVar[str] = "resident.markers_changed"
    household: str


class Corrected(Event):
    """Something sealed was corrected; ``purposes`` names what."""

    TYPE: ClassVar[str] = "resident.corrected"
    purposes: tuple[str, ...]


class Verified(Event):
    """Somebody saw for themselves that the file is right."""

    TYPE: ClassVar[str] = "resident.verified"
    household: str


class Merged(Event):
    """This file is a second one of the person of file ``into``."""

    TYPE: ClassVar[str] = "resident.merged"
    household: str
    into: str


class Closed(Event):
    """The person lives here no more, or lives no more."""

    TYPE: ClassVar[str] = "resident.closed"
    household: str
    reason: Reason


class Redacted(Event):
    """What was sealed has been erased; ``purposes`` names what."""

    TYPE: ClassVar[str] = "resident.redacted"
    purposes: tuple[str, ...] = ()


class Resident(State):
    """State of a resident's file."""

    unit: str
    household: str
    opened: Instant
    verified: Instant
    status: Literal["active", "merged", "closed"] = "active"
    merged_into: str | None = None


@dataclass(frozen=True)
class Register:
    """``sealed`` must hold an identity; with markers, their event follows at once."""

    household: str
    building: str
    sealed: Sealed


@dataclass(frozen=True)
class Correct:
    sealed: Sealed


@dataclass(frozen=True)
class SetMarkers:
    """The whole of the markers as they are from now on; ``sealed`` holds them and their hashes."""

    sealed: Sealed


@dataclass(frozen=True)
class Move:
    household: str
    building: str
    sealed: Sealed = NOTHING


@dataclass(frozen=True)
class Verify:
    pass


@dataclass(frozen=True)
class Merge:
    """``me`` and ``into`` are ids; ``opened`` and ``status`` are those of the file that stays."""

    me: str
    into: str
    opened: datetime
    status: str


@dataclass(frozen=True)
class Close:
    reason: Reason


def decide(state: Resident | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused."""
    if isinstance(command, Register):
        return _registered(command)
    assert state is not None
    if isinstance(command, Merge):
        return _merged(state, command)
    if state.status != "active":
        raise Refused("resident-merged" if state.status == "merged" else "resident-closed")
    return _decided(state, command)


def _registered(command: Register) -> list[Happened]:
    private = dict(command.sealed.private)
    if IDENTITY not in private:
        raise Refused("identity-missing", "name")
    markers = private.pop(MARKERS, None)
    keys = {name: hashes for name, hashes in command.sealed.keys.items() if name != MARKERS}
    first = Happened(Registered(household=command.household, building=command.building), private, keys)
    if markers is None:
        return [first]
    marked = {MARKERS: command.sealed.keys.get(MARKERS, [])}
    return [first, Happened(MarkersChanged(household=command.household), {MARKERS: markers}, marked)]


def _decided(state: Resident, command: Any) -> list[Happened]:
    match command:
        case Correct():
            return [command.sealed.beside(Corrected(purposes=tuple(sorted(command.sealed.private))))]
        case SetMarkers():
            return [command.sealed.beside(MarkersChanged(household=state.household))]
        case Move():
            if (command.household, command.building) == (state.household, state.unit):
                return []
            return [command.sealed.beside(Moved(household=command.household, building=command.building))]
        case Verify():
            return [Happened(Verified(household=state.household))]
        case Close():
            return [Happened(Closed(household=state.household, reason=command.reason))]
    raise AssertionError(f"no such command: {type(command).__name__}")


def _merged(state: Resident, command: Merge) -> list[Happened]:
    if state.status == "merged":
        if state.merged_into == command.into:
            return []
        raise Refused("resident-merged")
    if command.status == "merged":
        raise Refused("merge-into-merged", "into")
    if not is_elder((command.opened, command.into), (state.opened, command.me)):
        raise Refused("merge-into-younger", "into")
    return [Happened(Merged(household=state.household, into=command.into))]


def is_elder(one: tuple[datetime, str], other: tuple[datetime, str]) -> bool:
    """Whether the first (opened, id) is the elder file of the two: an order in which no circle can be made."""
    return one < other


def evolve(state: Resident | None, event: Event, at: datetime) -> Resident:
    """The state after an event."""
    if isinstance(event, Registered):
        return Resident(unit=event.building, household=event.household, opened=at, verified=at)
    assert state is not None
    match event:
        case Moved():
            return state.model_copy(update={"unit": event.building, "household": event.household, "verified": at})
        case Verified():
            return state.model_copy(update={"verified": at})
        case Merged():
            return state.model_copy(update={"status": "merged", "merged_into": event.into})
        case Closed():
            return state.model_copy(update={"status": "closed"})
    return state
