"""The echo wall (居民回音壁, CMP-07)."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.districts.units import UnitUnknown
from services.chassis.errors import NotFound
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, listing, open_to_all
from services.chassis.http.problems import Fault, InputInvalid
from services.chassis.storage.queries import Asked, Scoped
from services.complaints.api.bodies import Hanging, Reasoned
from services.complaints.api.stepping import take
from services.complaints.domain import commands as c
from services.complaints.queries import CASE, WALL

router = APIRouter()


@router.post("/cases/{case}/wall")
async def release_answer(
    case: str,
    body: Hanging,
    caller: Annotated[Caller, Depends(allow("wall.release"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """上墙公开 · Release a public text; who calls answers for it. Numbers that point at a person are refused."""
    return await take(
        running, caller, case, operation, version, lambda rules, by: c.Release(by, body.question, body.answer)
    )


@router.post("/cases/{case}/wall/withdraw")
async def withdraw_answer(
    case: str,
    body: Reasoned,
    caller: Annotated[Caller, Depends(allow("wall.withdraw"))],
    operation: Operation,
    version: IfVersion,
    running: Running,
) -> Answer:
    """撤下 · Take the text off the wall."""
    return await take(running, caller, case, operation, version, lambda rules, by: c.Withdraw(rules, by, body.reason))


@router.get("/echo-wall", dependencies=[Depends(open_to_all())])
async def read_wall(asked: Annotated[Asked, Depends(listing(WALL, "unit"))], running: Running) -> Answer:
    """居民回音壁 · What hangs in a unit and below it, newest first; open to all."""
    filters = dict(asked.filters)
    unit = filters.pop("unit", None)
    if not isinstance(unit, str):
        raise InputInvalid([Fault("query.unit", "field-missing", {})])
    try:
        await running.units.get(unit)
    except UnitUnknown:
        raise NotFound("unit-unknown", field="query.unit") from None
    page = await Scoped.on(running.database, CASE).page(unit, replace(asked, filters=filters | {"on_wall": True}))
    return Answer({"items": page.items, "next": page.next}, headers={"cache-control": "public, max-age=30"})
