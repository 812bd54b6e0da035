"""Units: register, read, rename, move, cover, close."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from services.chassis.callers.access import Caller
from services.chassis.errors import Forbidden
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain import units as domain
from services.directory.queries import UNITS
from services.directory.tree import UNIT, cover_command, found, seen, today, tree_of
from services.kernel.events import Value
from services.kernel.values import Day

router = APIRouter()
Reads = Annotated[Caller, Depends(allow("unit.read"))]
Writes = Annotated[Caller, Depends(allow("unit.write"))]
UnitId = Annotated[str, StringConstraints(pattern=r"^unit_[a-z0-9-]{1,80}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]{1,60}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class NewUnit(Value):
    """A unit to be registered. ``id`` may be chosen by district administrators and operators; ``code`` is the natural
    key by which files name it, unique in the district."""

    kind: domain.Kind
    name: Name
    parent: str | None = None
    since: Day | None = Field(default=None, alias="from")
    id: UnitId | None = None
    code: Code | None = None
    zone: str | None = None
    level: domain.Level | None = None
    layer: domain.Layer | None = None
    capabilities: tuple[domain.Capability, ...] = ()


class NewName(Value):
    """Another name."""

    name: Name
    since: Day | None = Field(default=None, alias="from")


class NewParent(Value):
    """Another superior."""

    parent: str
    since: Day | None = Field(default=None, alias="from")


class NewCover(Value):
    """The grid that covers the unit from a day on."""

    grid: str
    since: Day | None = Field(default=None, alias="from")


class NoCover(Value):
    """The layer in which no grid covers the unit any more."""

    layer: Annotated[str, StringConstraints(pattern="^[a-z_]{1,40}$")]
    since: Day | None = Field(default=None, alias="from")


class NewCapabilities(Value):
    """The networks that a grid serves."""

    capabilities: tuple[domain.Capability, ...]


class End(Value):
    """The end of a unit."""

    reason: Annotated[str, StringConstraints(pattern="^[a-z-]{1,40}$")]
    since: Day | None = Field(default=None, alias="from")


@router.post("/units", status_code=201)
async def register_unit(body: NewUnit, caller: Writes, operation: Operation, runtime: Running) -> Answer:
    """Register a unit under its superior. A city or a district is founded by operators alone."""
    history = tree_of(runtime)
    founding = body.kind in domain.ROOTS
    if founding and "unit.found" not in caller.permissions:
        raise Forbidden()
    if body.id is not None and not caller.roles & {"district-admin", "operator"}:
        raise Forbidden()
    if body.parent is None:
        parent = facts = None
    elif founding:
        parent = await runtime.units.get(body.parent)
        facts = await history.facts(parent, scope=None)  # unscoped: operators found districts
    else:
        parent = await seen(runtime, body.parent, caller.unit, "parent")
        facts = await history.facts(parent, scope=None)  # unscoped: seen has looked
    unit = body.id or unit_id(parent.scope[0] if parent else "", body.code, operation.operation)
    command = domain.Register(
        id=unit,
        kind=body.kind,
        name=body.name,
        since=body.since or (today(parent, operation.at) if parent else operation.at.date()),
        parent=facts,
        code=body.code,
        zone=body.zone,
        level=body.level,
        layer=body.layer,
        capabilities=body.capabilities,
    )
    context = replace(operation, scope=None) if founding else operation  # unscoped: operators found districts
    written = await history.register(command, parent, context)
    return answer(written, status=201, location=f"/units/{unit}")


def unit_id(district: str, code: str | None, operation: str) -> str:
    """The id of a new unit: one for each code of a district, so that a code is never given twice."""
    return id_for(UNIT, f"code|{district}|{code}" if code else operation)


@router.get("/units")
async def list_units(
    caller: Reads, asked: Annotated[Asked, Depends(listing(UNITS))], runtime: Running
) -> Answer:
    """Units of the caller's own, by name."""
    page = await Scoped.on(runtime.database, UNIT).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/units/{unit}")
