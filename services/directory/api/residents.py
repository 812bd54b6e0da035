"""Residents: register, read the public part, move, verify, merge, close."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from services.chassis.callers.access import Caller
from services.chassis.context import Context
from services.chassis.errors import Conflict, NotFound
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.personal.lookups import NUMBER
from services.chassis.storage.history import Stored, id_for
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain import markers, residents
from services.directory.domain.households import Household, Sealed
from services.directory.domain.persons import (
    PURPOSES,
    Contact,
    Identity,
    Marker,
    Purpose,
    checked_identity,
    region_known,
)
from services.directory.known import refuse_known_number
from services.directory.queries import RESIDENTS
from services.directory.sealed import Hands, together
from services.directory.tree import found, today
from services.kernel.events import Value

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

RESIDENT = "resident"
router = APIRouter()
Reads = Annotated[Caller, Depends(allow("resident.read"))]
Writes = Annotated[Caller, Depends(allow("resident.write"))]
Merges = Annotated[Caller, Depends(allow("resident.merge"))]
Erases = Annotated[Caller, Depends(allow("resident.erase"))]
Listed = Annotated[Asked, Depends(listing(RESIDENTS))]


class NewResident(Value):
    """A person to be registered in a household."""

    household: str
    identity: Identity
    contacts: tuple[Contact, ...] = Field(default=(), max_length=20)
    markers: tuple[Marker, ...] = Field(default=(), max_length=20)


class NewHome(Value):
    """The household to which the person belongs now."""

    household: str


class Elder(Value):
    """The file that stays."""

    into: str


class End(Value):
    """Why the file is closed."""

    reason: residents.Reason


class Erasing(Value):
    """Which sealed parts go: all of them unless some are named."""

    purposes: tuple[Purpose, ...] = Field(default=PURPOSES, min_length=1)


class Nothing(Value):
    """A step that needs no word."""


@router.post("/residents", status_code=201)
async def register_resident(body: NewResident, caller: Writes, operation: Operation, runtime: Running) -> Answer:
    """Register a person. A resident number is known once in a district; an unknown region of it is a warning."""
    home = await open_household(runtime, body.household, caller.unit)
    district = home.scope[0]
    identity = checked_identity(body.identity)
    hands = Hands(runtime.sealing, district)
    resident = resident_id(hands, district, identity, operation.operation)
    await refuse_known_number(runtime, hands, identity, resident)
    sealed = await _sealed(runtime, hands, home, body, identity, operation.at)
    command = residents.Register(body.household, home.unit, sealed)
    written = await runtime.histories[RESIDENT].create(resident, home.unit, command, operation)
    warnings = [] if identity.number is None or region_known(identity.number) else ["number-region-unknown"]
    return answer(written, status=201, location=f"/residents/{resident}", warnings=warnings)


async def _sealed(
    runtime: "Runtime", hands: Hands, home: Stored[Household], body: NewResident, identity: Identity, now: datetime
) -> Sealed:
    parts = [hands.identity(identity)]
    if body.contacts:
        parts.append(hands.contacts(body.contacts))
    if body.markers:
        day = today(await runtime.units.get(home.unit), now)
        parts.append(hands.markers(markers.checked(body.markers, day)))
    return together(parts)


async def open_household(runtime: "Runtime", household: str, scope: str) -> Stored[Household]:
    """A household that takes residents. Raises NotFound, Conflict("household-closed")."""
    home: Stored[Household] = await runtime.histories["household"].get(household, scope=scope)
    if home.state.status == "closed":
        raise Conflict("household-closed", field="household")
    return home


def resident_id(hands: Hands, district: str, identity: Identity, operation: str) -> str:
    """The id of a new file: of a numbered person one for each number of a district, from its keyed hash."""
    if identity.number is None:
        return id_for(RESIDENT, operation)
    return id_for(RESIDENT, f"number|{district}|{hands.hashed(NUMBER, identity.number)}")


@router.get("/residents")
async def list_residents(caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Files of the caller's own, the one verified longest ago first; nothing sealed."""
    page = await Scoped.on(runtime.database, RESIDENT).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/units/{unit}/residents")
async def list_residents_of(unit: str, caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Files of one unit and all below it."""
    await found(runtime, unit, caller.unit)
    page = await Scoped.on(runtime.database, RESIDENT).page(unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/residents/{resident}")
async def read_resident(resident: str, caller: Reads, runtime: Running) -> Answer:
    """The public part of a file; the id of a merged one leads to the file that stayed."""
    stored = await resolved(runtime, resident, caller.unit)
    shown = stored.state.model_dump() | {"id": stored.id, "version": stored.version, "scope": stored.scope}
    return Answer(shown | ({"asked": resident} if stored.id != resident else {}), version=stored.version)


async def resolved(runtime: "Runtime", resident: str, scope: str) -> Stored[residents.Resident]:
    """The file to which an id leads, through every merger. Raises NotFound, also when the last one lies elsewhere."""
    stored: Stored[residents.Resident] = await runtime.histories[RESIDENT].get(resident, scope=scope)
    while stored.state.merged_into is not None:
        stored = await runtime.histories[RESIDENT].get(stored.state.merged_into, scope=scope)
    return stored


@router.post("/residents/{resident}/move")
async def move_resident(
    resident: str, body: NewHome, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """The person belongs to another household of the district."""
    stored = await runtime.histories[RESIDENT].get(resident, scope=caller.unit)
    home = await open_household(runtime, body.household, stored.scope[0])
    return await _change(runtime, resident, residents.Move(body.household, home.unit), operation, if_version)


@router.post("/residents/{resident}/verify")
async def verify_resident(
    resident: str, body: Nothing, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Somebody saw that the file is right."""
    return await _change(runtime, resident, residents.Verify(), operation, if_version)


@router.post("/residents/{resident}/merge")
async def merge_resident(
    resident: str, body: Elder, caller: Merges, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """This file is a second one of the person of an elder file; its id leads there for ever."""
    younger = await runtime.histories[RESIDENT].get(resident, scope=caller.unit)
    elder = await runtime.histories[RESIDENT].get(body.into, scope=caller.unit)
    if elder.scope[0] != younger.scope[0]:
        raise NotFound()
    command = residents.Merge(resident, body.into, elder.state.opened, elder.state.status)
    return await _change(runtime, resident, command, operation, if_version)


@router.post("/residents/{resident}/close")
async def close_resident(
    resident: str, body: End, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """The person lives here no more, or lives no more."""
    return await _change(runtime, resident, residents.Close(body.reason), operation, if_version)


@router.post("/residents/{resident}/erase")
async def erase_resident(
    resident: str, body: Erasing, caller: Erases, operation: Operation, runtime: Running
) -> Answer:
    """Remove what is sealed from the file and its whole history, and what finds it; what was not named stays."""
    event = residents.Redacted(purposes=tuple(sorted(set(body.purposes))))
    return answer(await runtime.histories[RESIDENT].erase(resident, event.purposes, event, operation))


async def _change(
    runtime: "Runtime", resident: str, command: Any, operation: Context, if_version: int | None
) -> Answer:
    return answer(await runtime.histories[RESIDENT].change(resident, command, operation, if_version=if_version))
