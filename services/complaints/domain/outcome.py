"""Solved or answered, then confirmed or reopened, then closed: three things, kept apart."""

from datetime import datetime

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.complaints.domain.handling import refuse_outsider
from services.complaints.domain.promises import begun, runs_after, step
from services.complaints.domain.state import Case
from services.kernel.case import custody as held
from services.kernel.case import links
from services.kernel.case.workflow import open_steps
from services.kernel.events import Happened, Refused

CLOCKWORK = frozenset({"service"})


def settle(state: Case, command: c.Settle, now: datetime) -> list[Happened]:
    """The outcome with its reply. A concern whose resident cannot be asked closes with it.

    Refused: ``not-yours``, ``link-open`` while an order is open, ``question-open`` and ``offer-open`` while somebody
    owes an answer, and what the workflow refuses (``data-missing`` without a reply).
    """
    given = ("reply",) if command.reply.strip() else ()
    name = "solve" if command.outcome == "solved" else "answer"
    moved = step(state, command.rules, name, command.roles, given)
    refuse_outsider(state, command.by)
    refuse_unfinished(state)
    promise = runs_after(state, moved)
    kind = e.CaseSolved if command.outcome == "solved" else e.CaseAnswered
    event = kind(
        stage=moved.stage,
        promise=promise,
        level=state.level,
        on=now,
        by_unit=command.by.unit,
        category=state.category,
        kind=state.kind,
        escalated=state.escalations > 0,
        reopened=state.reopened,
    )
    happened = [Happened(event, {e.REPLY: {"text": command.reply}})]
    if not state.askable:
        return [*happened, *_closed_by_itself(state, command.rules, moved.stage, command.outcome, "nobody-to-ask")]
    return [*happened, *begun(_without_promises(state), command.rules, promise, now)]


def confirm(state: Case, command: c.Confirm, now: datetime) -> list[Happened]:
    """The resident agrees, and it closes. Refused: what the workflow refuses."""
    moved = step(state, command.rules, "confirm", command.roles)
    event = e.CaseConfirmed(
        stage=moved.stage,
        promise=moved.deadline,
        level=state.level,
        by="resident" if command.by is None else "callback",
        category=state.category,
        outcome=_outcome(state),
        satisfied=command.satisfied,
    )
    return [Happened(event), *_closed_by_itself(state, command.rules, moved.stage, _outcome(state), None)]


def reopen(state: Case, command: c.Reopen, now: datetime) -> list[Happened]:
    """It is not done after all. The handler has it again. Refused: ``reason-unknown`` and what the workflow refuses."""
    command.rules.refuse_reason("reopen", command.reason)
    moved = step(state, command.rules, "reopen", command.roles, ("reason",))
    who: dict[bool, e.Objector] = {True: "callback", False: "worker"}
    event = e.CaseReopened(
        stage=moved.stage,
        promise=moved.deadline,
        level=state.level,
        by="resident" if command.by is None else who[command.callback],
        reason=command.reason,
        category=state.category,
        outcome=_outcome(state),
        times=state.reopened + 1,
    )
    private = {e.NOTE: {"text": command.note}} if command.note else {}
    return [Happened(event, private), *begun(_without_promises(state), command.rules, moved.deadline, now)]


def close(state: Case, command: c.Close, now: datetime) -> list[Happened]:
    """A settled concern whose resident was not reached. Refused: ``reason-unknown`` and as ``settle``."""
    command.rules.refuse_reason("close", command.reason)
    refuse_outsider(state, command.by)
    moved = step(state, command.rules, "close", command.roles)
    refuse_unfinished(state)
    return [_closed(state, moved.stage, _outcome(state), confirmed=False, reason=command.reason)]


def refuse_unfinished(state: Case) -> None:
    """Refused: ``link-open``, ``question-open``, ``offer-open``."""
    links.refuse_open(state.orders)
    held.refuse_unreplied(state.custody)


def _closed_by_itself(
    state: Case, rules: c.Rules, stage: str, outcome: e.Outcome, reason: str | None
) -> list[Happened]:
    """Closing, where the district's workflow lets it follow by itself."""
    follows = [one for one in open_steps(rules.workflow, stage, CLOCKWORK) if one.name == "close"]
    return [_closed(state, one.to, outcome, confirmed=reason is None, reason=reason) for one in follows]


def _closed(state: Case, stage: str, outcome: e.Outcome, *, confirmed: bool, reason: str | None) -> Happened:
    return Happened(
        e.CaseClosed(
            stage=stage,
            level=state.level,
            category=state.category,
            outcome=outcome,
            confirmed=confirmed,
            reason=reason,
        )
    )


def _outcome(state: Case) -> e.Outcome:
    if state.outcome is None:
        raise Refused("outcome-missing", "outcome")
    return state.outcome


def _without_promises(state: Case) -> Case:
    """As the state is once the outcome is there: what was promised before has ended."""
    return state.model_copy(update={"deadlines": ()})
