"""Hours of service (志愿服务时长): minutes actually given, booked once for a deed, corrected by a counter-entry.

One account for each deed of a volunteer, so nothing grows without end; its id is derived from the order and the
volunteer, so a deed is booked once however often its confirmation arrives. A correction takes the standing entry back
whole, by a counter-entry, and posts the right one. Source: rules on records of volunteer service, 2021 (time actually
given; the volunteer may look at it and ask for correction).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from services.kernel.account import Account, Entry, Leg, Opening, Posted, counter, opened, post
from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Code, Instant

MINUTES = "minutes"
GIVEN = "time-given"  # where minutes come from: the other side of every entry
LONGEST = 24 * 60  # minutes of one deed
CorrectionReason = Literal["mistyped", "miscounted", "not-served", "asked"]
KeepReason = Literal["record-is-right", "not-shown"]


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
    """The total is another: ``minutes`` is the difference, often negative, ``total`` what counts now."""

    TYPE: ClassVar[str] = "hours.corrected"
    volunteer: str
    order: str
    minutes: int
    total: int
    reason: str


class HoursCorrectionAsked(Event):
    """The volunteer says that ``total`` would be right."""

    TYPE: ClassVar[str] = "hours.correction_asked"
    volunteer: str
    order: str
    total: int


class HoursKept(Event):
    """The correction that was asked for is not made."""

    TYPE: ClassVar[str] = "hours.kept"
    volunteer: str
    order: str
    reason: str


class HoursRedacted(Event):
    """Personal data of this record were erased."""

    TYPE: ClassVar[str] = "hours.redacted"
    purposes: tuple[str, ...]


EVENTS = (HoursBooked, HoursCorrected, HoursCorrectionAsked, HoursKept, HoursRedacted)


class Hours(State):
    """The account of one deed. ``asked``: the total that the volunteer asks for; ``disputed`` while it stands."""

    unit: str
    volunteer: Code
    order: Code
    line: Code
    case: Code | None = None
    booked: Instant
    account: Account
    total: int
    asked: int | None = None
    disputed: bool = False


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
    """Set the total right. ``worker``: who corrects, as a volunteer, if an entry exists. ``note`` is sealed."""

    total: int
    reason: CorrectionReason
    worker: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AskCorrection:
    """The volunteer asks for another total. ``note`` says why and is sealed."""

    volunteer: str
    total: int
    note: str


@dataclass(frozen=True, slots=True)
class Keep:
    """The total stays as it is, though another was asked for."""

    reason: KeepReason
    worker: str | None = None


def decide(state: Hours | None, command: Any, now: datetime) -> list[Happened]:
    """Refused: ``minutes-out-of-range``, ``total-unchanged``, ``hours-not-yours``, ``own-deed`` (nobody corrects his
    own), ``correction-none``."""
    if isinstance(command, Book):
        return _book(command)
    if state is None:
        raise Refused("not-found")
    return _DECIDED[type(command)](state, command)


def _book(command: Book) -> list[Happened]:
    _refuse_out_of_range(command.minutes, 1, "minutes")
    booked = HoursBooked(
        volunteer=command.volunteer,
        order=command.order,
        line=command.line,
        minutes=command.minutes,
        unit=command.unit,
        case=command.case,
    )
    return [Happened(booked)]


def _correct(state: Hours, command: Correct) -> list[Happened]:
    _refuse_own(state, command.worker)
    _refuse_same(state, command.total)
    corrected = HoursCorrected(
        volunteer=state.volunteer,
        order=state.order,
        minutes=command.total - state.total,
        total=command.total,
        reason=command.reason,
    )
    return [Happened(corrected, {"note": {"text": command.note}} if command.note else {})]


def _ask(state: Hours, command: AskCorrection) -> list[Happened]:
    if command.volunteer != state.volunteer:
        raise Refused("hours-not-yours")
    _refuse_same(state, command.total)
    asked = HoursCorrectionAsked(volunteer=state.volunteer, order=state.order, total=command.total)
    return [Happened(asked, {"request": {"text": command.note}} if command.note else {})]


def _keep(state: Hours, command: Keep) -> list[Happened]:
    _refuse_own(state, command.worker)
    if not state.disputed:
        raise Refused("correction-none")
    return [Happened(HoursKept(volunteer=state.volunteer, order=state.order, reason=command.reason))]


def _refuse_own(state: Hours, worker: str | None) -> None:
    if worker is not None and worker == state.volunteer:
        raise Refused("own-deed")


def _refuse_same(state: Hours, total: int) -> None:
    _refuse_out_of_range(total, 0, "total")
    if total == state.total:
        raise Refused("total-unchanged", "total")


def _refuse_out_of_range(minutes: int, least: int, field: str) -> None:
    if not least <= minutes <= LONGEST:
        raise Refused("minutes-out-of-range", field, most=LONGEST)


def evolve(state: Hours | None, event: Event, at: datetime) -> Hours:
    """The state after the event."""
    if isinstance(event, HoursBooked):
        return _opened(event, at)
    assert state is not None
    match event:
        case HoursCorrected():
            account = _set_right(state, event.total, at)
            return state.model_copy(
                update={"account": account, "total": account.balance, "asked": None, "disputed": False}
            )
        case HoursCorrectionAsked():
            return state.model_copy(update={"asked": event.total, "disputed": True})
        case HoursKept():
            return state.model_copy(update={"asked": None, "disputed": False})
    return state


def _opened(event: HoursBooked, at: datetime) -> Hours:
    terms = Opening(id=event.order, owner=event.volunteer, kind=MINUTES, period=event.order)
    account = post(opened(terms), _entry(event.order, event.volunteer, 1, event.minutes, event.line, at))
    return Hours(
        unit=event.unit,
        volunteer=event.volunteer,
        order=event.order,
        line=event.line,
        case=event.case,
        booked=at,
        account=account,
        total=account.balance,
    )


def _set_right(state: Hours, total: int, at: datetime) -> Account:
    """The standing entry taken back, and the right one posted."""
    account = state.account
    standing = next((one for one in account.posted if one.reversed_by is None and one.n > 0), None)
    if standing is not None:
        account = post(account, _counter(state, standing, len(account.posted) + 1, at))
    if total:
        number = len(account.posted) + 1
        account = post(account, _entry(state.order, state.volunteer, number, total, state.line, at))
    return account


def _counter(state: Hours, standing: Posted, number: int, at: datetime) -> Entry:
    entry = _entry(state.order, state.volunteer, int(standing.entry), standing.n, state.line, at)
    return counter(entry, str(number), state.volunteer, at)


def _entry(order: str, volunteer: str, number: int, minutes: int, line: str, at: datetime) -> Entry:
    """The ``number``-th entry of the deed; its first cause is the order, later ones are corrections."""
    legs = (Leg(account=order, kind=MINUTES, n=minutes), Leg(account=GIVEN, kind=MINUTES, n=-minutes))
    return Entry(id=str(number), cause=f"{order}|{number}", purpose=line, legs=legs, by=volunteer, at=at)


_DECIDED: dict[type, Callable[[Hours, Any], list[Happened]]] = {
    Correct: _correct,
    AskCorrection: _ask,
    Keep: _keep,
}
