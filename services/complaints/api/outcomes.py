"""Outcome, call-back, closing."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow
from services.complaints.api.bodies import CallingBack, Objecting, Reasoned, Settling
from services.complaints.api.stepping import take
from services.complaints.domain import commands as c
from services.complaints.domain.events import Outcome

router = APIRouter()
Settler = Annotated[Caller, Depends(allow("case.settle"))]
Asker = Annotated[Caller, Depends(allow("case.call_back"))]


@router.post("/cases/{case}/solve")
async def solve_case(
    case: str, body: Settling, caller: Settler, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """已解决 · The matter was put right; ``reply`` tells the resident how."""
    return await take(running, caller, case, operation, version, _settle(caller, "solved", body.reply))


@router.post("/cases/{case}/answer")
async def answer_case(
    case: str, body: Settling, caller: Settler, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """已答复 · It needed words, or could not be put right; ``reply`` says why."""
    return await take(running, caller, case, operation, version, _settle(caller, "answered", body.reply))


def _settle(caller: Caller, outcome: Outcome, reply: str):  # type: ignore[no-untyped-def]
    return lambda rules, by: c.Settle(rules, by, caller.roles, outcome, reply)


@router.post("/cases/{case}/confirm")
async def confirm_case(
    case: str, body: CallingBack, caller: Asker, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """回访确认 · The resident agreed when called back (LAW-43)."""
    return await take(
        running, caller, case, operation, version, lambda rules, by: c.Confirm(rules, caller.roles, by, body.satisfied)
    )


@router.post("/cases/{case}/reopen")
async def reopen_case(
    case: str, body: Objecting, caller: Asker, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """重新办理 · It is not done after all; re-done concerns are counted (LAW-45)."""
    return await take(
        running,
        caller,
        case,
        operation,
        version,
        lambda rules, by: c.Reopen(rules, caller.roles, body.reason, by, body.callback, body.note),
    )


@router.post("/cases/{case}/close")
async def close_case(
    case: str,
    body: Reasoned,
    caller: Annotated[Caller, Depends(allow("case.close"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """办结归档 · Close a settled concern whose resident was not reached."""
    return await take(
        running, caller, case, operation, version, lambda rules, by: c.Close(rules, by, caller.roles, body.reason)
    )
