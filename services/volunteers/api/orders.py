"""Service orders: asked for, matched, accepted, done, confirmed."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.chassis.access import Caller
from services.chassis.context import Context
from services.chassis.history import id_for
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.queries import Asked, Scoped
from services.chassis.runtime import Runtime
from services.kernel.events import Refused, Value
from services.kernel.values import Code, day_at
from services.volunteers.api.volunteers import ReasonBody, own_entry
from services.volunteers.candidates import fits, ranking
from services.volunteers.codes import code_of, key_of
from services.volunteers.domain.order import Mode
from services.volunteers.domain.ordering import Accept, Cancel, Confirm, Decline, Match, Redo, ReportDone, Request
from services.volunteers.queries import ORDERS, order_shown
from services.volunteers.rules import decided

router = APIRouter()
Id = Annotated[str, Field(max_length=100)]
Asking = Annotated[Caller, Depends(allow("order.request"))]
Reading = Annotated[Caller, Depends(allow("order.read"))]
Matching = Annotated[Caller, Depends(allow("order.match"))]
Confirming = Annotated[Caller, Depends(allow("order.confirm"))]
Answering = Annotated[Caller, Depends(allow("offer.answer"))]


class OrderBody(Value):
    """A deed that is asked for. ``task`` says what is to be done, ``place`` where: both are sealed."""

    unit: Id
    mode: Mode
    line: Code
    task: str = Field(min_length=1, max_length=4000)
    place: str = Field(default="", max_length=500)
    resident: Id | None = None
    volunteer: Id | None = None
    on: date | None = None


class DoneBody(Value):
    """The minutes actually given."""

    minutes: int


@router.post("/orders", status_code=201)
async def request_order(body: OrderBody, runtime: Running, operation: Operation, caller: Asking) -> Answer:
    """Ask for a deed. Candidates are looked for at once; the answer does not wait for them."""
    zone = (await runtime.units.get(body.unit)).zone
    today = day_at(operation.at, zone)
    if body.on is not None and body.on < today:
        raise Refused("activity-day-past", "on")
    district = await decided(runtime, body.unit, today)
    district.line(body.line)
    order = id_for("order", operation.operation)
    code = code_of(runtime.sealing, await runtime.units.district_of(body.unit), order)
    request = Request(
        unit=body.unit, mode=body.mode, line=body.line, zone=zone, limits=district.limits,
        task={"task": body.task, "place": body.place}, keys={"code": [key_of(runtime.sealing, code)]},
        resident=body.resident, volunteer=body.volunteer, on=body.on,
    )  # fmt: skip
    written = await runtime.histories["order"].create(order, body.unit, request, operation)
    return answer(written, status=201, location=f"/orders/{written.id}", code=code)


@router.get("/orders")
async def list_orders(
    runtime: Running, asked: Annotated[Asked, Depends(listing(ORDERS))],
    caller: Annotated[Caller, Depends(allow("order.list"))],
) -> Answer:  # fmt: skip
    """The orders of the caller's unit, newest first, without the tasks."""
    return Answer(await Scoped.on(runtime.database, "order").page(caller.unit, asked))


@router.get("/orders/{order}")
async def read_order(order: Id, runtime: Running, caller: Reading) -> Answer:
    """One order with its history."""
    stored = await runtime.histories["order"].get(order, scope=caller.unit)
    entries = await runtime.histories["order"].entries(order, scope=caller.unit)
    shown = {"id": stored.id, "unit": stored.unit, "version": stored.version} | stored.state.model_dump()
    return Answer(shown | {"history": [_entry_shown(entry) for entry in entries]}, version=stored.version)


def _entry_shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("seq", "type", "at", "by", "data")}


@router.get("/orders/{order}/candidates")
async def rank_candidates(order: Id, runtime: Running, caller: Matching) -> Answer:
    """Who may be asked now, best first with reasons, and who was passed over and why."""
    stored = await runtime.histories["order"].get(order, scope=caller.unit)
    return Answer((await ranking(runtime, stored.id, stored.state, runtime.clock.now())).model_dump())


@router.get("/orders/{order}/code")
async def read_code(
    order: Id, runtime: Running, caller: Annotated[Caller, Depends(allow("order.code"))]
) -> Answer:
    """The code to be told to the resident, who confirms the deed with it. The volunteer never sees it."""
    stored = await runtime.histories["order"].get(order, scope=caller.unit)
    return Answer({"code": code_of(runtime.sealing, stored.scope[0], stored.id)})


