"""State after an event. What was refused in ``decide`` cannot happen here; the kernel's functions are applied again."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from services.complaints.domain import events as e
from services.complaints.domain.rules import LASTING, REPLY
from services.complaints.domain.state import Case, OnWall, Rung
from services.complaints.domain.wall import hung
from services.kernel.case import custody as held
from services.kernel.case import links
from services.kernel.case.custody import Custody, Party
from services.kernel.case.deadlines import Deadline, Deadlines, due_list, missed, with_deadline
from services.kernel.document import withdrawn
from services.kernel.events import Event
from services.kernel.values import day_at

Applied = Callable[[Case, Any, datetime], Case]


def evolve(state: Case | None, event: Event, now: datetime) -> Case:
    """The concern after ``event``."""
    if isinstance(event, e.CaseRegistered):
        return _registered(event, now)
    assert state is not None, "only a registration begins a concern"
    return _APPLIED[type(event)](state, event, now)


def _registered(event: e.CaseRegistered, now: datetime) -> Case:
    kept = event.kept
    first = Party(id=event.answerable, unit=event.answerable_unit)
    return Case(
        unit=kept.unit,
        kind=event.kind,
        category=event.category,
        urgency=event.urgency,
        channel=event.channel,
        subject=kept.subject,
        recorded_at=event.recorded_at,
        opened_on=day_at(now, kept.zone),
        stage=event.stage,
        custody=Custody(answerable=first, handler=first),
        ladder=_rungs(kept.ladder),
        zone=kept.zone,
        reply=kept.reply,
        resident=event.resident,
        visit=event.visit,
        repeat_of=event.repeat_of,
        askable=kept.askable,
        historic=event.imported,
    )


@lru_cache(maxsize=4096)
def _rungs(ladder: tuple[tuple[str, str], ...]) -> tuple[Rung, ...]:
    """The same few ladders stand under all concerns of a district."""
    return tuple(Rung(level=level, unit=unit) for level, unit in ladder)


def _promised(state: Case, event: e.CasePromised, now: datetime) -> Case:
    deadline = Deadline(
        name=event.name,
        limit=event.limit,
        n=event.limit.n,
        zone=state.zone,
        started=event.started,
        at=event.at,
        provisional=event.provisional,
    )
    return _with(state, deadlines=with_deadline(state.deadlines, deadline))


def _accepted(state: Case, event: e.CaseAccepted, now: datetime) -> Case:
    state = _with(_moved(state, event), historic=False, returned=state.returned and event.what == "intake")
    if event.what == "intake" or state.custody.offer is None:
        return state
    return _held(state, held.accepted(state.custody, Party(id=event.party, unit=event.party_unit)))


def _offered(state: Case, event: e.CaseOffered, now: datetime) -> Case:
    to, by = Party(id=event.to, unit=event.to_unit), Party(id=event.by, unit=event.by_unit)
    custody = held.offered(state.custody, to, by, now, event.basis, event.ruling)
    return _with(_held(_moved(state, event), custody), returned=False)


def _returned(state: Case, event: e.CaseReturned, now: datetime) -> Case:
    by = Party(id=event.party, unit=event.party_unit)
    return _with(_held(_moved(state, event), held.returned(state.custody, by, event.reason)), returned=True)


def _escalated(state: Case, event: e.CaseEscalated, now: datetime) -> Case:
    by = Party(id=event.by, unit=event.by_unit) if event.by and event.by_unit else None
    custody = held.escalated(state.custody, state.climb, event.since, event.basis, by)
    return _with(_held(state, custody), escalations=state.escalations + 1)


def _replied(state: Case, event: e.CaseReplied, now: datetime) -> Case:
    custody, _ = held.replied(state.custody, Party(id=event.by, unit=event.by_unit))
    if custody.handler.id != event.asker and custody.handler.unit == event.by_unit:
        # The level above had taken the matter over: with its reply the handling comes down again.
        asker = Party(id=event.asker, unit=event.asker_unit)
        custody = custody.model_copy(update={"handler": asker})
    return _held(state, custody)


def _overdue(state: Case, event: e.CaseOverdue, now: datetime) -> Case:
    marked = tuple(missed(d, max(now, d.at)) if d.name == event.name else d for d in state.deadlines)
    return _with(state, deadlines=marked)


def _settled(state: Case, event: e.Settled, now: datetime) -> Case:
    outcome: e.Outcome = "solved" if isinstance(event, e.CaseSolved) else "answered"
    kept = _with(_moved(state, event), deadlines=(), historic=False, returned=False)
    return _with(kept, outcome=outcome, settled_on=event.on, work="done")


def _confirmed(state: Case, event: e.CaseConfirmed, now: datetime) -> Case:
    return _with(_moved(state, event), deadlines=())


def _reopened(state: Case, event: e.CaseReopened, now: datetime) -> Case:
    fresh = _with(_moved(state, event), outcome=None, settled_on=None, work="open", deadlines=())
    return _with(fresh, reopened=event.times, matter=state.matter + 1)


def _closed(state: Case, event: e.CaseClosed, now: datetime) -> Case:
    return _with(_moved(state, event), work="closed", deadlines=())


def _supplemented(state: Case, event: e.CaseSupplemented, now: datetime) -> Case:
    return _with(state, matter=event.matter)


def _answerable_named(state: Case, event: e.CaseAnswerableNamed, now: datetime) -> Case:
    changed = {
        "answerable": Party(id=event.answerable, unit=event.answerable_unit),
        "handler": Party(id=event.handler, unit=event.handler_unit),
    }
    return _with(state, custody=state.custody.model_copy(update=changed))


def _case_moved(state: Case, event: e.CaseMoved, now: datetime) -> Case:
    present = {step.level: step.unit for step in event.ladder}
    replaced = {
        rung.unit: present[rung.level] for rung in state.ladder if present.get(rung.level, rung.unit) != rung.unit
    }
    ladder = tuple(Rung(level=step.level, unit=step.unit) for step in event.ladder)
    return _held(_with(state, ladder=ladder), _in_place(state.custody, replaced))


def _in_place(custody: Custody, replaced: dict[str, str]) -> Custody:
    """With the unit that now stands in the place of each replaced one; persons of the old units no longer see it."""

    def party(one: Party) -> Party:
        return Party.of_unit(replaced[one.unit]) if one.unit in replaced else one

    offer = custody.offer and custody.offer.model_copy(
        update={"to": party(custody.offer.to), "by": party(custody.offer.by)}
    )
    questions = tuple(
        q.model_copy(update={"asker": party(q.asker), "asked": party(q.asked)}) for q in custody.questions
    )
    changes = {"answerable": party(custody.answerable), "handler": party(custody.handler)}
    return custody.model_copy(update=changes | {"offer": offer, "questions": questions})


def _order_requested(state: Case, event: e.CaseOrderRequested, now: datetime) -> Case:
    return _with(state, orders=links.linked(state.orders, links.Link(ref=event.order, kind="order", must=event.must)))


def _order_ended(state: Case, event: e.CaseOrderEnded, now: datetime) -> Case:
    return _with(state, orders=links.ended(state.orders, event.order, "done" if event.how == "confirmed" else "failed"))


def _order_waived(state: Case, event: e.CaseOrderWaived, now: datetime) -> Case:
    return _with(state, orders=links.waived(state.orders, event.order, event.reason, event.by))


def _answer_released(state: Case, event: e.CaseAnswerReleased, now: datetime) -> Case:
    document, fields = hung(state, event.released_by, event._question, event._answer, now)
    return _with(state, wall=OnWall(document=document, at=now, **fields), on_wall=True)


def _answer_withdrawn(state: Case, event: e.CaseAnswerWithdrawn, now: datetime) -> Case:
    assert state.wall is not None, "only a shown text is withdrawn"
    document = withdrawn(state.wall.document, event.reason, now)
    return _with(state, wall=OnWall(document=document, at=now, question="", answer=""), on_wall=False)


def _redacted(state: Case, event: e.CaseRedacted, now: datetime) -> Case:
    """Without what the open state holds of the erased purposes: the subject is made from what was told."""
    if e.TEXT in event.purposes:
        state = _with(state, subject="")
    if e.REPORTER in event.purposes:
        state = _with(state, askable=False, resident=None, wall=_of_nobody(state.wall))
    return state


def _of_nobody(wall: OnWall | None) -> OnWall | None:
    """The public text stays, and with it no longer whom it is about."""
    return wall and wall.model_copy(update={"document": wall.document.model_copy(update={"subject": None})})


def _moved(state: Case, event: e.Moving) -> Case:
    """In the event's stage. Promises of the stage that was left end; the one to the resident and replies owed stay."""
    if event.stage == state.stage:
        return state
    kept = tuple(d for d in state.deadlines if _runs_on(d, event.promise))
    return _with(state, stage=event.stage, deadlines=kept)


