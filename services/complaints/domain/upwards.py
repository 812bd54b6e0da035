"""What cannot be settled here goes up; who is asked owes a reply, and the reply comes down to the asker."""

from datetime import datetime

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.complaints.domain.promises import reply_promised
from services.complaints.domain.state import Case
from services.kernel.case import custody as held
from services.kernel.case.custody import Party
from services.kernel.events import Happened, Refused


def escalate(state: Case, command: c.Escalate, now: datetime) -> list[Happened]:
    """The handler asks the level above.

    Refused: ``reason-unknown``, ``case-settled``, ``question-open`` while an earlier one lies with the level above,
    and as ``custody.escalated``.
    """
    command.rules.refuse_reason("escalate", command.reason)
    refuse_settled(state)
    if state.custody.offer is not None and state.custody.offer.up:
        raise Refused("question-open", "custody", asked=[state.custody.offer.to.id])
    private = {e.NOTE: {"text": command.note}} if command.note else {}
    return gone_up(state, command.reason, state.basis, now, command.by, private)


def gone_up(
    state: Case,
    reason: str,
    basis: str,
    since: datetime,
    by: Party | None = None,
    private: dict[str, dict[str, str]] | None = None,
) -> list[Happened]:
    """Up one level, with the time of its reply. ``by`` is None when a clock did it. Refused: ``level-highest``."""
    after = held.escalated(state.custody, state.climb, since, basis, by)
    assert after.offer is not None, "what goes up is offered"
    asked, question = after.offer.to, after.questions[-1]
    event = e.CaseEscalated(
        from_level=state.level,
        level=state.level_of(asked.unit),
        to=asked.id,
        asker=question.asker.id,
        by=by.id if by else None,
        by_unit=by.unit if by else None,
        automatic=by is None,
        reason=reason,
        basis=basis,
        since=since,
    )
    return [Happened(event, private or {}), *reply_promised(state, asked.unit, since)]


def reply(state: Case, command: c.Reply, now: datetime) -> list[Happened]:
    """Who was asked replies. Refused: ``question-none``, ``question-not-yours``, ``data-missing``."""
    if not command.text.strip():
        raise Refused("data-missing", "text", missing=["text"])
    _, question = held.replied(state.custody, command.by)
    event = e.CaseReplied(
        by=command.by.id,
        by_unit=command.by.unit,
        asker=question.asker.id,
        asker_unit=question.asker.unit,
        from_level=state.level_of(question.asked.unit),
        level=state.level_of(question.asker.unit),
        result=command.result,
    )
    return [Happened(event, {e.ADVICE: {"text": command.text}})]


def refuse_settled(state: Case) -> None:
    """Refused: ``case-settled``."""
    if state.work != "open":
        raise Refused("case-settled", "stage", stage=state.stage)
