"""From state, command and time to events. Each part of the work has a module of its own; this is their table."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.complaints.domain import clocks, commands, handling, orders, outcome, recording, upwards, wall
from services.complaints.domain.state import Case
from services.kernel.events import Happened, Refused

_DECIDED: dict[type, Callable[[Case, Any, datetime], list[Happened]]] = {
    commands.Accept: handling.accept,
    commands.Dispatch: handling.dispatch,
    commands.Take: handling.take,
    commands.Return: handling.give_back,
    commands.Supplement: handling.supplement,
    commands.PartyEnded: handling.party_ended,
    commands.Move: handling.move,
    commands.Escalate: upwards.escalate,
    commands.Reply: upwards.reply,
    commands.Settle: outcome.settle,
    commands.Confirm: outcome.confirm,
    commands.Reopen: outcome.reopen,
    commands.Close: outcome.close,
    commands.RequestOrder: orders.request,
    commands.EndOrder: orders.end,
    commands.Waive: orders.waive,
    commands.Release: wall.release,
    commands.Withdraw: wall.withdraw,
    commands.Overdue: clocks.overdue,
    commands.Recompute: clocks.recompute,
}


def decide(state: Case | None, command: commands.Command, now: datetime) -> list[Happened]:
    """What the command makes happen. Raises ``Refused`` with a code of the service's texts."""
    if isinstance(command, commands.Record):
        if state is not None:
            raise Refused("already-exists")
        return recording.record(command, now)
    if state is None:
        raise Refused("not-found")
    return _DECIDED[type(command)](state, command, now)
