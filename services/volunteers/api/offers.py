"""Orders as the volunteer sees them: only those offered to or taken by him, and open activity days near him."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.errors import NotFound
from services.chassis.http import Answer, Operation, Running, allow
from services.chassis.storage.driver import Document
from services.chassis.storage.history import Stored
from services.chassis.storage.queries import Scoped
from services.kernel.events import Refused
from services.volunteers.api.bodies import Declining, Done
from services.volunteers.api.stepping import Id, as_own, found_order, me, take
from services.volunteers.candidates import unfit
from services.volunteers.domain.order.commands import Accept, Decline, ReportDone
from services.volunteers.domain.order.state import Order
from services.volunteers.places import steps_up
from services.volunteers.queries import ORDER, offer_shown
from services.volunteers.rulebook import rules_now

router = APIRouter()
Answering = Annotated[Caller, Depends(allow("offer.answer"))]
HELD = ("offered", "accepted", "done")


@router.get("/offers")
async def list_offers(caller: Answering, running: Running) -> Answer:
    """我的派单 · What the caller has been offered or has taken, and the open activity days of his lines nearby."""
    own = await me(running, caller)
    orders = Scoped.on(running.database, ORDER)
    mine = {"state.volunteer": own["_id"], "state.stage": {"$in": list(HELD)}}
    found = await orders.find(own["scope"][0], mine, sort=("-state.requested",))
    if not own["state"]["closed"]:
        lines = {"$in": own["state"]["lines"]}
        days = {"state.stage": "requested", "state.mode": "activity_day", "state.line": lines}
        found += await orders.find(await _nearby(running, own["unit"]), days, sort=("state.on",))
    return Answer({"items": [offer_shown(document) for document in found]})


@router.get("/offers/{order}/task")
async def read_own_task(order: Id, caller: Answering, running: Running) -> Answer:
    """服务内容 · What is to be done and where, for who has accepted. The read is recorded."""
    own = await me(running, caller)
    stored = await _told(running, own, order)
    if stored.state.volunteer != own["_id"]:
        raise NotFound()
    if stored.state.stage == "offered":
        raise Refused("task-after-acceptance")
    return Answer(await running.sealing.reveal(caller, stored, "task", because="own order"))


@router.post("/offers/{order}/accept")
async def accept_offer(order: Id, caller: Answering, operation: Operation, running: Running) -> Answer:
    """接单 · The caller takes the order."""
    own = await me(running, caller)
    reasons = await unfit(running, await _told(running, own, order), own["_id"], operation.at)
    return await take(running, order, Accept(own["_id"], reasons), as_own(operation, own))


@router.post("/offers/{order}/decline")
async def decline_offer(
    order: Id, body: Declining, caller: Answering, operation: Operation, running: Running
) -> Answer:
    """谢绝 · The caller does not take it, or cannot go after all; the next one is asked."""
    own = await me(running, caller)
    await _told(running, own, order)
    return await take(running, order, Decline(own["_id"], body.reason, body.note), as_own(operation, own))


@router.post("/offers/{order}/done")
async def report_done(order: Id, body: Done, caller: Answering, operation: Operation, running: Running) -> Answer:
    """完成 · The caller has done it, in the minutes actually given."""
    own = await me(running, caller)
    await _told(running, own, order)
    return await take(running, order, ReportDone(own["_id"], body.minutes), as_own(operation, own))


async def _told(running: Running, own: Document, order: str) -> Stored[Order]:
    """An order that the volunteer knows of: asked or going, or of an activity day. Any other is not found."""
    stored = await found_order(running, own["scope"][0], order)
    state = stored.state
    if own["_id"] not in (state.volunteer, *state.asked) and state.mode != "activity_day":
        raise NotFound()
    return stored


async def _nearby(running: Running, unit: str) -> str:
    """The widest unit from which the volunteer is still within the radius of an order."""
    zone = (await running.units.get(unit)).zone
    rules = await rules_now(running, unit, zone, running.clock.now())
    steps = await steps_up(running.units, unit)
    return steps[min(rules.matching.radius, len(steps)) - 1]
