"""What volunteers does when events arrive. Each step writes one aggregate; its event brings about the next."""

from services.chassis.consuming.reactions import Doing, Reactions
from services.chassis.storage.history import id_for
from services.kernel.events import Refused
from services.volunteers.candidates import BUSY, ranking
from services.volunteers.codes import code_of, hash_of
from services.volunteers.domain import team
from services.volunteers.domain.hours import Book
from services.volunteers.domain.order.commands import WAIVED, Cancel, Decline, Match, ReleaseReason, Request
from services.volunteers.domain.order.workflow import SERVICE
from services.volunteers.queries import HOURS, ORDER, TEAM
from services.volunteers.readers import (
    OrderConfirmed,
    OrderNotWanted,
    OrderRequested,
    OrderTurnedDown,
    OrderWanted,
    VolunteerChanged,
    VolunteerClosed,
)
from services.volunteers.rulebook import rules_now

REACTIONS = Reactions("volunteers")
CASE, OWN_ORDER, OWN_VOLUNTEER = "linli.complaints.case", "linli.volunteers.order", "linli.volunteers.volunteer"


@REACTIONS.on(f"{CASE}.order_requested.v1")
async def take_order(event: OrderWanted, do: Doing) -> None:
    """A concern asks for a deed: an order of the id that the concern has named. What is to be done follows by hand."""
    runtime, unit, context = do.runtime, event.unit, do.context()
    zone = (await runtime.units.get(unit)).zone
    code = code_of(runtime.settings.lookup_key, event.order)
    request = Request(
        rules=await rules_now(runtime, unit, zone, context.at),
        unit=unit,
        mode=event.mode,
        line=event.line,
        zone=zone,
        task={},
        keys={"code": [hash_of(runtime.settings.lookup_key, code)]},
        case=do.envelope.subject,
        resident=event.resident,
        volunteer=event.volunteer,
        on=event.on,
    )
    await runtime.histories[ORDER].create(event.order, unit, request, context)


@REACTIONS.on(f"{CASE}.order_waived.v1")
async def drop_order(event: OrderNotWanted, do: Doing) -> None:
    """The concern goes on without it. A deed that is done, or an order that is over, stays as it is."""
    try:
        await do.change(ORDER, event.order, Cancel(WAIVED))
    except Refused as refused:
        if refused.code != "step-not-from-here":
            raise


@REACTIONS.on(f"{OWN_ORDER}.requested.v1")
async def find_first(event: OrderRequested, do: Doing) -> None:
    """Offer it to the best match. On an activity day the volunteers come by themselves."""
    await _offer_to_best(do)


@REACTIONS.on(f"{OWN_ORDER}.declined.v1")
async def ask_after_declined(event: OrderTurnedDown, do: Doing) -> None:
    """Offer it to whoever matches best now."""
    if not event.last:
        await _offer_to_best(do)


@REACTIONS.on(f"{OWN_ORDER}.expired.v1")
async def ask_after_expired(event: OrderTurnedDown, do: Doing) -> None:
    """Offer it to whoever matches best now."""
    if not event.last:
        await _offer_to_best(do)


async def _offer_to_best(do: Doing) -> None:
    stored = await do.runtime.histories[ORDER].get(do.envelope.subject, scope=None)
    if stored.state.stage != "requested" or stored.state.mode == "activity_day":
        return
    ranked = await ranking(do.runtime, stored, do.runtime.clock.now())
    try:
        await do.change(ORDER, stored.id, Match(tuple(one.id for one in ranked.ranked)))
    except Refused as refused:
        if refused.code not in ("order-over", "offer-open"):  # cancelled, or offered by hand, while we were ranking
            raise


@REACTIONS.on(f"{OWN_ORDER}.confirmed.v1")
async def book_hours(event: OrderConfirmed, do: Doing) -> None:
    """Book the minutes of a confirmed deed, once: the account's id is made of order and volunteer."""
    order, unit = do.envelope.subject, do.envelope.unit
    book = Book(unit, event.volunteer, order, event.line, event.minutes, event.case)
    hours = do.runtime.histories[HOURS]
    await hours.create(id_for(HOURS, f"{order}|{event.volunteer}"), unit, book, do.context())


@REACTIONS.on(f"{OWN_VOLUNTEER}.changed.v1")
async def let_go_without_consent(event: VolunteerChanged, do: Doing) -> None:
    """Who has withdrawn consent holds no order any more."""
    if not event.consent:
        await _release(do, "consent-withdrawn")


@REACTIONS.on(f"{OWN_VOLUNTEER}.closed.v1")
async def let_go_of_orders(event: VolunteerClosed, do: Doing) -> None:
    """Who has left holds no order any more; a deed that is done stays his."""
    await _release(do, "left")


@REACTIONS.on(f"{OWN_VOLUNTEER}.closed.v1")
async def leave_teams(event: VolunteerClosed, do: Doing) -> None:
    """Who has left is in no team any more."""
    volunteer = do.envelope.subject
    async for found in do.collection(TEAM).iterate({"state.members": volunteer, "state.closed": False}, {"_id": 1}):
        try:
            await do.change(TEAM, found["_id"], team.Leave(volunteer, left=True))
        except Refused as refused:
            if refused.code not in ("member-unknown", "team-closed"):  # meanwhile
                raise


async def _release(do: Doing, reason: ReleaseReason) -> None:
    volunteer = do.envelope.subject
    held = {"state.volunteer": volunteer, "state.stage": {"$in": list(BUSY)}}
    async for found in do.collection(ORDER).iterate(held, {"_id": 1}):
        try:
            await do.change(ORDER, found["_id"], Decline(volunteer, reason, role=SERVICE))
        except Refused as refused:
            if refused.code != "offer-not-yours":  # meanwhile
                raise
