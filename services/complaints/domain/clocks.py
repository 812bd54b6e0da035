"""A promised time that passes is an event like any other; what follows from it counts from that time, not from now."""

from datetime import datetime

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.complaints.domain.rules import CALLBACK, REPLY
from services.complaints.domain.state import Case
from services.complaints.domain.upwards import gone_up
from services.kernel.case.deadlines import Deadline, Due, recomputed
from services.kernel.events import Happened, Refused

OVERDUE = "overdue"
NO_WAY_UP = frozenset({"level-highest", "offer-final"})  # nobody stands above; a ruling from above is not questioned


def on_due(state: Case, due: Due) -> c.Overdue:
    """The command that a due entry becomes."""
    return c.Overdue(due)


def on_calendar(state: Case) -> c.Recompute:
    """The command given once a day while a promised time is provisional."""
    return c.Recompute()


def recompute(state: Case, command: c.Recompute, now: datetime) -> list[Happened]:
    """Promise anew what the calendar has moved or made final."""
    pairs = [(one, recomputed(one)) for one in state.deadlines]
    return [_promised_anew(after) for before, after in pairs if before != after]


def overdue(state: Case, command: c.Overdue, now: datetime) -> list[Happened]:
    """It is late, and the level above is told and owes a reply.

    A provisional time is recomputed first: its calendar may have been announced since. Nobody is bothered twice: while
    a level above still has time to reply, another time that passes only marks the concern. The call-back marks it too,
    for the hotline's list; the resident's silence is nobody's failure.
    """
    deadline = next((d for d in state.deadlines if d.name == command.due.name and not d.missed), None)
    if deadline is None or deadline.at > now:
        return []
    moved = recomputed(deadline)
    if moved.at > now:
        return [_promised_anew(moved)]
    event = e.CaseOverdue(
        name=deadline.name,
        due=moved.at,
        level=state.level,
        category=state.category,
        provisional=moved.provisional,
    )
    return [Happened(event), *_up(state, moved)]


def _up(state: Case, deadline: Deadline) -> list[Happened]:
    owed = deadline.name.startswith(REPLY)
    if deadline.name == CALLBACK or (state.custody.questions and not owed):
        return []
    basis = f"{OVERDUE}:{deadline.name}:{deadline.at.isoformat()}"
    try:
        return gone_up(state, OVERDUE, basis, deadline.at)
    except Refused as refused:
        if refused.code not in NO_WAY_UP:
            raise
        return []  # it stays marked, and in the list, until somebody moves


def _promised_anew(deadline: Deadline) -> Happened:
    return Happened(
        e.CasePromised(
            name=deadline.name,
            at=deadline.at,
            provisional=deadline.provisional,
            started=deadline.started,
            limit=deadline.limit,
        )
    )
