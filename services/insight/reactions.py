"""From events to rows. Each reaction says only which fact the event is."""

from services.chassis.consuming.reactions import Doing, Reactions
from services.insight.domain.indicators import ancestors
from services.insight.readers import (
    Bare,
    CaseRegistered,
    CaseSettled,
    HoursBooked,
    OrderRequested,
    StaffRegistered,
    UnitRegistered,
    VisitRecorded,
)
from services.insight.rows import begun, record, step

REACTIONS = Reactions("insight")
CASE, ORDER, HOURS = "linli.complaints.case", "linli.volunteers.order", "linli.volunteers.hours"


@REACTIONS.on(f"{CASE}.registered.v1")
async def concern_recorded(event: CaseRegistered, do: Doing) -> None:
    """A concern counts from its business instant, which for an imported one lies before the event's."""
    dims = {"category": ancestors(event.category), "channel": event.channel, "kind": event.kind}
    await record(do, begun(do.envelope, "case", event.recorded_at, dims))


@REACTIONS.on(f"{CASE}.solved.v1")
async def concern_solved(event: CaseSettled, do: Doing) -> None:
    """An outcome counts on its business instant."""
    await record(do, step(do.envelope, "solved", event.on))


@REACTIONS.on(f"{CASE}.answered.v1")
async def concern_answered(event: CaseSettled, do: Doing) -> None:
    """An outcome counts on its business instant."""
    await record(do, step(do.envelope, "answered", event.on))


async def happened(event: Bare, do: Doing) -> None:
    """A step that counts when it happened; its name is the verb of the event."""
    await record(do, step(do.envelope, do.envelope.name.partition(".")[2], do.envelope.time))


for _verb in ("confirmed", "reopened", "returned", "overdue", "escalated", "replied", "closed"):
    REACTIONS.on(f"{CASE}.{_verb}.v1")(happened)
for _verb in ("accepted", "declined", "expired", "done", "confirmed", "cancelled"):
    REACTIONS.on(f"{ORDER}.{_verb}.v1")(happened)


@REACTIONS.on(f"{ORDER}.requested.v1")
async def order_requested(event: OrderRequested, do: Doing) -> None:
    """An order counts from the day it was asked for."""
    await record(do, begun(do.envelope, "order", do.envelope.time, {"line": event.line, "mode": event.mode}))


@REACTIONS.on(f"{HOURS}.booked.v1")
async def hours_booked(event: HoursBooked, do: Doing) -> None:
    """Minutes are added up from entries, never typed."""
    fields = begun(do.envelope, "hours", do.envelope.time, {"volunteer": event.volunteer})
    await record(do, fields | step(do.envelope, "booked", do.envelope.time, event.minutes))


@REACTIONS.on(f"{HOURS}.corrected.v1")
async def hours_corrected(event: HoursBooked, do: Doing) -> None:
    """A counter-entry carries negative minutes."""
    await record(do, step(do.envelope, "corrected", do.envelope.time, event.minutes))


@REACTIONS.on("linli.directory.unit.registered.v1")
async def unit_registered(event: UnitRegistered, do: Doing) -> None:
    """Units are counted by kind; grids also by layer and level."""
    more = {"layer": event.layer, "level": event.level}
    dims = {"kind": event.kind} | {name: value for name, value in more.items() if value}
    await record(do, begun(do.envelope, "unit", do.envelope.time, dims))


@REACTIONS.on("linli.directory.household.registered.v1")
async def household_registered(event: Bare, do: Doing) -> None:
    """A household of the register."""
    await record(do, begun(do.envelope, "household", do.envelope.time, {}))


@REACTIONS.on("linli.directory.resident.registered.v1")
async def resident_registered(event: Bare, do: Doing) -> None:
    """A resident of the register."""
    await record(do, begun(do.envelope, "resident", do.envelope.time, {}))


@REACTIONS.on("linli.directory.staff.registered.v1")
async def staff_registered(event: StaffRegistered, do: Doing) -> None:
    """A member of staff, by post."""
    await record(do, begun(do.envelope, "staff", do.envelope.time, {"post": event.post} if event.post else {}))


@REACTIONS.on("linli.directory.visit.recorded.v1")
async def visit_recorded(event: VisitRecorded, do: Doing) -> None:
    """A visit, by purpose."""
    await record(do, begun(do.envelope, "visit", event.on, {"purpose": event.purpose}))


@REACTIONS.on("linli.volunteers.volunteer.registered.v1")
async def volunteer_registered(event: Bare, do: Doing) -> None:
    """A registered volunteer."""
    await record(do, begun(do.envelope, "volunteer", do.envelope.time, {}))


async def ended(event: Bare, do: Doing) -> None:
    """What ended no longer counts in a level from that moment on; the earliest end stays."""
    await record(do, step(do.envelope, "ended", do.envelope.time), {"$min": {"until": do.envelope.time}})


for _type in (
    "linli.directory.unit.closed.v1",
    "linli.directory.household.closed.v1",
    "linli.directory.resident.closed.v1",
    "linli.directory.resident.merged.v1",
    "linli.directory.staff.ended.v1",
    "linli.volunteers.volunteer.closed.v1",
):
    REACTIONS.on(_type)(ended)
