"""Which promise begins with a step, and until when."""

from collections.abc import Collection
from datetime import datetime

from services.complaints.domain import events as e
from services.complaints.domain.rules import CALLBACK, REPLY, Rules
from services.complaints.domain.state import Case
from services.kernel.case.deadlines import Limit, promised
from services.kernel.case.workflow import Moved, take_step
from services.kernel.events import Happened


def step(
    state: Case, rules: Rules, name: str, roles: Collection[str], given: Collection[str] = (), stage: str | None = None
) -> Moved:
    """The step by the district's workflow, from the stage the concern is in. Refused: as ``workflow.take_step``."""
    return take_step(rules.workflow, stage or state.stage, name, roles, given, state.outcome)


def runs_after(state: Case, moved: Moved) -> str | None:
    """The promise that runs in the stage the step leads to. Nobody is called back who cannot be asked."""
    if moved.deadline == CALLBACK and not state.askable:
        return None
    return moved.deadline


def begun(state: Case, rules: Rules, name: str | None, now: datetime) -> list[Happened]:
    """The promise, unless it runs already: returning and offering again does not begin it anew."""
    if name is None or any(deadline.name == name for deadline in state.deadlines):
        return []
    return [promise(name, rules.limit(state.urgency, name), now, state.zone)]


def reply_promised(state: Case, unit: str, since: datetime) -> list[Happened]:
    """The time within which ``unit`` owes its reply."""
    name = f"{REPLY}-{state.level_of(unit)}"
    if any(deadline.name == name and not deadline.missed for deadline in state.deadlines):
        return []
    return [promise(name, state.reply, since, state.zone)]


def promise(name: str, limit: Limit, since: datetime, zone: str) -> Happened:
    """The event that a time was promised, counted from ``since``."""
    deadline = promised(name, limit, since, zone)
    return Happened(
        e.CasePromised(
            name=name, at=deadline.at, provisional=deadline.provisional, started=deadline.started, limit=limit
        )
    )
