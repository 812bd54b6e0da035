"""Service orders as those who ask for them and send them out see them (VOL-03)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.kernel.events import Refused
from services.volunteers.api.bodies import Cancelling, Requesting, Task
from services.volunteers.api.stepping import Id, found_order, history_shown, take, worker
from services.volunteers.candidates import ranking
from services.volunteers.codes import code_of, hash_of
from services.volunteers.domain.order.commands import Cancel, Confirm, Describe, Match, Redo, Request
from services.volunteers.queries import ORDER, ORDERS, VOLUNTEER, order_shown
from services.volunteers.rulebook import rules_now

router = APIRouter()
Reading = Annotated[Caller, Depends(allow("order.read"))]
Matching = Annotated[Caller, Depends(allow("order.match"))]
Confirming = Annotated[Caller, Depends(allow("order.confirm"))]


@router.post("/orders", status_code=201)
async def request_order(
    body: Requesting,
    caller: Annotated[Caller, Depends(allow("order.request"))],
    operation: Operation,
    running: Running,
) -> Answer:
    """申请志愿服务 · Ask for a deed. Candidates are looked for at once; the answer does not wait for them."""
    view = await running.units.get(body.unit)
    await _refuse_stranger(running, view.scope[0], body.volunteer)
    order = id_for(ORDER, operation.operation)
    code = code_of(running.settings.lookup_key, order)
    command = Request(
        rules=await rules_now(running, body.unit, view.zone, operation.at),
        zone=view.zone,
        task=body.task.words(),
        keys={"code": [hash_of(running.settings.lookup_key, code)]},
        **{name: value for name, value in body if name != "task"},
    )
    written = await running.histories[ORDER].create(order, body.unit, command, operation)
    return answer(written, location=f"/orders/{written.id}", status=201, code=code)


@router.get("/orders")
async def list_orders(asked: Annotated[Asked, Depends(listing(ORDERS))], caller: Reading, running: Running) -> Answer:
    """服务订单 · The orders of the caller's unit, newest first; ``stage=unfilled`` for those that nobody took."""
    return Answer(await Scoped.on(running.database, ORDER).page(caller.unit, asked))


@router.get("/orders/{order}")
async def read_order(order: Id, caller: Reading, running: Running) -> Answer:
    """订单详情 · One order without what is to be done."""
    found = await Scoped.on(running.database, ORDER).get(caller.unit, order)
    return Answer(order_shown(found), version=found["version"])


@router.get("/orders/{order}/history")
async def read_history(order: Id, caller: Reading, running: Running) -> Answer:
    """办理经过 · Who did what when, oldest first."""
    return history_shown(await running.histories[ORDER].entries(order, scope=caller.unit))


@router.get("/orders/{order}/candidates")
async def rank_candidates(order: Id, caller: Matching, running: Running) -> Answer:
    """候选志愿者 · Who may be asked now, best first with reasons, and who was passed over and why."""
    stored = await found_order(running, caller.unit, order)
    return Answer(await ranking(running, stored, running.clock.now()))


@router.get("/orders/{order}/code")
async def read_code(order: Id, caller: Annotated[Caller, Depends(allow("order.code"))], running: Running) -> Answer:
    """确认码 · To be told to the resident, who confirms the deed with it. Who serves the order never sees it."""
    stored = await found_order(running, caller.unit, order)
    if stored.state.volunteer is not None and stored.state.volunteer == await worker(running, caller):
        raise Refused("own-deed")
    return Answer({"code": code_of(running.settings.lookup_key, stored.id)})


@router.post("/orders/{order}/task")
async def describe_task(
    order: Id,
    body: Task,
    caller: Annotated[Caller, Depends(allow("order.describe"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """填写服务内容 · What is to be done, where and for whom: sealed, for the volunteer who has accepted."""
    return await take(running, order, Describe(body.words()), operation, version)


@router.post("/orders/{order}/match")
async def match_order(order: Id, caller: Matching, operation: Operation, running: Running) -> Answer:
    """派单 · Offer it to the best match now. That happens by itself; by hand after the district's rules were set."""
    stored = await found_order(running, caller.unit, order)
    ranked = await ranking(running, stored, operation.at)
    return await take(running, order, Match(tuple(one.id for one in ranked.ranked)), operation)


@router.post("/orders/{order}/confirm")
async def confirm_order(
    order: Id, caller: Confirming, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """回访确认 · A worker has asked the resident, who agrees. Nobody confirms a deed of his own."""
    return await take(running, order, Confirm("callback", await worker(running, caller)), operation, version)


@router.post("/orders/{order}/redo")
async def redo_order(
    order: Id, caller: Confirming, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """回访不认可 · A worker has asked the resident, who says it is not done."""
    return await take(running, order, Redo("callback", await worker(running, caller)), operation, version)


@router.post("/orders/{order}/cancel")
async def cancel_order(
    order: Id,
    body: Cancelling,
    caller: Annotated[Caller, Depends(allow("order.cancel"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """撤单 · Not wanted any more."""
    return await take(running, order, Cancel(body.reason, body.note), operation, version)


async def _refuse_stranger(running: Running, district: str, named: str | None) -> None:
    """A named volunteer may live anywhere in the district. Refused: ``volunteer-unknown``."""
    if named and not await Scoped.on(running.database, VOLUNTEER).count(district, {"_id": named}, 1):
        raise Refused("volunteer-unknown", "volunteer")
