"""A concern is recorded: by a worker's visit, a hotline clerk, a resident, or from a file."""

from datetime import datetime

from services.complaints.domain import events as e
from services.complaints.domain.commands import Record, Settlement
from services.complaints.domain.promises import promise
from services.complaints.domain.rules import REPLY, Category
from services.kernel.case.custody import Party
from services.kernel.document import mask, mask_names
from services.kernel.events import Happened, Refused

VIEW = "view"


def record(command: Record, now: datetime) -> list[Happened]:
    """The first receiver is answerable from now to the end: who recorded it in its own unit, else the lowest unit.

    Imported concerns carry their own instants. An open one is *historic*: no promise runs until somebody takes it up
    here, since times that began in another system cannot be kept in this one, and hundreds taken over at once would
    all come due at once. Its promises begin with the first step.
    Refused: ``view-names-person``, ``category-unknown``, ``channel-unknown``, ``recorded-in-future`` and others.
    """
    recorded_at = command.recorded_at or now
    category = command.rules.category(command.category, command.kind)
    channel = command.rules.channel(command.channel)
    _refuse_person_in_view(command)
    _refuse_wrong_times(recorded_at, command.settled, now)
    by = command.by if channel.receiver == "recorder" else None
    first = by or Party.of_unit(command.ladder[0][1])
    registered = _registered(command, category, first, recorded_at)
    private = {e.TEXT: {"text": command.text}}
    if command.reporter:
        private[e.REPORTER] = dict(command.reporter)
    if command.settled is not None:
        return _history(command, registered, private, first)
    happened = [Happened(registered, private, command.keys)]
    name = command.rules.workflow.stage(registered.stage).deadline
    if name is not None and not command.imported:
        happened.append(promise(name, command.rules.limit(category.urgency, name), now, command.zone))
    return happened


def _registered(command: Record, category: Category, first: Party, recorded_at: datetime) -> e.CaseRegistered:
    level = next((level for level, unit in command.ladder if unit == first.unit), command.ladder[0][0])
    event = e.CaseRegistered(
        kind=command.kind,
        category=category.code,
        urgency=category.urgency,
        channel=command.channel,
        level=level,
        answerable=first.id,
        answerable_unit=first.unit,
        reporter_known=bool(command.reporter),
        resident=command.resident,
        visit=command.visit,
        repeat_of=command.repeat_of,
        recorded_at=recorded_at,
        imported=command.imported,
        stage=command.rules.workflow.start,
    )
    reply = command.rules.limit(category.urgency, REPLY)
    askable = bool(command.reporter.get("phone") or command.resident)
    subject = mask_names(mask(command.subject), [command.reporter.get("name", "")])
    kept = e.Kept(subject, command.unit, command.ladder, command.zone, reply, askable)
    return event.keeping(kept)


def _history(
    command: Record, registered: e.CaseRegistered, private: dict[str, dict[str, str]], first: Party
) -> list[Happened]:
    """An imported concern that had its outcome: recorded, settled and closed as the file says."""
    settled = command.settled
    assert settled is not None, "only called with an outcome"
    if not settled.reply:
        raise Refused("data-missing", "reply", missing=["reply"])
    kind = e.CaseSolved if settled.outcome == "solved" else e.CaseAnswered
    outcome = kind(
        stage="done",
        level=registered.level,
        on=settled.on,
        by_unit=first.unit,
        category=registered.category,
        kind=registered.kind,
        escalated=False,
        reopened=0,
        imported=True,
    )
    closed = e.CaseClosed(
        stage="closed",
        level=registered.level,
        category=registered.category,
        outcome=settled.outcome,
        confirmed=False,
        reason="historic",
    )
    return [
        Happened(registered, private, command.keys),
        Happened(outcome, {e.REPLY: {"text": settled.reply}}),
        Happened(closed),
    ]


def _refuse_person_in_view(command: Record) -> None:
    """There is no record of who holds which view: neither who said it nor the visit at which it was said."""
    if command.kind != VIEW:
        return
    named = [name for name in ("resident", "visit", "repeat_of") if getattr(command, name)]
    if command.reporter or named:
        raise Refused("view-names-person", "reporter" if command.reporter else named[0])


def _refuse_wrong_times(recorded_at: datetime, settled: Settlement | None, now: datetime) -> None:
    if recorded_at > now:
        raise Refused("recorded-in-future", "recorded_at")
    if settled is not None and settled.on < recorded_at:
        raise Refused("settled-before-recorded", "settled_on")
    if settled is not None and settled.on > now:
        raise Refused("settled-in-future", "settled_on")
