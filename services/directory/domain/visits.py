"""Visits: a worker or an activist calls at a home, on the weekly day or any other, and listens.

What was said is sealed here. A visit may say that a concern was raised; the concern itself is recorded with the
complaints, with the visit's id, by the worker who heard it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from services.directory.domain.households import NOTHING, Sealed
from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Instant

Purpose = Literal["listen", "concernsDay", "verify", "care", "safety"]
NOTE = "note"  # the purpose under which what was said is sealed
TOLERANCE = timedelta(minutes=5)  # by which a tablet's clock may be ahead


class Recorded(Event):
    """A visit took place at ``on``. ``worker`` is a person's id; ``raised``: somebody raised a concern."""

    TYPE: ClassVar[str] = "visit.recorded"
    unit: str
    purpose: Purpose
    worker: str
    on: Instant
    household: str | None = None
    resident: str | None = None
    raised: bool = False


class Redacted(Event):
    """What was sealed has been erased."""

    TYPE: ClassVar[str] = "visit.redacted"


class Visit(State):
    """State of a visit."""

    unit: str
    purpose: Purpose
    worker: str
    on: Instant
    household: str | None = None
    resident: str | None = None
    raised: bool = False


@dataclass(frozen=True)
class Record:
    """``belongs``: whether the resident, if one is named with a household, is of that household."""

    unit: str
    purpose: Purpose
    worker: str
    on: datetime
    household: str | None = None
    resident: str | None = None
    raised: bool = False
    belongs: bool = True
    sealed: Sealed = NOTHING


def decide(state: Visit | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused."""
    if not isinstance(command, Record):
        raise AssertionError(f"no such command: {type(command).__name__}")
    if command.on > now + TOLERANCE:
        raise Refused("visit-in-future", "on")
    if not command.belongs:
        raise Refused("resident-of-another-household", "resident")
    event = Recorded(
        unit=command.unit,
        purpose=command.purpose,
        worker=command.worker,
        on=command.on,
        household=command.household,
        resident=command.resident,
        raised=command.raised,
    )
    return [command.sealed.beside(event)]


def evolve(state: Visit | None, event: Event, at: datetime) -> Visit:
    """The state after an event."""
    if isinstance(event, Recorded):
        return Visit(**dict(event))
    assert state is not None
    return state
