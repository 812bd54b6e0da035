"""Orders asked of the volunteers (CMP-35)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow
from services.chassis.storage.history import id_for
from services.complaints.api.bodies import Ordering, Reasoned
from services.complaints.api.stepping import take
from services.complaints.domain import commands as c

router = APIRouter()


@router.post("/cases/{case}/orders")
async def request_order(
    case: str,
    body: Ordering,
    caller: Annotated[Caller, Depends(allow("case.order"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """申请志愿服务 · Ask the volunteers of the concern's grid; ``order`` is the id the order will have."""
    order = id_for("order", operation.operation)
    return await take(
        running,
        caller,
        case,
        operation,
        version,
        lambda rules, by: c.RequestOrder(by, order, body.line, body.mode, body.volunteer, body.on, body.must),
        order=order,
    )


@router.post("/cases/{case}/orders/{order}/waive")
async def waive_order(
    case: str,
    order: str,
    body: Reasoned,
    caller: Annotated[Caller, Depends(allow("case.waive"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """免除 · Answer for going on without an order that is still open."""
    return await take(
        running, caller, case, operation, version, lambda rules, by: c.Waive(rules, by, order, body.reason, body.note)
    )
