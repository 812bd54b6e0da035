"""Figures of the register, and what is missing or stale in it: counted now, from the records themselves."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, Running, allow
from services.chassis.storage.queries import Scoped
from services.directory import figures
from services.directory.domain.policies import OWN, VERIFY_EVERY_DAYS
from services.directory.tree import found, today

router = APIRouter()
Reads = Annotated[Caller, Depends(allow("figure.read"))]
ReadsAccess = Annotated[Caller, Depends(allow("access.read"))]


@router.get("/register-figures")
async def read_figures(
    caller: Reads, runtime: Running, unit: Annotated[str | None, Query(max_length=100)] = None
) -> Answer:
    """What the register holds in a unit (the caller's own by default), counted now."""
    view, now = await found(runtime, unit or caller.unit, caller.unit), runtime.clock.now()
    return Answer({"unit": view.id, "as_of": now, "figures": await figures.register_figures(runtime, view.id)})


@router.get("/units/{unit}/coverage")
async def read_coverage(
    unit: str, caller: Reads, runtime: Running, layer: Literal["community", "party"] = "community"
) -> Answer:
    """Buildings in no grid of a layer, and grids of it with no worker."""
    view, now = await found(runtime, unit, caller.unit), runtime.clock.now()
    return Answer({"unit": unit, "as_of": now, **await figures.coverage(runtime, unit, layer, today(view, now))})


@router.get("/units/{unit}/organisations")
async def read_organisations(unit: str, caller: Reads, runtime: Running) -> Answer:
    """Organisations by grid, and those in none."""
    await found(runtime, unit, caller.unit)
    now = runtime.clock.now()
    return Answer({"unit": unit, "as_of": now, **await figures.organisations_by_grid(runtime, unit)})


@router.get("/units/{unit}/workload")
async def read_workload(unit: str, caller: Reads, runtime: Running) -> Answer:
    """Households for each community worker against the norm that is in force today."""
    view, now = await found(runtime, unit, caller.unit), runtime.clock.now()
    return Answer({"unit": unit, "as_of": now, **await figures.workload(runtime, unit, today(view, now))})


@router.get("/units/{unit}/stale")
async def read_stale(unit: str, caller: Reads, runtime: Running) -> Answer:
    """Records that nobody has verified for longer than the district allows, in the unit and by its grids."""
    view = await found(runtime, unit, caller.unit)
    now = runtime.clock.now()
    days = await runtime.policies.read(VERIFY_EVERY_DAYS, unit, today(view, now), OWN[VERIFY_EVERY_DAYS])
    before = now - timedelta(days=days)
    grids = await Scoped.on(runtime.database, "unit").find(
        unit, {"state.kind": "grid", "state.closed": None}, fields=("_id",), limit=figures.EVERYTHING
    )
    by_grid = {grid["_id"]: await _stale(runtime, grid["_id"], before) for grid in grids}
    return Answer({"unit": unit, "as_of": now, "days": days, **await _stale(runtime, unit, before), "by_grid": by_grid})


async def _stale(runtime: Any, unit: str, before: Any) -> dict[str, int]:
    query = {"state.status": "active", "state.verified": {"$lt": before}}
    return {
        "households": await Scoped.on(runtime.database, "household").count(unit, query),
        "residents": await Scoped.on(runtime.database, "resident").count(unit, query),
    }


@router.get("/access-records")
async def list_access(
    caller: ReadsAccess,
    runtime: Running,
    record: Annotated[str | None, Query(max_length=100)] = None,
    by: Annotated[str | None, Query(max_length=200)] = None,
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> Answer:
    """Who read what and why, newest first: for the data officer."""
    found_records = await runtime.sealing.accesses(caller.unit, aggregate=record, by=by, before=before)
    return Answer({"items": found_records})