def _runs_on(deadline: Deadline, promise: str | None) -> bool:
    return deadline.name in (LASTING, promise) or deadline.name.startswith(REPLY)


def _held(state: Case, custody: Custody) -> Case:
    """With this custody. A reply is watched for as long as its level owes one."""
    asked = custody.questions[-1].asked.unit if custody.questions else None
    owing = {reply_name(state, question.asked.unit) for question in custody.questions}
    kept: Deadlines = tuple(d for d in state.deadlines if not d.name.startswith(REPLY) or d.name in owing)
    return _with(state, custody=custody, asked=asked, deadlines=kept)


def reply_name(state: Case, unit: str) -> str:
    """The name under which the reply of ``unit`` is promised."""
    return f"{REPLY}-{state.level_of(unit)}"


def _with(state: Case, **changes: Any) -> Case:
    if "deadlines" in changes:
        changes["due"] = due_list(changes["deadlines"])
        changes["late"] = any(deadline.missed for deadline in changes["deadlines"])
    return state.model_copy(update=changes)


_APPLIED: dict[type[Event], Applied] = {
    e.CasePromised: _promised,
    e.CaseAccepted: _accepted,
    e.CaseOffered: _offered,
    e.CaseReturned: _returned,
    e.CaseEscalated: _escalated,
    e.CaseReplied: _replied,
    e.CaseOverdue: _overdue,
    e.CaseSolved: _settled,
    e.CaseAnswered: _settled,
    e.CaseConfirmed: _confirmed,
    e.CaseReopened: _reopened,
    e.CaseClosed: _closed,
    e.CaseSupplemented: _supplemented,
    e.CaseAnswerableNamed: _answerable_named,
    e.CaseMoved: _case_moved,
    e.CaseOrderRequested: _order_requested,
    e.CaseOrderEnded: _order_ended,
    e.CaseOrderWaived: _order_waived,
    e.CaseAnswerReleased: _answer_released,
    e.CaseAnswerWithdrawn: _answer_withdrawn,
    e.CaseRedacted: _redacted,
}
