"""Files in and out: dry run, import with progress, export, templates."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.chassis.callers.access import Caller
from services.chassis.errors import Invalid
from services.chassis.files.spreadsheets import FILE_TOLD, write_table
from services.chassis.http import Answer, Operation, Running, allow, listing
from services.chassis.http import imports as shape
from services.chassis.http.problems import FileHasErrors
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain.imports import Kind
from services.directory.intake.accept import IMPORT, Checked, Desk
from services.directory.intake.columns import COLUMNS
from services.directory.intake.export import household_rows, unit_rows
from services.directory.queries import IMPORTS, SAYS, import_shown
from services.directory.tree import found, open_unit

router = APIRouter()
Runs = Annotated[Caller, Depends(allow("import.run"))]
Exports = Annotated[Caller, Depends(allow("register.export"))]
Listed = Annotated[Asked, Depends(listing(IMPORTS))]
Form = Annotated[shape.Form, Query()]
Language = Annotated[shape.Language, Query()]
Because = Annotated[str, Query(min_length=1, max_length=200, description="why it is read; it is recorded")]
UnitQuery = Annotated[str | None, Query(max_length=100, description="the unit to which the file belongs")]


@router.post("/imports/check", **shape.CHECK)
async def check_file(
    request: Request, caller: Runs, runtime: Running, kind: Annotated[Kind, Query()], unit: UnitQuery = None
) -> Answer:
    """A dry run: what is wrong, cell by cell, or else what would be created and changed. Nothing is written."""
    desk = await _desk(runtime, caller, kind, unit)
    checked = await _sound(desk, request)
    outcome = await desk.compare(checked)
    failures = shape.refusals(((one.row, one.code) for one in outcome.failures), SAYS)
    return Answer(shape.Checked(rows=checked.rows, would=outcome.counts(), failures=failures))


@router.post("/imports", **shape.TAKE)
async def run_import(
    request: Request,
    caller: Runs,
    operation: Operation,
    runtime: Running,
    kind: Annotated[Kind, Query()],
    unit: UnitQuery = None,
) -> Answer:
    """Import a file (.xlsx or .csv as the body): whole, or not at all. It goes on by itself; see its progress."""
    desk = await _desk(runtime, caller, kind, unit)
    written = await desk.accepted_before(operation)
    if written is None:
        written = await desk.accept(await _sound(desk, request), operation)
    return shape.accepted(written)


async def _desk(runtime: Running, caller: Caller, kind: Kind, unit: str | None) -> Desk:
    view = await open_unit(runtime, unit or caller.unit, caller.unit, field="query.unit")
    return Desk(runtime, view, kind, caller.unit)


async def _sound(desk: Desk, request: Request) -> Checked:
    """The file without faults. Raises FileHasErrors, and Invalid for one that cannot be read or is empty."""
    checked = await desk.check(await request.body())
    if checked.errors:
        raise FileHasErrors(checked.rows, checked.errors, checked.cut)
    if not checked.rows:
        raise Invalid("file-without-rows")
    return checked


@router.get("/imports")
async def list_imports(caller: Runs, asked: Listed, runtime: Running) -> Answer:
    """Imports of the caller's own, the latest first."""
    page = await Scoped.on(runtime.database, IMPORT).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/imports/template", response_class=Response, responses=FILE_TOLD)
async def read_template(
    caller: Runs, kind: Annotated[Kind, Query()], form: Form = "xlsx", language: Language = "zh"
) -> Answer:
    """An empty file with the right heading."""
    made = await asyncio.to_thread(write_table, COLUMNS[kind], [], form=form, language=language)
    return shape.file_answer(made, kind, form)


@router.get("/imports/{import_id}", **shape.FOLLOW)
async def read_import(import_id: str, caller: Runs, runtime: Running) -> Answer:
    """Progress: rows done of all, records created, changed and left as they were, rows refused."""
    stored: Any = await runtime.histories[IMPORT].get(import_id, scope=caller.unit)
    return Answer(import_shown(stored.id, stored.version, stored.state), version=stored.version)


@router.get("/exports/units", response_class=Response, responses=FILE_TOLD)
async def export_units(
    caller: Exports, runtime: Running, unit: UnitQuery = None, form: Form = "xlsx", language: Language = "zh"
) -> Answer:
    """Units of a unit as a file that can be imported again."""
    view = await found(runtime, unit or caller.unit, caller.unit)
    rows = await unit_rows(runtime, view.id)
    made = await asyncio.to_thread(write_table, COLUMNS["units"], rows, form=form, language=language)
    return shape.file_answer(made, "units", form)


@router.get("/exports/households", response_class=Response, responses=FILE_TOLD)
async def export_households(
    caller: Exports,
    runtime: Running,
    because: Because,
    unit: UnitQuery = None,
    form: Form = "xlsx",
    language: Language = "zh",
) -> Answer:
    """Households and persons of a unit as a file that can be imported again. Every file read is recorded."""
    view = await found(runtime, unit or caller.unit, caller.unit)
    rows = await household_rows(runtime, caller, view.id, because)
    made = await asyncio.to_thread(write_table, COLUMNS["households"], rows, form=form, language=language)
    return shape.file_answer(made, "households", form)
