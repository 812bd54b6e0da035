"""Hours of service: booked by the confirmation, corrected by a counter-entry (VOL-05, LAW-32, LAW-34)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.queries import Asked, Scoped
from services.volunteers.api.bodies import Correcting, Keeping
from services.volunteers.api.stepping import Id, history_shown, worker
from services.volunteers.domain.hours import Correct, Keep
from services.volunteers.queries import BOOKED, HOURS, hours_shown

router = APIRouter()
Reading = Annotated[Caller, Depends(allow("hours.read"))]
Correction = Annotated[Caller, Depends(allow("hours.correct"))]


@router.get("/hours")
async def list_hours(asked: Annotated[Asked, Depends(listing(BOOKED))], caller: Reading, running: Running) -> Answer:
    """服务时长 · The booked deeds of the caller's unit, newest first; ``disputed=true`` for those to be answered."""
    return Answer(await Scoped.on(running.database, HOURS).page(caller.unit, asked))


@router.get("/hours/{hours}")
async def read_hours(hours: Id, caller: Reading, running: Running) -> Answer:
    """时长详情 · One deed with its entries."""
    found = await Scoped.on(running.database, HOURS).get(caller.unit, hours)
    return Answer(hours_shown(found), version=found["version"])


@router.get("/hours/{hours}/history")
async def read_history(hours: Id, caller: Reading, running: Running) -> Answer:
    """记账经过 · Who booked and corrected what when, oldest first."""
    return history_shown(await running.histories[HOURS].entries(hours, scope=caller.unit))


@router.post("/hours/{hours}/correct")
async def correct_hours(
    hours: Id, body: Correcting, caller: Correction, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """更正时长 · Set a deed's minutes right; what was booked stays, and is taken back by a counter-entry."""
    command = Correct(body.total, body.reason, await worker(running, caller), body.note)
    return answer(await running.histories[HOURS].change(hours, command, operation, if_version=version))


@router.post("/hours/{hours}/keep")
async def keep_hours(
    hours: Id, body: Keeping, caller: Correction, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """维持原时长 · The correction that the volunteer asked for is not made."""
    command = Keep(body.reason, await worker(running, caller))
    return answer(await running.histories[HOURS].change(hours, command, operation, if_version=version))
