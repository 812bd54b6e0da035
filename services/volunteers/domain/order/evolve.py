"""The state of a service order after each of its events."""

from datetime import datetime
from typing import Any

from services.kernel.case.deadlines import Deadlines, Due, due_list, named, promised, with_deadline, without
from services.kernel.events import Event
from services.volunteers.domain.order import events as e
from services.volunteers.domain.order.clocks import ANSWER, CONFIRMATION, SERVICE, TERM
from services.volunteers.domain.order.state import WAITING, Order
from services.volunteers.domain.rules import Limits


def evolve(state: Order | None, event: Event, at: datetime) -> Order:
    """The state after the event, with its due list."""
    if isinstance(event, e.OrderRequested):
        return _clocked(_requested(event, at))
    assert state is not None
    return _clocked(state.model_copy(update=_changes(state, event, at)))


def _requested(event: e.OrderRequested, at: datetime) -> Order:
    limits = Limits(answer=event.answer, service=event.service, confirmation=event.confirmation)
    return Order(
        unit=event.unit,
        stage="requested",
        mode=event.mode,
        line=event.line,
        case=event.case,
        resident=event.resident,
        named=event.volunteer,
        on=event.on,
        start=event.start,
        end=event.end,
        zone=event.zone,
        requested=at,
        limits=limits,
    )


def _changes(state: Order, event: Event, at: datetime) -> dict[str, Any]:
    match event:
        case e.OrderDescribed():
            return {"described": True}
        case e.OrderMatched():
            return {"candidates": event.candidates}
        case e.OrderOffered():
            return {"stage": "offered", "volunteer": event.volunteer} | _running(state, ANSWER, at)
        case e.OrderAccepted():
            # who declined an activity day may come after all, and is then no longer one who was asked in vain
            asked = tuple(one for one in state.asked if one != event.volunteer)
            return {"stage": "accepted", "volunteer": event.volunteer, "asked": asked} | _served(state, at)
        case e.OrderDeclined() | e.OrderExpired():
            return _without_volunteer(state, event.last)
        case e.OrderDone():
            return {"stage": "done", "minutes": event.minutes} | _running(state, CONFIRMATION, at)
        case e.OrderRedo():
            return {"stage": "accepted", "minutes": None} | _served(state, at)
        case e.OrderConfirmed():
            return _ended("confirmed")
        case e.OrderCancelled():
            return _ended("cancelled")
        case e.OrderOverdue():
            return {"late": True, "deadlines": without(state.deadlines, event.name)}
        case e.OrderPromised():
            return {"deadlines": _moved(state.deadlines, event)}
    return {}


def _running(state: Order, name: str, at: datetime) -> dict[str, Any]:
    return {"deadlines": (promised(name, getattr(state.limits, name), at, state.zone),)}


def _served(state: Order, at: datetime) -> dict[str, Any]:
    """The time for a deed at a fixed time runs from its end: it cannot be late before."""
    return _running(state, SERVICE, max(at, state.ends or at))


def _without_volunteer(state: Order, last: bool) -> dict[str, Any]:
    asked = (*state.asked, state.volunteer) if state.volunteer else state.asked
    changes: dict[str, Any] = {"asked": asked, "volunteer": None}
    return changes | (_ended("unfilled") if last else {"stage": "requested", "deadlines": ()})


def _ended(how: str) -> dict[str, Any]:
    return {"stage": how, "outcome": how, "deadlines": ()}


def _moved(deadlines: Deadlines, event: e.OrderPromised) -> Deadlines:
    changes = {"at": event.at, "provisional": event.provisional}
    return with_deadline(deadlines, named(deadlines, event.name).model_copy(update=changes))


def _clocked(state: Order) -> Order:
    due = due_list(state.deadlines)
    if state.stage in WAITING and state.until is not None:
        due = tuple(sorted((*due, Due(name=TERM, at=state.until)), key=lambda one: (one.at, one.name)))
    return state.model_copy(update={"due": due})
