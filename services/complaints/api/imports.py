"""Concerns from a workbook: checked whole, then taken in, with progress."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.chassis.callers.access import Caller
from services.chassis.errors import Invalid
from services.chassis.files.spreadsheets import EXCEL, FILE_SENT, FILE_TOLD, write_table
from services.chassis.http import Answer, Operation, Running, allow
from services.complaints.importing import IMPORT, begin, known_in
from services.complaints.workbook import check, columns

router = APIRouter()
Importer = Annotated[Caller, Depends(allow("case.import"))]
LARGEST = 20_000_000  # bytes


@router.post("/imports", openapi_extra=FILE_SENT, max_body_size=LARGEST)
async def import_cases(
    request: Request,
    caller: Importer,
    operation: Operation,
    running: Running,
    unit: Annotated[str | None, Query(max_length=100)] = None,
    dry_run: bool = False,
) -> Answer:
    """导入民情 · The body is the workbook itself (.xlsx or .csv). With one faulty cell nothing goes in.

    202 with the import's id when it goes in, 200 for a dry run, 422 with the faults by cell. The same file again is the
    same import; a row that is known by its number is not recorded twice.
    """
    into = unit or caller.unit
    if not await running.units.within(into, caller.unit):
        raise Invalid("unit-unknown", field="query.unit")
    content = await request.body()
    known = await known_in(running, into)
    checked = await asyncio.to_thread(check, content, known, operation.at)
    told = {"rows": len(checked.rows), "errors": [one.as_dict() for one in checked.errors], "cut": checked.cut}
    if checked.errors or dry_run:
        return Answer({"dry_run": dry_run, **told}, 200 if dry_run else 422)
    if not checked.rows:
        raise Invalid("file-without-rows")
    written = await begin(running, caller, into, content, checked.rows, operation.at)
    place = {"location": f"/imports/{written.id}"}
    return Answer({"aggregate": written.id, "seq": written.seq, **told}, 202, headers=place)


@router.get("/imports/template", response_class=Response, responses=FILE_TOLD)
async def read_template(
    caller: Importer, running: Running, unit: Annotated[str | None, Query(max_length=100)] = None
) -> Answer:
    """导入模板 · An empty workbook with the columns."""
    into = unit or caller.unit
    if not await running.units.within(into, caller.unit):
        raise Invalid("unit-unknown", field="query.unit")
    known = await known_in(running, into)
    made = await asyncio.to_thread(write_table, columns(known), [])
    answer = Answer(None)
    answer.body = made
    answer.raw_headers = [
        (b"content-type", EXCEL.encode()),
        (b"content-length", str(len(made)).encode()),
        (b"content-disposition", b'attachment; filename="concerns.xlsx"'),
    ]
    return answer


@router.get("/imports/{import_id}")
async def read_import(import_id: str, caller: Importer, running: Running) -> Answer:
    """导入进度 · How far an import is, and which rows did not go in."""
    stored = await running.histories[IMPORT].get(import_id, scope=caller.unit)
    state = stored.state
    told = state.recorded + state.known + state.refused
    page = state.model_dump(exclude={"next"}) | {"id": stored.id, "through": told}
    return Answer(page, version=stored.version)
