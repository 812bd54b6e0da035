"""Who handles it: taken up, offered, taken over, given back. Handling passes by acceptance only."""

from datetime import datetime

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.complaints.domain.promises import begun, runs_after, step
from services.complaints.domain.state import Case
from services.kernel.case import custody as held
from services.kernel.case.custody import Party
from services.kernel.events import Happened, Refused


def refuse_outsider(state: Case, by: Party) -> None:
    """Only who handles it or answers for it, or a colleague in that unit. Refused: ``not-yours``."""
    if not state.concerns(by):
        raise Refused("not-yours", "by", handler=state.custody.handler.id)


def accept(state: Case, command: c.Accept, now: datetime) -> list[Happened]:
    """The unit takes it up. Refused: ``not-yours`` and what the workflow refuses."""
    refuse_outsider(state, command.by)
    moved = step(state, command.rules, "accept", command.roles)
    promise = runs_after(state, moved)
    event = e.CaseAccepted(
        stage=moved.stage,
        promise=promise,
        level=state.level,
        party=command.by.id,
        party_unit=command.by.unit,
        what="intake",
    )
    return [Happened(event), *begun(state, command.rules, promise, now)]


def dispatch(state: Case, command: c.Dispatch, now: datetime) -> list[Happened]:
    """Offer the handling; to oneself it is taken over at once. Refused: as ``custody.offered`` and the workflow."""
    moved = step(state, command.rules, "dispatch", command.roles)
    held.offered(state.custody, command.to, command.by, now, state.basis, command.ruling)
    promise = runs_after(state, moved)
    offered = _offered(state, command, moved.stage, promise)
    happened = [Happened(offered), *begun(state, command.rules, promise, now)]
    if command.to.id != command.by.id:
        return happened
    taking = step(state, command.rules, "take", command.roles, stage=moved.stage)
    further = runs_after(state, taking)
    happened.append(_taken(state, command.by, taking.stage, further))
    return happened if further == promise else [*happened, *begun(state, command.rules, further, now)]


def take(state: Case, command: c.Take, now: datetime) -> list[Happened]:
    """Take over an offer; without one, begin what is one's own or one's unit's.

    What was put to a level above is taken over without a step of the workflow: the stage says how far the matter is,
    not whose it is. Refused: ``offer-not-yours``, ``not-yours`` and what the workflow refuses.
    """
    offer = state.custody.offer
    if offer is not None:
        held.accepted(state.custody, command.by)
    if offer is not None and offer.up:
        return [_taken(state, command.by, state.stage, None, what="up")]
    moved = step(state, command.rules, "take", command.roles)
    promise = runs_after(state, moved)
    promised = begun(state, command.rules, promise, now)
    if offer is None:
        refuse_outsider(state, command.by)
    if offer is None and command.by.id != state.custody.handler.id:
        own = c.Dispatch(command.rules, state.custody.handler, command.roles, command.by)
        offered = _offered(state, own, state.stage, None)
        return [Happened(offered), _taken(state, command.by, moved.stage, promise), *promised]
    return [_taken(state, command.by, moved.stage, promise), *promised]


def give_back(state: Case, command: c.Return, now: datetime) -> list[Happened]:
    """Return an offer with a reason; the handler stays who it was, and returns are counted.

    Refused: ``reason-unknown``, as ``custody.returned``, and what the workflow refuses.
    """
    command.rules.refuse_reason("return", command.reason)
    held.returned(state.custody, command.by, command.reason)
    offer = state.custody.offer
    assert offer is not None, "custody refused it otherwise"
    asker, promise, stage = None, None, state.stage
    if offer.up:
        asker = state.custody.questions[-1].asker.id
    else:
        moved = step(state, command.rules, "return", command.roles)
        stage, promise = moved.stage, runs_after(state, moved)
    event = e.CaseReturned(
        stage=stage,
        promise=promise,
        level=state.level_of(command.by.unit),
        party=command.by.id,
        party_unit=command.by.unit,
        reason=command.reason,
        up=offer.up,
        asker=asker,
    )
    private = {e.NOTE: {"text": command.note}} if command.note else {}
    return [Happened(event, private), *begun(state, command.rules, promise, now)]


def supplement(state: Case, command: c.Supplement, now: datetime) -> list[Happened]:
    """Something new is known: what was returned may be offered again. Refused: ``case-ended``, ``not-yours``."""
    if state.work == "closed":
        raise Refused("case-ended", "stage", stage=state.stage)
    if command.by is not None:
        refuse_outsider(state, command.by)
    return [Happened(e.CaseSupplemented(matter=state.matter + 1), {e.SUPPLEMENT: {"text": command.text}})]


def party_ended(state: Case, command: c.PartyEnded, now: datetime) -> list[Happened]:
    """The unit stands in for a person who has left: somebody is answerable at every moment."""
    custody = state.custody
    answerable, handler = (_without(one, command.party) for one in (custody.answerable, custody.handler))
    if (answerable, handler) == (custody.answerable, custody.handler) or state.work == "closed":
        return []
    event = e.CaseAnswerableNamed(
        answerable=answerable.id,
        answerable_unit=answerable.unit,
        handler=handler.id,
        handler_unit=handler.unit,
        reason=command.reason,
    )
    return [Happened(event)]


def move(state: Case, command: c.Move, now: datetime) -> list[Happened]:
    """Other units stand above it now. Nothing when they are the same, or when it is over."""
    ladder = tuple(e.Step(level=level, unit=unit) for level, unit in command.ladder)
    if state.work == "closed" or tuple(one.unit for one in ladder) == state.units:
        return []
    return [Happened(e.CaseMoved(ladder=ladder))]


def _without(party: Party, ended: str) -> Party:
    return Party.of_unit(party.unit) if party.id == ended else party


def _offered(state: Case, command: c.Dispatch, stage: str, promise: str | None) -> e.CaseOffered:
    return e.CaseOffered(
        stage=stage,
        promise=promise,
        level=state.level_of(command.to.unit),
        to=command.to.id,
        to_unit=command.to.unit,
        by=command.by.id,
        by_unit=command.by.unit,
        basis=state.basis,
        ruling=command.ruling,
    )


def _taken(state: Case, by: Party, stage: str, promise: str | None, what: e.Acceptance = "handling") -> Happened:
    return Happened(
        e.CaseAccepted(
            stage=stage, promise=promise, level=state.level_of(by.unit), party=by.id, party_unit=by.unit, what=what
        )
    )
