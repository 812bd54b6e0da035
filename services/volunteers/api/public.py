"""What a resident may do with the code of an order, without an account."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from services.chassis.errors import NotFound
from services.chassis.http import Answer, Operation, Running, open_to_all
from services.chassis.storage.driver import Document
from services.chassis.storage.queries import Scoped
from services.volunteers.api.stepping import take
from services.volunteers.codes import hash_of
from services.volunteers.domain.order.commands import Confirm, Redo
from services.volunteers.queries import ORDER
from services.volunteers.texts import STAGES

LOOKING = open_to_all(per_minute=60, burst=30)  # one limit for all three: each try of a code counts
router = APIRouter(prefix="/public", dependencies=[Depends(LOOKING)])
Code = Annotated[str, Path(max_length=200)]


@router.get("/orders/{code}")
async def follow_order(code: Code, running: Running) -> Answer:
    """查询进度 · Where the deed stands. Neither the volunteer nor the task is told."""
    state = (await _order(running, code))["state"]
    zh, en = STAGES[state["stage"]]
    page = {name: state[name] for name in ("stage", "line", "minutes", "on", "start", "end")}
    return Answer(page | {"stage_text": {"zh": zh, "en": en}, "may_confirm": state["stage"] == "done"})


@router.post("/orders/{code}/confirm")
async def confirm_deed(code: Code, operation: Operation, running: Running) -> Answer:
    """确认完成 · The resident says that it is done."""
    return await take(running, (await _order(running, code))["_id"], Confirm("resident"), operation)


@router.post("/orders/{code}/redo")
async def object_to_deed(code: Code, operation: Operation, running: Running) -> Answer:
    """尚未完成 · The resident says that it is not done."""
    return await take(running, (await _order(running, code))["_id"], Redo("resident"), operation)


async def _order(running: Running, code: str) -> Document:
    """Raises NotFound("code-wrong")."""
    try:
        return await Scoped.on(running.database, ORDER).held("code", hash_of(running.settings.lookup_key, code))
    except NotFound:
        raise NotFound("code-wrong") from None
