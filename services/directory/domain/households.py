"""Households: who lives behind one door, under which tenure.

Invariants
* A household lives in one place; its door is sealed, and one open household has one door.
* Only a rented or floating household has a tenancy with an end; when it ends, a re-check falls due by itself and stays
  due until somebody verifies the household or records its new tenure.
* A closed household takes nothing but the erasure of what is sealed.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Literal

from services.kernel.case.deadlines import Due
from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Day, Instant, zone_named

Tenure = Literal["permanent", "floating", "rented"]
Reason = Literal["moved-away", "demolished", "merged", "mistaken"]
TENANCY_END = "tenancy-end"
ADDRESS = "address"  # the purpose under which the door is sealed


class Registered(Event):
    """A household is known. ``building`` is the unit it lives in, ``size`` how many persons were counted."""

    TYPE: ClassVar[str] = "household.registered"
    building: str
    tenure: Tenure
    size: int
    until: Day | None = None
    zone: str | None = None


class Moved(Event):
    """The household lives elsewhere, in the same district."""

    TYPE: ClassVar[str] = "household.moved"
    building: str


class TenureChanged(Event):
    """Another tenure, or another end of the tenancy."""

    TYPE: ClassVar[str] = "household.tenure_changed"
    tenure: Tenure
    until: Day | None = None
    zone: str | None = None


class Corrected(Event):
    """What was recorded wrongly is right now: the size, or something sealed."""

    TYPE: ClassVar[str] = "household.corrected"
    size: int


class Verified(Event):
    """Somebody saw for themselves that the record is right."""

    TYPE: ClassVar[str] = "household.verified"


class RecheckDue(Event):
    """The tenancy has ended: who lives there now?"""

    TYPE: ClassVar[str] = "household.recheck_due"


class Closed(Event):
    """The household is no more."""

    TYPE: ClassVar[str] = "household.closed"
    reason: Reason


class Redacted(Event):
    """What was sealed has been erased."""

    TYPE: ClassVar[str] = "household.redacted"


class Household(State):
    """State of a household; ``until`` is the last day of the tenancy."""

    unit: str
    tenure: Tenure
    size: int
    until: Day | None = None
    due: tuple[Due, ...] = ()
    recheck: bool = False
    verified: Instant
    status: Literal["active", "closed"] = "active"


@dataclass(frozen=True)
class Sealed:
    """What is kept sealed beside an event, by purpose, and the keyed hashes to find it by."""

    private: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)

    def beside(self, event: Event) -> Happened:
        """The event with these beside it."""
        return Happened(event, self.private, self.keys)


NOTHING = Sealed()


@dataclass(frozen=True)
class Register:
    """``zone`` is the district's: the tenancy ends when its last day does, there."""

    building: str
    tenure: Tenure
    size: int
    zone: str
    until: date | None = None
    sealed: Sealed = NOTHING


@dataclass(frozen=True)
class Move:
    building: str
    sealed: Sealed = NOTHING


@dataclass(frozen=True)
class ChangeTenure:
    tenure: Tenure
    zone: str
    until: date | None = None


@dataclass(frozen=True)
class Correct:
    size: int
    sealed: Sealed = NOTHING


@dataclass(frozen=True)
class Verify:
    pass


@dataclass(frozen=True)
class Recheck:
    """What the clock says when a tenancy has ended."""


@dataclass(frozen=True)
class Close:
    """``residents``: active residents who still belong to the household."""

    reason: Reason
    residents: int


def decide(state: Household | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused."""
    if isinstance(command, Register):
        until = _tenancy(command.tenure, command.until)
        zone = command.zone if until else None
        event = Registered(
            building=command.building, tenure=command.tenure, size=command.size, until=until, zone=zone
        )
        return [command.sealed.beside(event)]
    assert state is not None
    if state.status == "closed":
        raise Refused("household-closed")
    return _decided(state, command)


def _decided(state: Household, command: Any) -> list[Happened]:
    match command:
        case Move():
            return [command.sealed.beside(Moved(building=command.building))]
        case ChangeTenure():
            return _tenure(state, command)
        case Correct():
            return [command.sealed.beside(Corrected(size=command.size))]
        case Verify():
            return [Happened(Verified())]
        case Recheck():
            return [Happened(RecheckDue())] if state.due else []
        case Close():
            if command.residents:
                raise Refused("household-not-empty", count=command.residents)
            return [Happened(Closed(reason=command.reason))]
    raise AssertionError(f"no such command: {type(command).__name__}")


def _tenure(state: Household, command: ChangeTenure) -> list[Happened]:
    until = _tenancy(command.tenure, command.until)
    if (command.tenure, until) == (state.tenure, state.until) and not state.recheck:
        return []
    return [Happened(TenureChanged(tenure=command.tenure, until=until, zone=command.zone if until else None))]


def _tenancy(tenure: Tenure, until: date | None) -> date | None:
    if until is not None and tenure == "permanent":
        raise Refused("tenancy-of-permanent-household", "until")
    return until


def on_due(state: Household, due: Due) -> Recheck:
    """What the sweep commands when the tenancy has ended."""
    return Recheck()


def evolve(state: Household | None, event: Event, at: datetime) -> Household:
    """The state after an event."""
    if isinstance(event, Registered):
        return Household(
            unit=event.building,
            tenure=event.tenure,
            size=event.size,
            until=event.until,
            due=_due(event.until, event.zone),
            verified=at,
        )
    assert state is not None
    return state.model_copy(update=_changes(event, at))


def _changes(event: Event, at: datetime) -> dict[str, Any]:
    match event:
        case Moved():
            return {"unit": event.building, "verified": at}
        case TenureChanged():
            due = _due(event.until, event.zone)
            return {"tenure": event.tenure, "until": event.until, "due": due, "recheck": False, "verified": at}
        case Corrected():
            return {"size": event.size}
        case Verified():
            return {"recheck": False, "verified": at}
        case RecheckDue():
            return {"recheck": True, "due": ()}
        case Closed():
            return {"status": "closed", "due": (), "recheck": False}
    return {}


def _due(until: date | None, zone: str | None) -> tuple[Due, ...]:
    if until is None or zone is None:
        return ()
    midnight = datetime.combine(until + timedelta(days=1), time.min, zone_named(zone))
    return (Due(name=TENANCY_END, at=midnight),)
