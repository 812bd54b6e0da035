"""Hours of service."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from services.chassis.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.queries import Asked, Scoped
from services.kernel.events import Value
from services.kernel.values import Code
from services.volunteers.api.volunteers import own_entry
from services.volunteers.domain.hours import Correct
from services.volunteers.queries import HOURS, volunteer_shown

router = APIRouter()
Id = Annotated[str, Field(max_length=100)]


class CorrectionBody(Value):
    """The right total in minutes, and why."""

    total: int
    reason: Code


@router.get("/hours")
async def list_hours(
    runtime: Running, asked: Annotated[Asked, Depends(listing(HOURS))],
    caller: Annotated[Caller, Depends(allow("hours.list"))],
) -> Answer:  # fmt: skip
    """The booked deeds of the caller's unit, newest first."""
    return Answer(await Scoped.on(runtime.database, "hours").page(caller.unit, asked))


@router.get("/me/hours")
async def list_own_hours(runtime: Running, caller: Annotated[Caller, Depends(allow("self.read"))]) -> Answer:
    """The caller's own record of service: every volunteer may look at it and ask for correction."""
    me = await own_entry(runtime, caller)
    found = await Scoped.on(runtime.database, "hours").find(caller.unit, {"state.volunteer": me["_id"]}, limit=200)
    items = [volunteer_shown(document) for document in found]
    return Answer({"items": items, "minutes": sum(item["total"] for item in items)})


@router.post("/hours/{hours}/correct")
async def correct_hours(
    hours: Id, body: CorrectionBody, runtime: Running, operation: Operation, version: IfVersion,
    caller: Annotated[Caller, Depends(allow("hours.correct"))],
) -> Answer:  # fmt: skip
    """Set a deed's minutes right by a counter-entry; the first entry stays as it is."""
    command = Correct(body.total, body.reason)
    return answer(await runtime.histories["hours"].change(hours, command, operation, if_version=version))
