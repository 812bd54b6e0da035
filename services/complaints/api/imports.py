"""Concerns from a workbook: checked whole, then taken in, with progress."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.chassis.callers.access import Caller
from services.chassis.errors import Invalid
from services.chassis.files.spreadsheets import FILE_TOLD, write_table
from services.chassis.http import Answer, Operation, Running, allow, listing
from services.chassis.http.imports import CHECK, FOLLOW, TAKE, Checked, Form, Language, accepted, file_answer
from services.chassis.http.problems import FileHasErrors
from services.chassis.storage.queries import Asked, Scoped
from services.complaints.importing import begin, compare, earlier, import_of, known_in
from services.complaints.queries import IMPORT, IMPORTS, import_shown
from services.complaints.workbook import Checked as Read
from services.complaints.workbook import Known, check, columns

router = APIRouter()
Importer = Annotated[Caller, Depends(allow("case.import"))]
UnitQuery = Annotated[str | None, Query(max_length=100, description="the unit to which the file belongs")]


@router.post("/imports/check", **CHECK)
async def check_cases(request: Request, caller: Importer, running: Running, unit: UnitQuery = None) -> Answer:
    """试导入 · What is wrong, cell by cell, or else what would become of the rows. Nothing is kept."""
    known = await known_in(running, await _into(running, caller, unit))
    read = await _read(running, await request.body(), known)
    counts, failures = await compare(running, read.rows, known)
    return Answer(Checked(rows=len(read.rows), would=counts, failures=failures))


@router.post("/imports", **TAKE)
async def import_cases(
    request: Request,
    caller: Importer,
    operation: Operation,
    running: Running,
    unit: UnitQuery = None,
    dry_run: Annotated[bool | None, Query(deprecated=True, description="POST /imports/check")] = None,
) -> Answer:
    """导入民情 · With one faulty cell nothing goes in. The same file again is the same import, whoever sends it; a row
    that is known by its number is not recorded twice."""
    if dry_run is not None:
        raise Invalid("dry-run-is-a-check", field="query.dry_run")
    into = await _into(running, caller, unit)
    content = await request.body()
    written = await earlier(running, import_of(into, content))
    if written is None:
        read = await _read(running, content, await known_in(running, into))
        written = await begin(running, caller, into, content, read.rows, operation.at)
    return accepted(written)


async def _into(running: Running, caller: Caller, unit: str | None) -> str:
    into = unit or caller.unit
    if not await running.units.within(into, caller.unit):
        raise Invalid("unit-unknown", field="query.unit")
    return into


async def _read(running: Running, content: bytes, known: Known) -> Read:
    """The rows of a file without faults. Raises FileHasErrors, and Invalid for one that cannot be read or is empty."""
    read = await asyncio.to_thread(check, content, known, running.clock.now())
    if read.errors:
        raise FileHasErrors(len(read.rows), read.errors, read.cut)
    if not read.rows:
        raise Invalid("file-without-rows")
    return read


@router.get("/imports")
async def list_imports(
    asked: Annotated[Asked, Depends(listing(IMPORTS))], caller: Importer, running: Running
) -> Answer:
    """导入列表 · Imports of the caller's own, the latest first."""
    page = await Scoped.on(running.database, IMPORT).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/imports/template", response_class=Response, responses=FILE_TOLD)
async def read_template(
    caller: Importer,
    running: Running,
    unit: UnitQuery = None,
    form: Annotated[Form, Query()] = "xlsx",
    language: Annotated[Language, Query()] = "zh",
) -> Answer:
    """导入模板 · An empty file with the right heading."""
    known = await known_in(running, await _into(running, caller, unit))
    made = await asyncio.to_thread(write_table, columns(known), [], form=form, language=language)
    return file_answer(made, "concerns", form)


@router.get("/imports/{import_id}", **FOLLOW)
async def read_import(import_id: str, caller: Importer, running: Running) -> Answer:
    """导入进度 · How far an import is, and which rows did not go in."""
    stored: Any = await running.histories[IMPORT].get(import_id, scope=caller.unit)
    return Answer(import_shown(stored.id, stored.version, stored.state), version=stored.version)
