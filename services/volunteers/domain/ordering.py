"""What may be asked of a service order, and what follows: ``decide`` and ``evolve``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.kernel.case.deadlines import Due, promised
from services.kernel.case.workflow import take_step
from services.kernel.events import Event, Happened, Refused
from services.volunteers.domain import order as events
from services.volunteers.domain.order import Limits, Mode, Order
from services.volunteers.domain.workflow import COORDINATOR, ORDER, RESIDENT, VOLUNTEER

LONGEST_DEED = 24 * 60  # minutes in one booking


@dataclass(frozen=True, slots=True)
class Request:
    """Ask for a deed. ``task`` (what, where, for whom) is sealed; ``keys`` hold the hash of the resident's code."""

    unit: str
    mode: Mode
    line: str
    zone: str
    limits: Limits
    task: dict[str, str]
    keys: dict[str, list[str]]
    case: str | None = None
    resident: str | None = None
    volunteer: str | None = None
    on: Any = None


@dataclass(frozen=True, slots=True)
class Match:
    """Who may be asked, best first, as matching ranked them."""

    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accept:
    """The volunteer takes it: the one it was offered to, or, on an activity day, any who fits."""

    volunteer: str
    fits: bool = True


@dataclass(frozen=True, slots=True)
class Decline:
    """The volunteer does not take it, or cannot go after all."""

    volunteer: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportDone:
    """Done, in ``minutes`` actually given."""

    volunteer: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Confirm:
    """The resident agrees, or a worker asked."""

    by: Literal["resident", "callback"]


@dataclass(frozen=True, slots=True)
class Redo:
    """It is not done."""

    by: Literal["resident", "callback"]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Not wanted any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """A promised time has come."""

    due: Due


def decide(state: Order | None, command: Any, now: datetime) -> list[Happened]:
    """What the command makes happen. Refused: the codes of the workflow and those named in each function below."""
    if isinstance(command, Request):
        return _request(command)
    if state is None:
        raise Refused("not-found")
    return _DECIDED[type(command)](state, command, now)


def _request(command: Request) -> list[Happened]:
    if command.mode == "by_name" and not command.volunteer:
        raise Refused("volunteer-not-named", "volunteer")
    if command.mode == "activity_day" and command.on is None:
        raise Refused("activity-day-missing", "on")
    requested = events.OrderRequested(
        line=command.line, mode=command.mode, unit=command.unit, case=command.case, resident=command.resident,
        volunteer=command.volunteer if command.mode == "by_name" else None, on=command.on, zone=command.zone,
        answer=command.limits.answer, service=command.limits.service, confirmation=command.limits.confirmation,
    )  # fmt: skip
    return [Happened(requested, {"task": command.task} if command.task else {}, command.keys)]


def _match(state: Order, command: Match, now: datetime) -> list[Happened]:
    take_step(ORDER, state.stage, "offer", [COORDINATOR])
    if state.mode == "activity_day":
        raise Refused("activity-day-is-open", "mode")
    if state.stage == "offered":
        raise Refused("offer-open", "volunteer", volunteer=state.volunteer)
    left = tuple(one for one in command.candidates if one not in state.asked)
    if state.mode == "by_name":
        left = tuple(one for one in left if one == state.named)
    matched = Happened(events.OrderMatched(candidates=left))
    return [matched, _next_or_end(state, left, now, events.OrderExpired(last=True, case=state.case))]


def _next_or_end(state: Order, left: tuple[str, ...], now: datetime, ending: Event) -> Happened:
    if not left:
        return Happened(ending)
    until = promised("answer", state.limits.answer, now, state.zone).at
    return Happened(events.OrderOffered(volunteer=left[0], until=until, case=state.case))


def _accept(state: Order, command: Accept, now: datetime) -> list[Happened]:
    take_step(ORDER, state.stage, "accept", [VOLUNTEER])
    if state.stage == "offered" and state.volunteer != command.volunteer:
        raise Refused("offer-not-yours", "volunteer")
    if state.stage == "requested" and state.mode != "activity_day":
        raise Refused("offer-none", "volunteer")
    if not command.fits:
        raise Refused("volunteer-unfit", "volunteer", line=state.line)
    return [Happened(events.OrderAccepted(volunteer=command.volunteer, case=state.case))]


def _decline(state: Order, command: Decline, now: datetime) -> list[Happened]:
    if state.stage not in ("offered", "accepted") or state.volunteer != command.volunteer:
        raise Refused("offer-not-yours", "volunteer")
    left = tuple(one for one in state.candidates if one not in (*state.asked, command.volunteer))
    reopened = state.mode == "activity_day"
    declined = events.OrderDeclined(
        volunteer=command.volunteer, reason=command.reason, last=not (left or reopened), case=state.case
    )
    if not left or reopened:
        return [Happened(declined)]
    return [Happened(declined), _next_or_end(state, left, now, declined)]


def _report(state: Order, command: ReportDone, now: datetime) -> list[Happened]:
    take_step(ORDER, state.stage, "report-done", [VOLUNTEER], ("minutes",))
    if state.volunteer != command.volunteer:
        raise Refused("order-not-yours", "volunteer")
    if not 0 < command.minutes <= LONGEST_DEED:
        raise Refused("minutes-out-of-range", "minutes", most=LONGEST_DEED)
    return [Happened(events.OrderDone(volunteer=command.volunteer, minutes=command.minutes, case=state.case))]


def _confirm(state: Order, command: Confirm, now: datetime) -> list[Happened]:
    take_step(ORDER, state.stage, "confirm", [RESIDENT if command.by == "resident" else COORDINATOR])
    assert state.volunteer is not None and state.minutes is not None
    confirmed = events.OrderConfirmed(
        volunteer=state.volunteer, minutes=state.minutes, line=state.line, by=command.by, case=state.case
    )
    return [Happened(confirmed)]


def _redo(state: Order, command: Redo, now: datetime) -> list[Happened]:
    take_step(ORDER, state.stage, "redo", [RESIDENT if command.by == "resident" else COORDINATOR])
    assert state.volunteer is not None
    return [Happened(events.OrderRedo(volunteer=state.volunteer, case=state.case))]


def _cancel(state: Order, command: Cancel, now: datetime) -> list[Happened]:
    take_step(ORDER, state.stage, "cancel", [COORDINATOR])
    return [Happened(events.OrderCancelled(reason=command.reason, case=state.case))]


def _overdue(state: Order, command: Overdue, now: datetime) -> list[Happened]:
    """What follows counts from ``due.at``, not from now."""
    name, at = command.due.name, command.due.at
    if name == "answer":
        left = tuple(one for one in state.candidates if one not in (*state.asked, state.volunteer))
        expired = events.OrderExpired(volunteer=state.volunteer, last=not left, case=state.case)
        return [Happened(expired)] + ([_next_or_end(state, left, at, expired)] if left else [])
    if name == "activity-day":
        return [Happened(events.OrderExpired(last=True, case=state.case))]
    return [Happened(events.OrderOverdue(name=name, due=at, case=state.case))]


_DECIDED: dict[type, Callable[[Order, Any, datetime], list[Happened]]] = {
    Match: _match,
    Accept: _accept,
    Decline: _decline,
    ReportDone: _report,
    Confirm: _confirm,
    Redo: _redo,
    Cancel: _cancel,
    Overdue: _overdue,
}
