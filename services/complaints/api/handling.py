"""Taken up, offered, taken over, given back, supplemented."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.errors import Forbidden, Invalid
from services.chassis.http import Answer, IfVersion, Operation, Running, allow
from services.complaints.api.bodies import Dispatching, Reasoned, Supplementing
from services.complaints.api.stepping import found, take
from services.complaints.domain import commands as c
from services.complaints.places import rung_of
from services.kernel.case.custody import Party

router = APIRouter()
Handler = Annotated[Caller, Depends(allow("case.handle"))]


@router.post("/cases/{case}/accept")
async def accept_case(case: str, caller: Handler, operation: Operation, version: IfVersion, running: Running) -> Answer:
    """受理 · Take it up for the unit."""
    return await take(running, caller, case, operation, version, lambda rules, by: c.Accept(rules, by, caller.roles))


@router.post("/cases/{case}/dispatch")
async def dispatch_case(
    case: str, body: Dispatching, caller: Handler, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """派单 · Offer the handling to a person or a unit; a ruling settles disputed duty (LAW-42)."""
    if body.ruling and "case.rule" not in caller.permissions:
        raise Forbidden()
    stored = await found(running, caller, case)
    view = await running.units.get(body.unit)
    if body.unit not in stored.scope:
        raise Invalid("party-cannot-see", field="unit")
    unit = await rung_of(running, body.unit, stored.state.units)
    to = Party(id=body.to, unit=unit) if body.to else Party.of_unit(view.id)
    return await take(
        running,
        caller,
        case,
        operation,
        version,
        lambda rules, by: c.Dispatch(rules, by, caller.roles, to, body.ruling),
    )


@router.post("/cases/{case}/take")
async def take_case(case: str, caller: Handler, operation: Operation, version: IfVersion, running: Running) -> Answer:
    """承办 · Take over what was offered, or begin with what is one's own already."""
    return await take(running, caller, case, operation, version, lambda rules, by: c.Take(rules, by, caller.roles))


@router.post("/cases/{case}/return")
async def return_case(
    case: str, body: Reasoned, caller: Handler, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """退回 · Give back what was offered, with a reason; returns are counted (LAW-45)."""
    return await take(
        running,
        caller,
        case,
        operation,
        version,
        lambda rules, by: c.Return(rules, by, caller.roles, body.reason, body.note),
    )


@router.post("/cases/{case}/supplement")
async def supplement_case(
    case: str, body: Supplementing, caller: Handler, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """补充情况 · Add what became known; what was returned may then be offered again."""
    return await take(running, caller, case, operation, version, lambda rules, by: c.Supplement(by, body.text))
