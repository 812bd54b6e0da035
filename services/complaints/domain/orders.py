"""Service orders asked of the volunteers. A concern is not settled over an open one, unless somebody answers for it."""

from datetime import datetime

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.complaints.domain.handling import refuse_outsider
from services.complaints.domain.state import Case
from services.complaints.domain.upwards import refuse_settled
from services.kernel.case import links
from services.kernel.events import Happened, Refused


def request(state: Case, command: c.RequestOrder, now: datetime) -> list[Happened]:
    """Ask for an order in the concern's unit.

    Refused: ``case-settled``, ``not-yours``, and by the mode ``volunteer-missing``, ``volunteer-not-asked`` and
    ``activity-day-and-mode``.
    """
    refuse_settled(state)
    refuse_outsider(state, command.by)
    if command.mode == "by_name" and command.volunteer is None:
        raise Refused("volunteer-missing", "volunteer")
    if command.mode != "by_name" and command.volunteer is not None:
        raise Refused("volunteer-not-asked", "volunteer", mode=command.mode)
    if (command.mode == "activity_day") != (command.on is not None):
        raise Refused("activity-day-and-mode", "on", mode=command.mode)
    event = e.CaseOrderRequested(
        order=command.order,
        line=command.line,
        mode=command.mode,
        unit=state.unit,
        volunteer=command.volunteer,
        on=command.on,
        resident=state.resident,
        must=command.must,
    )
    return [Happened(event)]


def end(state: Case, command: c.EndOrder, now: datetime) -> list[Happened]:
    """The volunteers ended it. Nothing for an order of another case or one that has ended already."""
    link = next((one for one in state.orders if one.ref == command.order), None)
    if link is None or link.stage in ("done", "failed"):
        return []
    return [Happened(e.CaseOrderEnded(order=command.order, how=command.how))]


def waive(state: Case, command: c.Waive, now: datetime) -> list[Happened]:
    """Go on without it. Refused: ``reason-unknown``, ``not-yours``, ``link-unknown``, ``link-ended``."""
    command.rules.refuse_reason("waive", command.reason)
    refuse_outsider(state, command.by)
    links.waived(state.orders, command.order, command.reason, command.by.id)
    event = e.CaseOrderWaived(order=command.order, reason=command.reason, by=command.by.id)
    return [Happened(event, {e.NOTE: {"text": command.note}} if command.note else {})]
