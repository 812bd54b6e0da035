"""Files in and out: dry run, import with progress, export, templates."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.chassis.callers.access import Caller
from services.chassis.files.spreadsheets import CSV, EXCEL, FILE_SENT, FILE_TOLD, write_table
from services.chassis.http import Answer, Operation, Running, allow, answer, listing
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain.imports import Kind
from services.directory.intake.accept import IMPORT, Checked, Desk
from services.directory.intake.columns import COLUMNS
from services.directory.intake.export import household_rows, unit_rows
from services.directory.queries import IMPORTS
from services.directory.tree import found, open_unit

LARGEST = 30_000_000  # bytes of a file
router = APIRouter()
Runs = Annotated[Caller, Depends(allow("import.run"))]
Exports = Annotated[Caller, Depends(allow("register.export"))]
Listed = Annotated[Asked, Depends(listing(IMPORTS))]
Form = Annotated[Literal["xlsx", "csv"], Query()]
Language = Annotated[Literal["zh", "en"], Query()]
Because = Annotated[str, Query(min_length=1, max_length=200, description="why it is read; it is recorded")]
UnitQuery = Annotated[str | None, Query(max_length=100, description="the unit to which the file belongs")]


@router.post("/imports/check", openapi_extra=FILE_SENT, max_body_size=LARGEST)
async def check_file(
    request: Request, caller: Runs, runtime: Running, kind: Annotated[Kind, Query()], unit: UnitQuery = None
) -> Answer:
    """A dry run: what is wrong, cell by cell, or else what would be created and changed. Nothing is written."""
    view = await open_unit(runtime, unit or caller.unit, caller.unit)
    desk = Desk(runtime, view, kind, caller.unit)
    checked = await desk.check(await request.body())
    if checked.errors:
        return _refused(checked)
    outcome = await desk.compare(checked)
    would = {"created": outcome.created, "changed": outcome.changed, "unchanged": outcome.unchanged}
    return Answer({"rows": checked.rows, "errors": [], "would": would})


@router.post("/imports", status_code=202, openapi_extra=FILE_SENT, max_body_size=LARGEST)
async def run_import(
    request: Request,
    caller: Runs,
    operation: Operation,
    runtime: Running,
    kind: Annotated[Kind, Query()],
    unit: UnitQuery = None,
) -> Answer:
    """Import a file (.xlsx or .csv as the body): whole, or not at all. It goes on by itself; see its progress."""
    view = await open_unit(runtime, unit or caller.unit, caller.unit)
    desk = Desk(runtime, view, kind, caller.unit)
    written = await desk.accepted_before(operation)
    if written is None:
        checked = await desk.check(await request.body())
        if checked.errors:
            return _refused(checked)
        written = await desk.accept(checked, operation)
    return answer(written, status=202, location=f"/imports/{written.id}")


def _refused(checked: Checked) -> Answer:
    """422 with every fault by its cell."""
    problem = {
        "type": "urn:linli:problem:file-has-errors",
        "status": 422,
        "code": "file-has-errors",
        "title": "文件有误,未导入任何内容 · The file has errors; nothing was imported",
        "rows": checked.rows,
        "errors": [error.as_dict() for error in checked.errors],
        "more": checked.cut,
    }
    return Answer(problem, 422)


@router.get("/imports")
async def list_imports(caller: Runs, asked: Listed, runtime: Running) -> Answer:
    """Imports of the caller's own, the latest first."""
    page = await Scoped.on(runtime.database, IMPORT).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/imports/template", response_class=Response, responses=FILE_TOLD)
async def read_template(
    caller: Runs, kind: Annotated[Kind, Query()], form: Form = "xlsx", language: Language = "zh"
) -> Response:
    """An empty file with the right heading."""
    return _file(await asyncio.to_thread(write_table, COLUMNS[kind], [], form=form, language=language), kind, form)


@router.get("/imports/{import_id}")
async def read_import(import_id: str, caller: Runs, runtime: Running) -> Answer:
    """Progress: rows done of all, records created, changed and left as they were, rows refused."""
    stored = await runtime.histories[IMPORT].get(import_id, scope=caller.unit)
    shown: dict[str, Any] = stored.state.model_dump() | {"id": import_id, "version": stored.version}
    return Answer(shown, version=stored.version)


@router.get("/exports/units", response_class=Response, responses=FILE_TOLD)
async def export_units(
    caller: Exports, runtime: Running, unit: UnitQuery = None, form: Form = "xlsx", language: Language = "zh"
) -> Response:
    """Units of a unit as a file that can be imported again."""
    view = await found(runtime, unit or caller.unit, caller.unit)
    rows = await unit_rows(runtime, view.id)
    made = await asyncio.to_thread(write_table, COLUMNS["units"], rows, form=form, language=language)
    return _file(made, "units", form)


@router.get("/exports/households", response_class=Response, responses=FILE_TOLD)
async def export_households(
    caller: Exports,
    runtime: Running,
    because: Because,
    unit: UnitQuery = None,
    form: Form = "xlsx",
    language: Language = "zh",
) -> Response:
    """Households and persons of a unit as a file that can be imported again. Every file read is recorded."""
    view = await found(runtime, unit or caller.unit, caller.unit)
    rows = await household_rows(runtime, caller, view.id, because)
    made = await asyncio.to_thread(write_table, COLUMNS["households"], rows, form=form, language=language)
    return _file(made, "households", form)


def _file(content: bytes, name: str, form: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=EXCEL if form == "xlsx" else CSV, headers=headers)
