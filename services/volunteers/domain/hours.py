"""Hours of service (志愿服务时长): minutes actually given, booked once for a deed, corrected by a counter-entry.

One aggregate for each deed of a volunteer, so nothing grows without end; its id is derived from the order and the
volunteer, so a deed is booked once however often its confirmation arrives. Entries are never edited (rules on records
of volunteer service, 2021: time actually given; recorded within ten working days; correction on request).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Code, Instant, Part


class HoursBooked(Event):
    """The first entry. ``minutes`` > 0."""

    TYPE: ClassVar[str] = "hours.booked"
    volunteer: str
    order: str
    line: str
    unit: str
    minutes: int
    case: str | None = None


class HoursCorrected(Event):
    """A counter-entry; ``minutes`` may be negative, the total after it may not."""

    TYPE: ClassVar[str] = "hours.corrected"
    volunteer: str
    order: str
    minutes: int
    total: int
    reason: str


EVENTS = (HoursBooked, HoursCorrected)


class Entry(Part):
    """One posting. ``by`` stands in the history, not here."""

    minutes: int
    at: Instant
    reason: Code


class Hours(State):
    """The postings of one deed; their sum is what counts."""

    unit: str
    volunteer: Code
    order: Code
    line: Code
    entries: tuple[Entry, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Book:
    """Book a confirmed deed."""

    unit: str
    volunteer: str
    order: str
    line: str
    minutes: int
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Correct:
    """Set the total right by a counter-entry of the difference."""

    total: int
    reason: str


def decide(state: Hours | None, command: Any, now: datetime) -> list[Happened]:
    """Refused: ``minutes-out-of-range``, ``total-unchanged``, ``reason-missing``."""
    if isinstance(command, Book):
        if command.minutes <= 0:
            raise Refused("minutes-out-of-range", "minutes")
        booked = HoursBooked(
            volunteer=command.volunteer, order=command.order, line=command.line, minutes=command.minutes,
            unit=command.unit, case=command.case,
        )  # fmt: skip
        return [Happened(booked)]
    if state is None:
        raise Refused("not-found")
    if not command.reason:
        raise Refused("reason-missing", "reason")
    if command.total < 0 or command.total > 24 * 60:
        raise Refused("minutes-out-of-range", "total", most=24 * 60)
    if command.total == state.total:
        raise Refused("total-unchanged", "total")
    corrected = HoursCorrected(
        volunteer=state.volunteer, order=state.order, minutes=command.total - state.total, total=command.total,
        reason=command.reason,
    )  # fmt: skip
    return [Happened(corrected)]


def evolve(state: Hours | None, event: Event, at: datetime) -> Hours:
    """The state after the event."""
    if isinstance(event, HoursBooked):
        first = Entry(minutes=event.minutes, at=at, reason="deed-confirmed")
        return Hours(
            unit=event.unit, volunteer=event.volunteer, order=event.order, line=event.line, entries=(first,),
            total=event.minutes,
        )  # fmt: skip
    assert state is not None and isinstance(event, HoursCorrected)
    entry = Entry(minutes=event.minutes, at=at, reason=event.reason)
    return state.model_copy(update={"entries": (*state.entries, entry), "total": state.total + event.minutes})
