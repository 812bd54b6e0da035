"""Who a volunteer is, what an order is about: read with a purpose, recorded, and erased."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, Operation, Running, allow, answer
from services.kernel.events import Refused
from services.volunteers.api.stepping import Id, found_order
from services.volunteers.domain.hours import HoursRedacted
from services.volunteers.domain.order.events import NOTE, TASK, OrderRedacted
from services.volunteers.domain.order.workflow import ORDER as WORKFLOW
from services.volunteers.domain.volunteer import PERSON, RESIDENT, VolunteerRedacted
from services.volunteers.markers import party_of
from services.volunteers.queries import HOURS, ORDER, VOLUNTEER

router = APIRouter()
Because = Annotated[str, Query(min_length=1, max_length=200)]
Erasing = Annotated[Caller, Depends(allow("record.erase"))]
ANY_PERSON = "volunteer.person-any"  # who answers for the data themselves, consent or not
OF_ORDER, OF_HOURS = (TASK, NOTE), ("request", "note")


@router.get("/volunteers/{volunteer}/person")
async def read_person(
    volunteer: Id,
    because: Because,
    caller: Annotated[Caller, Depends(allow("volunteer.person"))],
    running: Running,
) -> Answer:
    """查看联系方式 · Name and phone, only with the volunteer's consent (LAW-36). The read is recorded."""
    stored = await running.histories[VOLUNTEER].get(volunteer, scope=caller.unit)
    if not stored.state.consent and ANY_PERSON not in caller.permissions:
        raise Refused("consent-withdrawn")
    return Answer(await running.sealing.reveal(caller, stored, PERSON, because=because))


@router.get("/volunteers/{volunteer}/party")
async def read_party(
    volunteer: Id,
    because: Because,
    caller: Annotated[Caller, Depends(allow("volunteer.party"))],
    running: Running,
) -> Answer:
    """是否党员义工 · Whether it is a party volunteer (VOL-02), as the register of residents says today.

    Only with the volunteer's consent. The read is recorded, here and there; nothing is kept here.
    """
    stored = await running.histories[VOLUNTEER].get(volunteer, scope=caller.unit)
    if not stored.state.consent and ANY_PERSON not in caller.permissions:
        raise Refused("consent-withdrawn")
    return Answer({"volunteer": volunteer, **await party_of(running, caller, stored, because)})


@router.get("/orders/{order}/task")
async def read_task(
    order: Id, because: Because, caller: Annotated[Caller, Depends(allow("order.task"))], running: Running
) -> Answer:
    """查看服务内容 · What is to be done, where and for whom. The read is recorded."""
    stored = await found_order(running, caller.unit, order)
    return Answer(await running.sealing.reveal(caller, stored, TASK, because=because))


@router.post("/volunteers/{volunteer}/erase")
async def erase_volunteer(volunteer: Id, caller: Erasing, operation: Operation, running: Running) -> Answer:
    """删除个人信息 · Erase name, phone, the link to a resident and what finds them, of a volunteer who has left."""
    stored = await running.histories[VOLUNTEER].get(volunteer, scope=caller.unit)
    if not stored.state.closed:
        raise Refused("volunteer-not-closed")
    event = VolunteerRedacted(purposes=(PERSON, RESIDENT))
    return answer(await running.histories[VOLUNTEER].erase(volunteer, event.purposes, event, operation))


@router.post("/orders/{order}/erase")
async def erase_order(order: Id, caller: Erasing, operation: Operation, running: Running) -> Answer:
    """删除服务内容 · Erase what was to be done, and the resident's code, of an order that is over."""
    stored = await found_order(running, caller.unit, order)
    if not WORKFLOW.stage(stored.state.stage).end:
        raise Refused("order-not-over")
    event = OrderRedacted(purposes=OF_ORDER)
    return answer(await running.histories[ORDER].erase(order, event.purposes, event, operation))


@router.post("/hours/{hours}/erase")
async def erase_hours(hours: Id, caller: Erasing, operation: Operation, running: Running) -> Answer:
    """删除说明文字 · Erase what was written about a correction; the figures stay."""
    event = HoursRedacted(purposes=OF_HOURS)
    return answer(await running.histories[HOURS].erase(hours, event.purposes, event, operation))


@router.get("/accesses")
async def list_accesses(
    caller: Annotated[Caller, Depends(allow("access.read"))],
    running: Running,
    record: Annotated[str | None, Query(max_length=100)] = None,
    by: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> Answer:
    """查阅记录 · Who read what and why, newest first."""
    rows = await running.sealing.accesses(caller.unit, aggregate=record, by=by, before=before)
    shown = [{name: value for name, value in row.items() if name != "scope"} for row in rows]
    return Answer({"items": shown, "next": shown[-1]["_id"] if len(shown) == 50 else None})
