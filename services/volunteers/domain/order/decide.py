"""From state, command and time to events."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from services.kernel.case.deadlines import promised
from services.kernel.case.workflow import take_step
from services.kernel.events import Happened, Refused
from services.volunteers.domain.order import clocks, commands
from services.volunteers.domain.order import events as e
from services.volunteers.domain.order.evolve import evolve
from services.volunteers.domain.order.state import Order
from services.volunteers.domain.order.workflow import COORDINATOR, ORDER, RESIDENT, SERVICE

LONGEST_DEED = 24 * 60  # minutes in one booking
MOST_SHOWN = 20  # candidates that an event names
LONGEST_SPAN = timedelta(days=1)


def decide(state: Order | None, command: commands.Command, now: datetime) -> list[Happened]:
    """What the command makes happen. Raises ``Refused`` with a code of the service's texts."""
    if isinstance(command, commands.Request):
        if state is not None:
            raise Refused("already-exists")
        return _request(command, now)
    if state is None:
        raise Refused("not-found")
    return _DECIDED[type(command)](state, command, now)


def _request(command: commands.Request, now: datetime) -> list[Happened]:
    """Refused: ``line-unknown``, and by the mode those of ``_refuse_wrong_time`` and ``volunteer-…``."""
    command.rules.line(command.line)
    if command.mode == "by_name" and not command.volunteer:
        raise Refused("volunteer-not-named", "volunteer")
    if command.mode != "by_name" and command.volunteer:
        raise Refused("volunteer-not-asked", "volunteer")
    _refuse_wrong_time(command)
    limits = command.rules.limits
    requested = e.OrderRequested(
        line=command.line,
        mode=command.mode,
        unit=command.unit,
        case=command.case,
        resident=command.resident,
        volunteer=command.volunteer,
        on=command.on,
        start=command.start,
        end=command.end,
        zone=command.zone,
        answer=limits.answer,
        service=limits.service,
        confirmation=limits.confirmation,
    )
    until = evolve(None, requested, now).until
    if until is not None and until <= now:
        raise Refused("order-past", "on" if command.on else "start")
    described = _described(command.task) if command.task else []
    return [Happened(requested, {}, command.keys), *described]


def _refuse_wrong_time(command: commands.Request) -> None:
    if (command.mode == "activity_day") != (command.on is not None):
        raise Refused("activity-day-and-mode", "on")
    if (command.start is None) != (command.end is None) or (command.on and command.start):
        raise Refused("time-incomplete", "start")
    if command.start and command.end and not command.start < command.end <= command.start + LONGEST_SPAN:
        raise Refused("time-unsound", "end")


def _describe(state: Order, command: commands.Describe, now: datetime) -> list[Happened]:
    """Refused: ``order-over``."""
    _refuse_over(state)
    return _described(command.task)


def _described(task: commands.Words) -> list[Happened]:
    return [Happened(e.OrderDescribed(), {e.TASK: task})]


def _match(state: Order, command: commands.Match, now: datetime) -> list[Happened]:
    """Offer to the best who was not asked before; nobody left: the order is over.

    Refused: ``order-over``, ``activity-day-is-open``, ``offer-open``.
    """
    _refuse_over(state)
    if state.mode == "activity_day":
        raise Refused("activity-day-is-open")
    if state.stage != "requested":
        raise Refused("offer-open", volunteer=state.volunteer)
    left = [one for one in command.candidates if one not in state.asked]
    if state.mode == "by_name":
        left = [one for one in left if one == state.named]
    elif state.hopeless(now):
        left = []
    matched = Happened(e.OrderMatched(candidates=tuple(left[:MOST_SHOWN]), found=len(left)))
    if not left:
        take_step(ORDER, state.stage, "give-up", [SERVICE])
        return [matched, Happened(e.OrderExpired(last=True, case=state.case))]
    take_step(ORDER, state.stage, "offer", [SERVICE])
    until = promised(clocks.ANSWER, state.limits.answer, now, state.zone).at
    return [matched, Happened(e.OrderOffered(volunteer=left[0], until=until, case=state.case))]


