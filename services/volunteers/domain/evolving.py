"""The state of a service order after each of its events."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.case.deadlines import Deadline, Deadlines, Limit, due_list, promised, with_deadline, without
from services.kernel.events import Event
from services.volunteers.domain import order as events
from services.volunteers.domain.order import Limits, Order

TO_THE_END_OF_THE_DAY = Limit(n=1, unit="calendar_days")
NOON = time(12)


def evolve(state: Order | None, event: Event, at: datetime) -> Order:
    """The state after the event, with its due list."""
    if isinstance(event, events.OrderRequested):
        return _clocked(_requested(event))
    assert state is not None
    return _clocked(state.model_copy(update=_changes(state, event, at)))


def _requested(event: events.OrderRequested) -> Order:
    deadlines: Deadlines = ()
    if event.mode == "activity_day" and event.on is not None:
        deadlines = (_whole_day(event.on, event.zone),)
    return Order(
        unit=event.unit, stage="requested", mode=event.mode, line=event.line, case=event.case, resident=event.resident,
        named=event.volunteer, on=event.on, zone=event.zone, deadlines=deadlines,
        limits=Limits(answer=event.answer, service=event.service, confirmation=event.confirmation),
    )  # fmt: skip


def _whole_day(day: date, zone: str) -> Deadline:
    """Until the midnight after ``day``."""
    before = datetime.combine(day - timedelta(days=1), NOON, ZoneInfo(zone))
    return promised("activity-day", TO_THE_END_OF_THE_DAY, before, zone)


def _changes(state: Order, event: Event, at: datetime) -> dict[str, Any]:
    match event:
        case events.OrderMatched():
            return {"candidates": event.candidates}
        case events.OrderOffered():
            answer = promised("answer", state.limits.answer, at, state.zone).model_copy(update={"at": event.until})
            return {"stage": "offered", "volunteer": event.volunteer, "deadlines": with_deadline((), answer)}
        case events.OrderAccepted():
            return {"stage": "accepted", "volunteer": event.volunteer} | _running(state, "service", at)
        case events.OrderDeclined():
            return _without_volunteer(state, event.volunteer, event.last)
        case events.OrderExpired():
            return _without_volunteer(state, event.volunteer, event.last)
        case events.OrderDone():
            return {"stage": "done", "minutes": event.minutes} | _running(state, "confirmation", at)
        case events.OrderRedo():
            return {"stage": "accepted", "minutes": None} | _running(state, "service", at)
        case events.OrderConfirmed():
            return {"stage": "confirmed", "outcome": "confirmed", "deadlines": ()}
        case events.OrderCancelled():
            return {"stage": "cancelled", "outcome": "cancelled", "deadlines": ()}
        case events.OrderOverdue():
            return {"late": True, "deadlines": without(state.deadlines, event.name)}
    return {}


def _running(state: Order, name: str, at: datetime) -> dict[str, Any]:
    return {"deadlines": (promised(name, getattr(state.limits, name), at, state.zone),)}


def _without_volunteer(state: Order, volunteer: str | None, last: bool) -> dict[str, Any]:
    asked = (*state.asked, volunteer) if volunteer and volunteer not in state.asked else state.asked
    changes: dict[str, Any] = {"asked": asked, "volunteer": None}
    if last:
        return changes | {"stage": "unfilled", "outcome": "unfilled", "deadlines": ()}
    kept = (_whole_day(state.on, state.zone),) if state.on else ()
    return changes | {"stage": "requested", "deadlines": kept}


def _clocked(state: Order) -> Order:
    return state.model_copy(update={"due": due_list(state.deadlines)})
