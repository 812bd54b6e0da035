"""What a resident may do with the code of an order, without an account."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from services.chassis.http import Answer, Operation, Running, answer, open_to_all
from services.chassis.queries import Scoped
from services.chassis.runtime import Runtime
from services.volunteers.codes import key_of
from services.volunteers.domain.ordering import Confirm, Redo

router = APIRouter(prefix="/public", dependencies=[Depends(open_to_all())])
Code = Annotated[str, Field(max_length=40)]


@router.get("/orders/{code}")
async def follow_order(code: Code, runtime: Running) -> Answer:
    """Where the deed stands. Neither the volunteer nor the task is told."""
    found = await _order(runtime, code)
    state = found["state"]
    return Answer({"stage": state["stage"], "line": state["line"], "minutes": state["minutes"]})


@router.post("/orders/{code}/confirm")
async def confirm_deed(code: Code, runtime: Running, operation: Operation) -> Answer:
    """The resident says that it is done."""
    found = await _order(runtime, code)
    return answer(await runtime.histories["order"].change(found["_id"], Confirm("resident"), operation))


@router.post("/orders/{code}/redo")
async def object_to_deed(code: Code, runtime: Running, operation: Operation) -> Answer:
    """The resident says that it is not done."""
    found = await _order(runtime, code)
    return answer(await runtime.histories["order"].change(found["_id"], Redo("resident"), operation))


async def _order(runtime: Runtime, code: str) -> dict[str, Any]:
    return await Scoped.on(runtime.database, "order").held("code", key_of(runtime.sealing, code.strip().upper()))
