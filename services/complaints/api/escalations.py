"""Up one level and down again (CMP-11)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow
from services.complaints.api.bodies import Reasoned, Replying
from services.complaints.api.stepping import take
from services.complaints.domain import commands as c

router = APIRouter()


@router.post("/cases/{case}/escalate")
async def escalate_case(
    case: str,
    body: Reasoned,
    caller: Annotated[Caller, Depends(allow("case.escalate"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """上报 · Put it to the level above, which owes a reply."""
    return await take(
        running, caller, case, operation, version, lambda rules, by: c.Escalate(rules, by, body.reason, body.note)
    )


@router.post("/cases/{case}/reply")
async def reply_case(
    case: str,
    body: Replying,
    caller: Annotated[Caller, Depends(allow("case.reply"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """答复下级 · Reply to what was put to one's level; the reply goes down to who asked."""
    return await take(running, caller, case, operation, version, lambda rules, by: c.Reply(by, body.result, body.text))
