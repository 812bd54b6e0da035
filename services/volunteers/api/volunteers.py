"""The register of volunteers (VOL-02)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.kernel.events import Refused
from services.kernel.phone import Phone
from services.volunteers.api.bodies import Leaving, Moving, Person, Registering, Skilled
from services.volunteers.api.stepping import Id, history_shown
from services.volunteers.domain import volunteer as domain
from services.volunteers.queries import OF_PHONE, VOLUNTEER, VOLUNTEERS, shown
from services.volunteers.rulebook import rules_now

router = APIRouter()
Listing = Annotated[Caller, Depends(allow("volunteer.list"))]
Changing = Annotated[Caller, Depends(allow("volunteer.change"))]


@router.post("/volunteers", status_code=201)
async def register_volunteer(
    body: Registering,
    caller: Annotated[Caller, Depends(allow("volunteer.register"))],
    operation: Operation,
    running: Running,
) -> Answer:
    """志愿者注册 · Register a volunteer with skills and consent. Name and phone are sealed."""
    view = await running.units.get(body.unit)
    volunteer = id_for(VOLUNTEER, operation.operation)
    keys = _keys(running, view.scope[0], body.person)
    await _refuse_taken(running, view.scope[0], keys, volunteer)
    command = domain.Register(
        rules=await rules_now(running, body.unit, view.zone, operation.at),
        unit=body.unit,
        skills=body.skills.skills(),
        availability=body.availability.availability(),
        person=_person(body.person),
        keys=keys,
        resident=body.person.resident,
    )
    written = await running.histories[VOLUNTEER].create(volunteer, body.unit, command, operation)
    return answer(written, location=f"/volunteers/{written.id}", status=201)


@router.get("/volunteers")
async def list_volunteers(
    asked: Annotated[Asked, Depends(listing(VOLUNTEERS))], caller: Listing, running: Running
) -> Answer:
    """志愿者名册 · The volunteers of the caller's unit, without names; by unit, line, left or not."""
    return Answer(await Scoped.on(running.database, VOLUNTEER).page(caller.unit, asked))


@router.get("/volunteers/by-phone")
async def list_by_phone(
    caller: Annotated[Caller, Depends(allow("volunteer.search"))],
    running: Running,
    phone: Annotated[Phone, Header(alias="Linli-Phone")],
    because: Annotated[str, Query(min_length=1, max_length=200)],
) -> Answer:
    """按电话查找 · Who has this telephone, for a resident who names a volunteer. The search is recorded."""
    scope = (await running.units.get(caller.unit)).scope
    hashed = await running.sealing.search(caller, scope, "phone", phone, because=because)
    return Answer(await Scoped.on(running.database, VOLUNTEER).page(caller.unit, Asked(OF_PHONE, {"phone": hashed})))


@router.get("/volunteers/{volunteer}")
async def read_volunteer(volunteer: Id, caller: Listing, running: Running) -> Answer:
    """志愿者信息 · One volunteer, without the name."""
    found = await Scoped.on(running.database, VOLUNTEER).get(caller.unit, volunteer)
    return Answer(shown(found), version=found["version"])


@router.get("/volunteers/{volunteer}/history")
async def read_history(volunteer: Id, caller: Listing, running: Running) -> Answer:
    """变更记录 · Who changed what when, oldest first."""
    return history_shown(await running.histories[VOLUNTEER].entries(volunteer, scope=caller.unit))


@router.post("/volunteers/{volunteer}/skills")
async def change_skills(
    volunteer: Id, body: Skilled, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """变更服务项目与培训 · Other lines or training from now on; the coordinator vouches for the training (LAW-38)."""
    stored = await running.histories[VOLUNTEER].get(volunteer, scope=caller.unit)
    zone = (await running.units.get(stored.unit)).zone
    rules = await rules_now(running, stored.unit, zone, operation.at)
    return await _change(running, volunteer, domain.ChangeSkills(rules, body.skills()), operation, version)


@router.post("/volunteers/{volunteer}/move")
async def move_volunteer(
    volunteer: Id, body: Moving, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """变更网格 · Fixed to another grid (VOL-36), one that the caller sees."""
    await running.histories[VOLUNTEER].get(volunteer, scope=caller.unit)
    if not await running.units.within(body.unit, caller.unit):
        raise Refused("unit-elsewhere", "unit")
    return await _change(running, volunteer, domain.Move(body.unit), operation, version)


@router.post("/volunteers/{volunteer}/person")
async def change_person(
    volunteer: Id, body: Person, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """变更联系方式 · Another name, phone or account; those that were are replaced."""
    stored = await running.histories[VOLUNTEER].get(volunteer, scope=caller.unit)
    keys = _keys(running, stored.scope[0], body)
    await _refuse_taken(running, stored.scope[0], keys, volunteer)
    command = domain.ChangePerson(_person(body), keys, body.resident)
    return await _change(running, volunteer, command, operation, version)


@router.post("/volunteers/{volunteer}/close")
async def close_volunteer(
    volunteer: Id,
    body: Leaving,
    caller: Annotated[Caller, Depends(allow("volunteer.close"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """退出 · The volunteer leaves, is asked no more, and holds no order and no place in a team."""
    return await _change(running, volunteer, domain.Close(body.reason), operation, version)


async def _change(running: Running, volunteer: str, command: Any, operation: Operation, version: int | None) -> Answer:
    return answer(await running.histories[VOLUNTEER].change(volunteer, command, operation, if_version=version))


def _person(body: Person) -> dict[str, str]:
    return {"name": body.name, "phone": body.phone}


def _keys(running: Running, district: str, person: Person) -> domain.Keys:
    """The hashes by which a volunteer is found again. Those not given are emptied."""
    lookup = running.sealing.lookup
    return {
        "phone": [lookup(district, "phone", person.phone)],
        "account": [lookup(district, "text", person.account)] if person.account else [],
        "resident": [lookup(district, "text", person.resident)] if person.resident else [],
    }


async def _refuse_taken(running: Running, district: str, keys: domain.Keys, volunteer: str) -> None:
    """One account signs in as one volunteer. Refused: ``account-taken``."""
    taken = {"keys.account": {"$in": keys["account"]}, "state.closed": False, "_id": {"$ne": volunteer}}
    if keys["account"] and await Scoped.on(running.database, VOLUNTEER).count(district, taken, 1):
        raise Refused("account-taken", "person.account")
