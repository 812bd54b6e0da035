"""A promised time that passes is an event like any other."""

from datetime import datetime

from services.kernel.case.deadlines import Deadline, Due, recomputed
from services.kernel.events import Happened
from services.volunteers.domain.order import events as e
from services.volunteers.domain.order.commands import Overdue, Recompute
from services.volunteers.domain.order.state import Order

TERM = "term"  # the time at which nobody can take the order any more
ANSWER, SERVICE, CONFIRMATION = "answer", "service", "confirmation"


def on_due(state: Order, due: Due) -> Overdue:
    """The command that a due entry becomes."""
    return Overdue(due)


def on_calendar(state: Order) -> Recompute:
    """The command by which provisional times are computed again."""
    return Recompute()


def overdue(state: Order, command: Overdue, now: datetime) -> list[Happened]:
    """What passes with the time. Nothing when it has been moved or met meanwhile."""
    if command.due not in state.due or command.due.at > now:
        return []
    if command.due.name == TERM:
        return [Happened(e.OrderExpired(volunteer=state.volunteer, last=True, case=state.case))]
    moved = recomputed(next(one for one in state.deadlines if one.name == command.due.name))
    if moved.at > now:
        return [_promised_anew(moved)]
    if moved.name == ANSWER:
        last = state.hopeless(now)
        return [Happened(e.OrderExpired(volunteer=state.volunteer, last=last, case=state.case))]
    return [Happened(e.OrderOverdue(name=moved.name, due=moved.at, provisional=moved.provisional, case=state.case))]


def recompute(state: Order, command: Recompute, now: datetime) -> list[Happened]:
    """Each provisional time as the calendar has it now."""
    pairs = ((deadline, recomputed(deadline)) for deadline in state.deadlines)
    return [_promised_anew(moved) for deadline, moved in pairs if moved != deadline]


def _promised_anew(deadline: Deadline) -> Happened:
    return Happened(e.OrderPromised(name=deadline.name, at=deadline.at, provisional=deadline.provisional))