@router.get("/orders/{order}/task")
async def read_task(
    order: Id, runtime: Running, because: Annotated[str, Query(min_length=1, max_length=500)],
    caller: Annotated[Caller, Depends(allow("task.read"))],
) -> Answer:  # fmt: skip
    """What is to be done and where. The read is recorded with its purpose."""
    stored = await runtime.histories["order"].get(order, scope=caller.unit)
    return Answer(await runtime.sealing.reveal(caller, stored, "task", because=because))


@router.post("/orders/{order}/match")
async def match_order(order: Id, runtime: Running, operation: Operation, caller: Matching) -> Answer:
    """Look for candidates again, for an order that came back from who had accepted it."""
    stored = await runtime.histories["order"].get(order, scope=caller.unit)
    ranked = await ranking(runtime, stored.id, stored.state, operation.at)
    command = Match(tuple(one.id for one in ranked.ranked))
    return answer(await runtime.histories["order"].change(order, command, operation))


@router.post("/orders/{order}/confirm")
async def confirm_order(
    order: Id, runtime: Running, operation: Operation, version: IfVersion, caller: Confirming
) -> Answer:
    """A worker has asked the resident, who agrees."""
    return answer(await runtime.histories["order"].change(order, Confirm("callback"), operation, if_version=version))


@router.post("/orders/{order}/redo")
async def redo_order(
    order: Id, runtime: Running, operation: Operation, version: IfVersion, caller: Confirming
) -> Answer:
    """A worker has asked the resident, who says it is not done."""
    return answer(await runtime.histories["order"].change(order, Redo("callback"), operation, if_version=version))


@router.post("/orders/{order}/cancel")
async def cancel_order(
    order: Id, body: ReasonBody, runtime: Running, operation: Operation, version: IfVersion,
    caller: Annotated[Caller, Depends(allow("order.cancel"))],
) -> Answer:  # fmt: skip
    """Not wanted any more."""
    return answer(await runtime.histories["order"].change(order, Cancel(body.reason), operation, if_version=version))


@router.get("/offers")
async def list_offers(runtime: Running, caller: Answering) -> Answer:
    """What the caller, a volunteer, has been offered or has accepted, and the open orders of activity days."""
    me = await own_entry(runtime, caller)
    orders = Scoped.on(runtime.database, "order")
    mine = {"state.volunteer": me["_id"], "state.stage": {"$in": ["offered", "accepted", "done"]}}
    days = {"state.stage": "requested", "state.mode": "activity_day", "state.line": {"$in": me["state"]["lines"]}}
    found = await orders.find(caller.unit, mine) + await orders.find(caller.unit, days)
    return Answer({"items": [order_shown(document) for document in found]})


@router.get("/offers/{order}/task")
async def read_own_task(
    order: Id, runtime: Running, caller: Annotated[Caller, Depends(allow("task.read.own"))]
) -> Answer:
    """What is to be done and where, for the volunteer who has accepted. The read is recorded."""
    me = await own_entry(runtime, caller)
    stored = await runtime.histories["order"].get(order, scope=caller.unit)
    if stored.state.volunteer != me["_id"] or stored.state.stage not in ("accepted", "done"):
        raise Refused("order-not-yours", "order")
    return Answer(await runtime.sealing.reveal(caller, stored, "task", because="own order"))


@router.post("/offers/{order}/accept")
async def accept_offer(order: Id, runtime: Running, operation: Operation, caller: Answering) -> Answer:
    """The caller takes the order."""
    me = await own_entry(runtime, caller)
    stored = await runtime.histories["order"].get(order, scope=caller.unit)
    open_day = stored.state.mode == "activity_day" and stored.state.stage == "requested"
    able = not open_day or await fits(runtime, stored.id, stored.state, me["_id"], operation.at)
    return await _as_volunteer(runtime, order, Accept(me["_id"], able), operation)


@router.post("/offers/{order}/decline")
async def decline_offer(
    order: Id, body: ReasonBody, runtime: Running, operation: Operation, caller: Answering
) -> Answer:
    """The caller does not take the order, or cannot go after all; the next candidate is asked."""
    me = await own_entry(runtime, caller)
    return await _as_volunteer(runtime, order, Decline(me["_id"], body.reason), operation)


@router.post("/offers/{order}/done")
async def report_done(order: Id, body: DoneBody, runtime: Running, operation: Operation, caller: Answering) -> Answer:
    """The caller has done it, in the minutes actually given."""
    me = await own_entry(runtime, caller)
    return await _as_volunteer(runtime, order, ReportDone(me["_id"], body.minutes), operation)


async def _as_volunteer(runtime: Runtime, order: str, command: Any, operation: Context) -> Answer:
    return answer(await runtime.histories["order"].change(order, command, operation))
