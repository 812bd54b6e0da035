"""What somebody said, who said it, what was replied: read with a purpose, recorded, and erased."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, Operation, Running, allow, answer
from services.complaints.api.bodies import Erasing
from services.complaints.api.stepping import found
from services.complaints.domain.events import CaseRedacted
from services.complaints.queries import CASE

router = APIRouter()
Purpose = Literal["text", "reporter", "reply", "note", "advice", "supplement"]


@router.get("/cases/{case}/sealed/{purpose}")
async def read_sealed(
    case: str,
    purpose: Purpose,
    because: Annotated[str, Query(min_length=1, max_length=200)],
    caller: Annotated[Caller, Depends(allow("case.reveal"))],
    running: Running,
) -> Answer:
    """查看内容 · The text, the reporter or a reply. Say why: the read is recorded before anything is shown."""
    stored = await found(running, caller, case)
    return Answer(await running.sealing.reveal(caller, stored, purpose, because=because))


@router.post("/cases/{case}/erase")
async def erase_case(
    case: str,
    body: Erasing,
    caller: Annotated[Caller, Depends(allow("case.erase"))],
    operation: Operation,
    running: Running,
) -> Answer:
    """删除个人信息 · Erase sealed parts from the concern and its history; that it was done stays visible.

    Exactly what belongs to the purposes goes: with the text also the subject, with the reporter also the telephone's
    search and the link to the resident. The resident's code stays; without a telephone nobody can use it.
    """
    event = CaseRedacted(purposes=tuple(sorted(set(body.purposes))))
    return answer(await running.histories[CASE].erase(case, event.purposes, event, operation))


@router.get("/accesses")
async def list_accesses(
    caller: Annotated[Caller, Depends(allow("access.read"))],
    running: Running,
    case: Annotated[str | None, Query(max_length=100)] = None,
    by: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> Answer:
    """查阅记录 · Who read what and why, newest first."""
    rows = await running.sealing.accesses(caller.unit, aggregate=case, by=by, before=before)
    shown = [{name: value for name, value in row.items() if name != "scope"} for row in rows]
    return Answer({"items": shown, "next": shown[-1]["_id"] if len(shown) == 50 else None})
