"""What volunteers does when events arrive."""

from services.chassis.history import id_for
from services.chassis.reactions import Doing, Reactions
from services.kernel.events import Refused
from services.kernel.values import day_at
from services.volunteers.candidates import ranking
from services.volunteers.codes import code_of, key_of
from services.volunteers.domain.hours import Book
from services.volunteers.domain.ordering import Cancel, Match, Request
from services.volunteers.readers import OrderConfirmed, OrderNotWanted, OrderRequested, OrderWanted
from services.volunteers.rules import decided

REACTIONS = Reactions("volunteers")
CASE, ORDER = "linli.complaints.case", "linli.volunteers.order"


@REACTIONS.on(f"{CASE}.order_requested.v1")
async def take_order(event: OrderWanted, do: Doing) -> None:
    """A concern asks for a deed: an order of the id that the concern has named."""
    runtime, unit = do.runtime, event.unit
    zone = (await runtime.units.get(unit)).zone
    district = await decided(runtime, unit, day_at(runtime.clock.now(), zone))
    district.line(event.line)
    code = code_of(runtime.sealing, await runtime.units.district_of(unit), event.order)
    request = Request(
        unit=unit, mode=event.mode, line=event.line, zone=zone, limits=district.limits, task={},
        keys={"code": [key_of(runtime.sealing, code)]}, case=do.envelope.subject, resident=event.resident,
        volunteer=event.volunteer,
    )  # fmt: skip
    await runtime.histories["order"].create(event.order, unit, request, do.context())


@REACTIONS.on(f"{CASE}.order_waived.v1")
async def drop_order(event: OrderNotWanted, do: Doing) -> None:
    """The concern goes on without it. An order that is done or over stays as it is."""
    try:
        await do.change("order", event.order, Cancel(reason="waived"))
    except Refused as refused:
        if refused.code != "step-not-from-here":
            raise


@REACTIONS.on(f"{ORDER}.requested.v1")
async def find_candidates(event: OrderRequested, do: Doing) -> None:
    """Rank who may be asked and offer to the first. On an activity day the volunteers come by themselves."""
    if event.mode == "activity_day":
        return
    stored = await do.runtime.histories["order"].get(do.envelope.subject, scope=None)
    if stored.state.stage != "requested":
        return
    ranked = await ranking(do.runtime, stored.id, stored.state, do.runtime.clock.now())
    await do.change("order", stored.id, Match(tuple(one.id for one in ranked.ranked)))


@REACTIONS.on(f"{ORDER}.confirmed.v1")
async def book_hours(event: OrderConfirmed, do: Doing) -> None:
    """Book the minutes of a confirmed deed, once: the entry's id is made of order and volunteer."""
    order, unit = do.envelope.subject, do.envelope.unit
    book = Book(unit, event.volunteer, order, event.line, event.minutes, event.case)
    hours = do.runtime.histories["hours"]
    await hours.create(id_for("hours", f"{order}|{event.volunteer}"), unit, book, do.context())
