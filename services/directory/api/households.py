"""Households: register, read, move, tenure, verify, close."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain import households as domain
from services.directory.known import refuse_taken_door
from services.directory.queries import HOUSEHOLDS
from services.directory.sealed import Hands
from services.directory.tree import found, open_unit, zone_of
from services.kernel.events import Value
from services.kernel.values import Day, Whole

HOUSEHOLD = "household"
router = APIRouter()
Reads = Annotated[Caller, Depends(allow("household.read"))]
Writes = Annotated[Caller, Depends(allow("household.write"))]
Door = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
Listed = Annotated[Asked, Depends(listing(HOUSEHOLDS))]
Because = Annotated[str, Query(min_length=1, max_length=200, description="why it is read; it is recorded")]


class NewHousehold(Value):
    """A household behind a door of a building (or of an entrance, or of a compound without buildings)."""

    building: str
    door: Door
    tenure: domain.Tenure
    size: Whole = Field(ge=0, le=100)
    until: Day | None = None


class NewPlace(Value):
    """Where the household lives now."""

    building: str
    door: Door


class NewTenure(Value):
    """Its tenure now; ``until`` is the last day of the tenancy."""

    tenure: domain.Tenure
    until: Day | None = None


class NewSize(Value):
    """How many persons it has."""

    size: Whole = Field(ge=0, le=100)


class End(Value):
    """Why it is no more."""

    reason: domain.Reason


class Nothing(Value):
    """A step that needs no word."""


@router.post("/households", status_code=201)
async def register_household(body: NewHousehold, caller: Writes, operation: Operation, runtime: Running) -> Answer:
    """Register a household. Two open households never share a door."""
    view = await open_unit(runtime, body.building, caller.unit, "building")
    hands = Hands(runtime.sealing, view.scope[0])
    household = id_for(HOUSEHOLD, operation.operation)
    await refuse_taken_door(runtime, hands.door_key(body.building, body.door), household)
    command = domain.Register(
        building=body.building,
        tenure=body.tenure,
        size=body.size,
        zone=zone_of(view),
        until=body.until,
        sealed=hands.door(body.building, body.door),
    )
    written = await runtime.histories[HOUSEHOLD].create(household, body.building, command, operation)
    return answer(written, status=201, location=f"/households/{household}")


@router.get("/households")
async def list_households(caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Households of the caller's own, the one verified longest ago first."""
    page = await Scoped.on(runtime.database, HOUSEHOLD).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/units/{unit}/households")
async def list_households_of(unit: str, caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Households of one unit and all below it."""
    await found(runtime, unit, caller.unit)
    page = await Scoped.on(runtime.database, HOUSEHOLD).page(unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/households/{household}")
async def read_household(household: str, caller: Reads, runtime: Running) -> Answer:
    """The public part of a household."""
    stored = await runtime.histories[HOUSEHOLD].get(household, scope=caller.unit)
    shown = stored.state.model_dump() | {"id": household, "version": stored.version, "scope": stored.scope}
    return Answer(shown, version=stored.version)


@router.get("/households/{household}/address")
async def read_address(household: str, caller: Reads, runtime: Running, because: Because) -> Answer:
    """The door; the read is recorded."""
    stored = await runtime.histories[HOUSEHOLD].get(household, scope=caller.unit)
    return Answer(await runtime.sealing.reveal(caller, stored, domain.ADDRESS, because=because))


@router.post("/households/{household}/move")
async def move_household(
    household: str, body: NewPlace, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """The household lives elsewhere in the district; its residents follow."""
    stored = await runtime.histories[HOUSEHOLD].get(household, scope=caller.unit)
    view = await open_unit(runtime, body.building, stored.scope[0], "building")
    hands = Hands(runtime.sealing, view.scope[0])
    await refuse_taken_door(runtime, hands.door_key(body.building, body.door), household)
    command = domain.Move(body.building, hands.door(body.building, body.door))
    return answer(await runtime.histories[HOUSEHOLD].change(household, command, operation, if_version=if_version))


@router.post("/households/{household}/tenure")
async def change_tenure(
    household: str, body: NewTenure, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Another tenure or another end of the tenancy; settles a re-check."""
    stored = await runtime.histories[HOUSEHOLD].get(household, scope=caller.unit)
    zone = zone_of(await runtime.units.get(stored.unit))
    command = domain.ChangeTenure(body.tenure, zone, body.until)
    return answer(await runtime.histories[HOUSEHOLD].change(household, command, operation, if_version=if_version))


@router.post("/households/{household}/correct")
async def correct_household(
    household: str, body: NewSize, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Correct its size."""
    command = domain.Correct(body.size)
    return answer(await runtime.histories[HOUSEHOLD].change(household, command, operation, if_version=if_version))


@router.post("/households/{household}/verify")
async def verify_household(
    household: str, body: Nothing, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Somebody saw that the record is right."""
    command = domain.Verify()
    return answer(await runtime.histories[HOUSEHOLD].change(household, command, operation, if_version=if_version))


@router.post("/households/{household}/close")
async def close_household(
    household: str, body: End, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Close a household to which no active resident belongs any more."""
    left = await Scoped.on(runtime.database, "resident").count(
        caller.unit, {"state.household": household, "state.status": "active"}
    )
    command = domain.Close(body.reason, left)
    return answer(await runtime.histories[HOUSEHOLD].change(household, command, operation, if_version=if_version))
