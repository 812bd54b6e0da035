"""A service with every kind of route, and a runtime without servers."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, Field
from pydantic_core import PydanticCustomError
from pymongo.errors import AutoReconnect

from services.chassis.aggregate import Service, Text
from services.chassis.callers.access import Access, Caller
from services.chassis.errors import Conflict, Invalid, NotFound, PreconditionFailed
from services.chassis.health import Health
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing, open_to_all
from services.chassis.http.given import OpenToAll
from services.chassis.settings import Settings
from services.chassis.storage.history import Written
from services.chassis.storage.queries import Asked, Filter, ListSpec
from services.kernel.events import Refused, RefusedAll, Value

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
Recorder = Annotated[Caller, Depends(allow("case.record"))]
Reader = Annotated[Caller, Depends(allow("case.read"))]


class Phone(Value):
    number: str = Field(pattern=r"^1\d{10}$")


class NewCase(Value):
    kind: Literal["complaint", "request"]
    subject: str = Field(min_length=2, max_length=40)
    minutes: int = Field(default=0, ge=0, le=600)
    on: AwareDatetime | None = None
    phones: tuple[Phone, ...] = Field(default=(), max_length=3)
    marks: dict[str, int] = Field(default_factory=dict)


class Loose(BaseModel):
    anything: Any = None


CASES = ListSpec(
    collection="case",
    sort=("-changed",),
    filters={"stage": "state.stage", "minutes": Filter("state.minutes", int), "open": Filter("state.open", bool)},
)

router = APIRouter()


@router.post("/cases", status_code=201)
async def record(body: NewCase, caller: Recorder, operation: Operation) -> Response:
    """Record a case."""
    made = Written(f"case_{operation.operation}", 1, False, [])
    return answer(
        made,
        location=f"/cases/{made.id}",
        status=201,
        by=caller.sub,
        scope=operation.scope,
        body=operation.body,
        at=operation.at,
        kind=body.kind,
    )


@router.get("/cases")
async def cases(caller: Reader, asked: Annotated[Asked, Depends(listing(CASES))]) -> Response:
    return Answer({"limit": asked.limit, "filters": dict(asked.filters), "scope": caller.unit})


@router.get("/cases/{id}")
async def show(id: str, caller: Reader) -> Response:
    if id != "case_1":
        raise NotFound()
    return Answer({"id": id, "at": NOW}, version=7)


@router.post("/cases/{id}/close")
async def close(id: str, operation: Operation, seen: IfVersion, caller: Recorder, why: str = "") -> Response:
    """A step without a body."""
    if seen is not None and seen != 7:
        raise PreconditionFailed(version=7)
    return answer(Written(id, 8, False, []), operation=operation.operation, body=operation.body, why=why)


@router.post("/refusals/{kind}")
async def refuse(kind: str, caller: Recorder) -> Response:
    if kind == "domain":
        raise Refused(
            "case-open", "order", order="order_0190c1a0-0000-7000-8000-000000000001", typed="张三 13800001234"
        )
    if kind == "unspoken":
        raise Refused("never-worded")
    if kind == "choice":
        raise Refused("colour-unknown", "colour", allowed=["red", "张三", "13800001234", *(f"c{n}" for n in range(99))])
    if kind == "several":
        unknown, missing = Refused("colour-unknown", "a.0", allowed=["red"]), Refused("field-missing", "张三")
        raise RefusedAll("paint-wrong", [unknown, missing])
    if kind == "conflict":
        raise Conflict("contended")
    if kind == "field":
        raise Invalid("unit-unknown", field="unit")
    if kind == "away":
        raise AutoReconnect("13800001234")
    if kind == "custom":
        raise PydanticCustomError("odd", "13800001234")
    raise KeyError("张三 13800001234")


@router.post("/loose")
async def loose(body: Loose, caller: Recorder) -> Loose:
    return body


@router.post("/echo/{id}")
async def echo(
    id: str, body: NewCase, caller: Recorder, operation: Operation, request: Request, limit: int = 3
) -> dict[str, Any]:
    return {
        "id": id,
        "limit": limit,
        "body": body.model_dump(mode="json"),
        "by": caller.sub,
        "path": request.url.path,
        "operation": operation.operation,
    }


async def _sum(a: int = 1) -> int:
    return a + 1


@router.post("/framework/{id}")
async def framework(
    id: str,
    body: NewCase,
    caller: Recorder,
    operation: Operation,
    request: Request,
    extra: Annotated[int, Depends(_sum)],
    limit: int = 3,
) -> dict[str, Any]:
    """The same as ``echo``, through FastAPI's own handler."""
    return {
        "id": id,
        "limit": limit,
        "body": body.model_dump(mode="json"),
        "by": caller.sub,
        "path": request.url.path,
        "operation": operation.operation,
        "extra": extra,
    }


@router.post("/imports", max_body_size=1_000_000)
async def import_file(file: UploadFile, caller: Recorder, operation: Operation) -> Response:
    return Answer({"name": len(file.filename or ""), "size": len(await file.read()), "body": operation.body})


@router.get("/wall", dependencies=[Depends(open_to_all(per_minute=60, burst=3))])
async def wall(running: Running) -> Response:
    return Answer({"service": running.service.name}, headers={"cache-control": "public, max-age=60"})


WISHES: OpenToAll = open_to_all()


@router.post("/wishes", dependencies=[Depends(WISHES)])
async def wish(body: NewCase, operation: Operation) -> Response:
    return Answer({"by": operation.by, "scope": operation.scope, "operation": operation.operation})


class Gate:
    """Holds those who come until a test lets them through."""

    opened = asyncio.Event()


@router.get("/held", dependencies=[Depends(open_to_all())])
async def hold() -> Response:
    await Gate.opened.wait()
    return Answer({})


@router.get("/undeclared")
async def undeclared() -> Response:
    return Answer({"never": "seen"})


TEXTS = {
    "case-open": Text("订单 {order} 仍未结束({typed})。", "Order {order} is still open ({typed}).", 409),
    "colour-unknown": Text("没有这种颜色,可选:{allowed}。", "There is no such colour; there are: {allowed}.", 422),
    "paint-wrong": Text("颜料有误。", "The paint is wrong.", 422),
}
PERMISSIONS = {"recorder": frozenset({"case.record", "case.read"}), "reader": frozenset({"case.read"})}
SERVICE = Service(name="sample", aggregates=(), routers=(router,), permissions=PERMISSIONS, texts=TEXTS)


def settings_for(issuer_url: str, **other: Any) -> Settings:
    return Settings(service="sample", kafka="", mongo="", issuer=issuer_url, **other)


def runtime_for(issuer_url: str, **other: Any) -> Any:
    """What the HTTP layer touches of a runtime."""
    settings = settings_for(issuer_url, **other)
    return SimpleNamespace(
        service=SERVICE,
        settings=settings,
        clock=SimpleNamespace(now=lambda: NOW),
        access=Access(settings, PERMISSIONS),
        health=Health("sample"),
    )
