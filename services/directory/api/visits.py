"""Visits: record and read."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.chassis.callers.access import Caller
from services.chassis.errors import Invalid
from services.chassis.http import Answer, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.directory.api.residents import resolved
from services.directory.concerns_day import visit_list
from services.directory.domain import visits as domain
from services.directory.domain.households import NOTHING, Sealed
from services.directory.queries import VISITS
from services.directory.tree import found, open_unit
from services.kernel.events import Value
from services.kernel.values import Flag, Instant

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

VISIT = "visit"
router = APIRouter()
Reads = Annotated[Caller, Depends(allow("visit.read"))]
ReadsNote = Annotated[Caller, Depends(allow("visit.note"))]
Records = Annotated[Caller, Depends(allow("visit.record"))]
Plans = Annotated[Caller, Depends(allow("resident.markers"))]
Listed = Annotated[Asked, Depends(listing(VISITS))]
Because = Annotated[str, Query(min_length=1, max_length=200, description="why it is read; it is recorded")]


class NewVisit(Value):
    """A visit to a household, a resident, or a unit at large. ``note`` is what was said; ``raised``: a concern was
    raised, to be recorded with the complaints under this visit's id."""

    purpose: domain.Purpose
    unit: str | None = None
    household: str | None = None
    resident: str | None = None
    on: Instant | None = None
    raised: Flag = False
    note: str | None = Field(default=None, max_length=4000)


@router.post("/visits", status_code=201)
async def record_visit(body: NewVisit, caller: Records, operation: Operation, runtime: Running) -> Answer:
    """Record a visit by the caller."""
    unit, household, belongs = await _visited(runtime, body, caller.unit)
    await open_unit(runtime, unit, caller.unit)
    own = id_for(VISIT, operation.operation)
    on: datetime = body.on or operation.at
    command = domain.Record(
        unit=unit,
        purpose=body.purpose,
        worker=caller.sub,
        on=on,
        household=household,
        resident=body.resident,
        raised=body.raised,
        belongs=belongs,
        sealed=Sealed({domain.NOTE: {"text": body.note}}) if body.note else NOTHING,
    )
    written = await runtime.histories[VISIT].create(own, unit, command, operation)
    return answer(written, status=201, location=f"/visits/{own}")


async def _visited(runtime: "Runtime", body: NewVisit, scope: str) -> tuple[str, str | None, bool]:
    """The unit and household visited, and whether the resident named belongs to the household named."""
    if body.resident is not None:
        resident = await resolved(runtime, body.resident, scope)
        belongs = body.household in (None, resident.state.household)
        return resident.unit, body.household or resident.state.household, belongs
    if body.household is not None:
        return (await runtime.histories["household"].get(body.household, scope=scope)).unit, body.household, True
    if body.unit is None:
        raise Invalid("visit-of-nobody", field="unit")
    return body.unit, None, True


@router.get("/visits")
async def list_visits(caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Visits of the caller's own, the latest first; no note."""
    page = await Scoped.on(runtime.database, VISIT).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/units/{unit}/visits")
async def list_visits_of(unit: str, caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Visits in one unit and all below it."""
    await found(runtime, unit, caller.unit)
    page = await Scoped.on(runtime.database, VISIT).page(unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/units/{unit}/concerns-day")
async def read_concerns_day(unit: str, caller: Plans, runtime: Running, because: Because) -> Answer:
    """Whom to visit on the next weekly day, and who has been visited on it; the reading is recorded."""
    view = await found(runtime, unit, caller.unit)
    return Answer({"unit": unit, **await visit_list(runtime, caller, view, because)})


@router.get("/visits/{visit}")
async def read_visit(visit: str, caller: Reads, runtime: Running) -> Answer:
    """The public part of a visit."""
    stored = await runtime.histories[VISIT].get(visit, scope=caller.unit)
    return Answer(stored.state.model_dump() | {"id": visit, "version": stored.version}, version=stored.version)


@router.get("/visits/{visit}/note")
async def read_note(visit: str, caller: ReadsNote, runtime: Running, because: Because) -> Answer:
    """What was said; the read is recorded."""
    stored = await runtime.histories[VISIT].get(visit, scope=caller.unit)
    return Answer(await runtime.sealing.reveal(caller, stored, domain.NOTE, because=because))