def _accept(state: Order, command: commands.Accept, now: datetime) -> list[Happened]:
    """Refused: ``offer-not-yours``, ``offer-none``, ``order-past``, ``volunteer-unfit``."""
    if state.stage == "offered" and state.volunteer != command.volunteer:
        raise Refused("offer-not-yours", "volunteer")
    if state.stage == "requested" and state.mode != "activity_day":
        raise Refused("offer-none", "volunteer")
    take_step(ORDER, state.stage, "accept", [command.role])
    if state.until is not None and state.until <= now:
        raise Refused("order-past")
    if command.unfit:
        raise Refused("volunteer-unfit", "volunteer", line=state.line, reasons=list(command.unfit))
    return [Happened(e.OrderAccepted(volunteer=command.volunteer, case=state.case))]


def _decline(state: Order, command: commands.Decline, now: datetime) -> list[Happened]:
    """Refused: ``offer-not-yours``."""
    if state.stage not in ("offered", "accepted") or state.volunteer != command.volunteer:
        raise Refused("offer-not-yours", "volunteer")
    last = state.hopeless(now)
    take_step(ORDER, state.stage, "give-up" if last else "decline", [command.role])
    declined = e.OrderDeclined(volunteer=command.volunteer, reason=command.reason, last=last, case=state.case)
    return [Happened(declined, _note(command.note))]


def _report(state: Order, command: commands.ReportDone, now: datetime) -> list[Happened]:
    """Refused: ``order-not-yours``, ``minutes-out-of-range``, ``not-begun``."""
    take_step(ORDER, state.stage, "report-done", [command.role], ("minutes",))
    if state.volunteer != command.volunteer:
        raise Refused("order-not-yours", "volunteer")
    if not 0 < command.minutes <= LONGEST_DEED:
        raise Refused("minutes-out-of-range", "minutes", most=LONGEST_DEED)
    if state.begins is not None and now < state.begins:
        raise Refused("not-begun")
    return [Happened(e.OrderDone(volunteer=command.volunteer, minutes=command.minutes, case=state.case))]


def _confirm(state: Order, command: commands.Confirm, now: datetime) -> list[Happened]:
    """Refused: ``own-deed``: nobody vouches for a deed of his own."""
    take_step(ORDER, state.stage, "confirm", [RESIDENT if command.by == "resident" else COORDINATOR])
    assert state.volunteer is not None and state.minutes is not None
    _refuse_own(state, command.worker)
    confirmed = e.OrderConfirmed(
        volunteer=state.volunteer, minutes=state.minutes, line=state.line, by=command.by, case=state.case
    )
    return [Happened(confirmed)]


def _redo(state: Order, command: commands.Redo, now: datetime) -> list[Happened]:
    """Refused: ``own-deed``."""
    take_step(ORDER, state.stage, "redo", [RESIDENT if command.by == "resident" else COORDINATOR])
    assert state.volunteer is not None
    _refuse_own(state, command.worker)
    return [Happened(e.OrderRedo(volunteer=state.volunteer, by=command.by, case=state.case))]


def _cancel(state: Order, command: commands.Cancel, now: datetime) -> list[Happened]:
    take_step(ORDER, state.stage, "cancel", [COORDINATOR])
    return [Happened(e.OrderCancelled(reason=command.reason, case=state.case), _note(command.note))]


def _refuse_own(state: Order, worker: str | None) -> None:
    if worker is not None and worker == state.volunteer:
        raise Refused("own-deed")


def _refuse_over(state: Order) -> None:
    if ORDER.stage(state.stage).end:
        raise Refused("order-over", stage=state.stage)


def _note(text: str) -> dict[str, dict[str, Any]]:
    return {e.NOTE: {"text": text}} if text else {}


_DECIDED: dict[type, Callable[[Order, Any, datetime], list[Happened]]] = {
    commands.Describe: _describe,
    commands.Match: _match,
    commands.Accept: _accept,
    commands.Decline: _decline,
    commands.ReportDone: _report,
    commands.Confirm: _confirm,
    commands.Redo: _redo,
    commands.Cancel: _cancel,
    commands.Overdue: clocks.overdue,
    commands.Recompute: clocks.recompute,
}
