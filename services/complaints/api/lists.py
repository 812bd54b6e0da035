"""Work lists, the page of one concern, its history."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query

from services.chassis.callers.access import Caller
from services.chassis.errors import NotFound
from services.chassis.http import Answer, Running, allow, listing
from services.chassis.storage.queries import Asked, ListSpec, Scalar, Scoped
from services.complaints import queries
from services.complaints.api.stepping import found
from services.complaints.domain.state import Case
from services.complaints.domain.steps import Taker, open_to
from services.complaints.places import party_of
from services.complaints.queries import CASE
from services.complaints.rulebook import rules_for
from services.complaints.texts import STAGES
from services.kernel.phone import Phone

router = APIRouter()
Reader = Annotated[Caller, Depends(allow("case.read"))]
PAGING = ListSpec(CASE, queries.NEWEST)
SOON = timedelta(days=2)

QUEUES: dict[str, Callable[[Caller], tuple[ListSpec, dict[str, Scalar]]]] = {
    "mine": lambda caller: (queries.HANDLED, {"handler": caller.sub, "work": "open"}),
    "unit": lambda caller: (queries.HANDLED, {"handler": caller.unit, "work": "open"}),
    "offered": lambda caller: (queries.OFFERS, {"offered_to": caller.sub}),
    "offered-unit": lambda caller: (queries.OFFERS, {"offered_to": caller.unit}),
    "answerable": lambda caller: (queries.ANSWERED_FOR, {"answerable": caller.sub, "work": "open"}),
    "late": lambda caller: (queries.LATE, {"late": True}),
    "returned": lambda caller: (queries.RETURNED, {"returned": True}),
    "asked": lambda caller: (queries.ASKED, {"asked": caller.unit}),
}


@router.get("/cases")
async def list_cases(
    asked: Annotated[Asked, Depends(listing(queries.OF_UNIT))], caller: Reader, running: Running
) -> Answer:
    """民情列表 · The concerns of the caller's unit, newest first; the open ones unless a filter says otherwise."""
    filters = asked.filters if {"work", "category"} & asked.filters.keys() else {"work": "open", **asked.filters}
    return await _page(running, caller, replace(asked, filters=filters))


@router.get("/cases/due")
async def list_due(asked: Annotated[Asked, Depends(listing(queries.DUE))], caller: Reader, running: Running) -> Answer:
    """即将到期 · What is due next, the earliest first; within two days unless ``before`` says otherwise."""
    filters = {"before": running.clock.now() + SOON, **asked.filters}
    return await _page(running, caller, replace(asked, filters=filters))


@router.get("/cases/queues/{queue}")
async def list_queue(
    queue: str, asked: Annotated[Asked, Depends(listing(PAGING))], caller: Reader, running: Running
) -> Answer:
    """工作队列 · mine, unit, offered, offered-unit, answerable, late, returned or asked (of one's level)."""
    if queue not in QUEUES:
        raise NotFound("queue-unknown", field="path.queue", allowed=list(QUEUES))
    spec, filters = QUEUES[queue](caller)
    return await _page(running, caller, Asked(spec, {**filters, **asked.filters}, asked.limit, asked.cursor))


@router.get("/cases/by-phone")
async def list_by_phone(
    caller: Annotated[Caller, Depends(allow("case.search"))],
    running: Running,
    phone: Annotated[Phone, Header(alias="Linli-Phone")],
    because: Annotated[str, Query(min_length=1, max_length=200)],
) -> Answer:
    """来电查询 · The concerns of one telephone, to tell repeat complaints (LAW-45). The search is recorded."""
    scope = (await running.units.get(caller.unit)).scope
    hashed = await running.sealing.search(caller, scope, "phone", phone, because=because)
    return await _page(running, caller, Asked(queries.OF_PHONE, {"phone": hashed}))


@router.get("/cases/{case}")
async def read_case(case: str, caller: Reader, running: Running) -> Answer:
    """民情详情 · One concern without its sealed parts, and the ``steps`` that the caller may take now.

    A step is listed exactly when it would not be refused for its stage, for whose it is or for the caller's permission.
    Each is named as its route is, but ``rule`` is a dispatch with ``ruling``, ``order`` is ``POST …/orders``, ``waive``
    is about an open order, ``release`` is ``POST …/wall`` and ``withdraw`` is ``POST …/wall/withdraw``.
    """
    stored = await found(running, caller, case)
    rules = await rules_for(running, stored.unit, stored.state.opened_on)
    by = await party_of(running, caller, stored.state.units)
    taker = Taker(by, caller.roles, caller.permissions)
    steps = open_to(stored.state, rules, taker, running.clock.now())
    page = {"id": stored.id, "unit": stored.unit, "version": stored.version, **_shown(stored.state)}
    return Answer(page | {"steps": steps, "sealed": sorted(stored.sealed)}, version=stored.version)


@router.get("/cases/{case}/history")
async def read_history(case: str, caller: Reader, running: Running) -> Answer:
    """办理经过 · Who did what when, oldest first; texts stay sealed."""
    entries = await running.histories[CASE].entries(case, scope=caller.unit)
    shown = ("id", "seq", "type", "at", "by", "cause", "data")
    items = [{name: entry[name] for name in shown if name in entry} | _sealed(entry) for entry in entries]
    return Answer({"items": items})


def _sealed(entry: dict[str, Any]) -> dict[str, Any]:
    return {"sealed": sorted(entry["private"])} if entry.get("private") else {}


def _shown(state: Case) -> dict[str, Any]:
    page = state.model_dump(exclude={"unit", "reply", "wall", "on_wall", "zone"})
    zh, en = STAGES.get(state.stage, (state.stage, state.stage))
    wall = {"question": state.wall.question, "answer": state.wall.answer} if state.wall and state.on_wall else None
    return page | {"level": state.level, "stage_text": {"zh": zh, "en": en}, "wall": wall}


async def _page(running: Running, caller: Caller, asked: Asked) -> Answer:
    page = await Scoped.on(running.database, CASE).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})
