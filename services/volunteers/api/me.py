"""What a volunteer sees and changes of his own record (LAW-34)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.queries import Asked, ListSpec, Scoped
from services.volunteers.api.bodies import AskingCorrection, Available
from services.volunteers.api.stepping import Id, as_own, me
from services.volunteers.domain.hours import AskCorrection
from services.volunteers.domain.volunteer import PERSON, ChangeAvailability
from services.volunteers.queries import HOURS, OWN_HOURS, VOLUNTEER, shown

router = APIRouter()
Reading = Annotated[Caller, Depends(allow("self.read"))]
Changing = Annotated[Caller, Depends(allow("self.change"))]
PAGING = ListSpec(HOURS, OWN_HOURS.sort)


@router.get("/me")
async def read_self(caller: Reading, running: Running) -> Answer:
    """我的登记 · The caller's own entry in the register."""
    own = await me(running, caller)
    return Answer(shown(own), version=own["version"])


@router.get("/me/person")
async def read_own_person(caller: Reading, running: Running) -> Answer:
    """我的个人信息 · The caller's own name and phone as they are recorded."""
    own = await me(running, caller)
    stored = await running.histories[VOLUNTEER].get(own["_id"], scope=own["scope"][0])
    return Answer(await running.sealing.reveal(caller, stored, PERSON, because="own record"))


@router.post("/me/availability")
async def change_own_availability(
    body: Available, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """我的服务时间与意愿 · Other times from now on; without ``consent`` the caller is asked no more."""
    own = await me(running, caller)
    command = ChangeAvailability(body.availability())
    history = running.histories[VOLUNTEER]
    return answer(await history.change(own["_id"], command, as_own(operation, own), if_version=version))


@router.get("/me/hours")
async def list_own_hours(
    asked: Annotated[Asked, Depends(listing(PAGING))], caller: Reading, running: Running
) -> Answer:
    """我的服务时长 · The caller's deeds, newest first, with all minutes by line."""
    own = await me(running, caller)
    booked, district = Scoped.on(running.database, HOURS), own["scope"][0]
    filters = {"volunteer": own["_id"], **asked.filters}
    page = await booked.page(district, Asked(OWN_HOURS, filters, asked.limit, asked.cursor))
    sums = [
        {"$match": {"state.volunteer": own["_id"]}},
        {"$group": {"_id": "$state.line", "minutes": {"$sum": "$state.total"}}},
    ]
    lines = {row["_id"]: row["minutes"] for row in await booked.aggregate(district, sums)}
    return Answer({"items": page.items, "next": page.next, "minutes": sum(lines.values()), "by_line": lines})


@router.post("/me/hours/{hours}/ask-correction")
async def ask_correction(
    hours: Id, body: AskingCorrection, caller: Changing, operation: Operation, running: Running
) -> Answer:
    """申请更正 · The caller says that another total would be right; the coordinator answers for the record."""
    own = await me(running, caller)
    command = AskCorrection(own["_id"], body.total, body.note)
    return answer(await running.histories[HOURS].change(hours, command, as_own(operation, own)))
