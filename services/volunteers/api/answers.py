"""What volunteers without an account tell the coordinator, who answers in their name; the history says who did."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow
from services.volunteers.api.bodies import DecliningFor, DoneFor, Member
from services.volunteers.api.stepping import Id, found_order, take
from services.volunteers.candidates import unfit
from services.volunteers.domain.order.commands import Accept, Decline, ReportDone
from services.volunteers.domain.order.workflow import COORDINATOR

router = APIRouter()
Answering = Annotated[Caller, Depends(allow("order.answer"))]


@router.post("/orders/{order}/accept")
async def accept_for(
    order: Id, body: Member, caller: Answering, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """代为接单 · The volunteer said yes."""
    stored = await found_order(running, caller.unit, order)
    reasons = await unfit(running, stored, body.volunteer, operation.at)
    return await take(running, order, Accept(body.volunteer, reasons, COORDINATOR), operation, version)


@router.post("/orders/{order}/decline")
async def decline_for(
    order: Id, body: DecliningFor, caller: Answering, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """代为退单 · The volunteer said no, or cannot go after all."""
    command = Decline(body.volunteer, body.reason, body.note, COORDINATOR)
    return await take(running, order, command, operation, version)


@router.post("/orders/{order}/done")
async def report_done_for(
    order: Id, body: DoneFor, caller: Answering, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """代报完成 · The volunteer says that it is done."""
    return await take(running, order, ReportDone(body.volunteer, body.minutes, COORDINATOR), operation, version)