async def read_unit(
    unit: str, caller: Reads, runtime: Running, on: Annotated[Day | None, Query(description="its place then")] = None
) -> Answer:
    """A unit with its place: path, scope, covering grids; with ``on``, the superior of that day as well."""
    stored = await tree_of(runtime).get(unit, scope=caller.unit)
    view = await runtime.units.get(unit)
    shown = stored.state.model_dump(exclude={"unit", "path"}) | {"id": unit, "path": view.path, "scope": view.scope}
    if on is not None:
        shown["parent_on"] = stored.state.parent_on(on)
    return Answer(shown | {"version": stored.version}, version=stored.version)


@router.get("/units/{unit}/children")
async def list_children(
    unit: str, caller: Reads, runtime: Running, asked: Annotated[Asked, Depends(listing(UNITS))]
) -> Answer:
    """Every unit in this one, itself included; ``parent`` narrows to those directly below."""
    await found(runtime, unit, caller.unit)
    page = await Scoped.on(runtime.database, UNIT).page(unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.post("/units/{unit}/rename")
async def rename_unit(
    unit: str, body: NewName, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Give a unit another name."""
    view = await found(runtime, unit, caller.unit)
    command = domain.Rename(body.name, body.since or today(view, operation.at))
    return answer(await tree_of(runtime).change(unit, command, operation, if_version=if_version))


@router.post("/units/{unit}/move")
async def move_unit(
    unit: str, body: NewParent, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Put a unit, with all below it, under another superior in the district."""
    history = tree_of(runtime)
    view = await found(runtime, unit, caller.unit)
    # unscoped: found and seen have looked
    parent = await history.facts(await seen(runtime, body.parent, caller.unit, "parent"), scope=caller.unit)
    here = await history.facts(view, scope=caller.unit)  # unscoped: found has looked
    command = domain.Move(parent, here, body.since or today(view, operation.at))
    return answer(await history.change(unit, command, operation, if_version=if_version))


@router.post("/units/{unit}/cover")
async def cover_unit(
    unit: str, body: NewCover, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Let a grid cover a compound, building or entrance, in place of an earlier one of its layer."""
    history = tree_of(runtime)
    view = await found(runtime, unit, caller.unit)
    grid = await seen(runtime, body.grid, caller.unit, "grid")
    command = await cover_command(history, view, grid, body.since or today(view, operation.at))
    return answer(await history.change(unit, command, operation, if_version=if_version))


@router.post("/units/{unit}/uncover")
async def uncover_unit(
    unit: str, body: NoCover, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Take a unit out of its grid of one layer."""
    view = await found(runtime, unit, caller.unit)
    gone = view.covers.get(body.layer)
    scope = tuple(one for one in view.scope if one != gone)
    command = domain.Uncover(body.layer, scope, body.since or today(view, operation.at))
    return answer(await tree_of(runtime).change(unit, command, operation, if_version=if_version))


@router.post("/units/{unit}/equip")
async def equip_unit(
    unit: str, body: NewCapabilities, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Say which networks a grid serves."""
    await found(runtime, unit, caller.unit)
    command = domain.Equip(body.capabilities)
    return answer(await tree_of(runtime).change(unit, command, operation, if_version=if_version))


@router.post("/units/{unit}/close")
async def close_unit(
    unit: str, body: End, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Close a unit that has nothing open below it and, if it is a grid, covers nothing any more."""
    view = await found(runtime, unit, caller.unit)
    units = Scoped.on(runtime.database, UNIT)
    below = await units.count(unit, {"state.parent": unit, "state.closed": None})
    covering = await units.count(caller.unit, {"state.grids": unit, "state.closed": None}) if view.kind == "grid" else 0
    command = domain.Close(body.since or today(view, operation.at), body.reason, below, covering)
    return answer(await tree_of(runtime).change(unit, command, operation, if_version=if_version))


@router.get("/units/{unit}/history")
async def read_history(unit: str, caller: Reads, runtime: Running) -> Answer:
    """What happened to a unit, oldest first."""
    entries = await tree_of(runtime).entries(unit, scope=caller.unit)
    shown = ("seq", "type", "at", "by", "data")
    return Answer({"items": [{name: entry[name] for name in shown} for entry in entries]})


