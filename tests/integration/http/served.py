"""A small service over HTTP, on a real port and with a real history."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Depends, Response

from services.chassis.aggregate import Service, Text
from services.chassis.callers.access import Access, Caller
from services.chassis.connections import connections, server_config
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, application, listing
from services.chassis.storage.driver import Database
from services.chassis.storage.history import History, id_for
from services.chassis.storage.queries import Asked, ListSpec, Scoped
from services.kernel.events import Value
from tests.integration.history.counter import TALLY, Add, KnownUnits, Open, PlainSealing
from tests.unit.http.issuer import TestIssuer
from tests.unit.http.sample import runtime_for

router = APIRouter()
Clerk = Annotated[Caller, Depends(allow("tally.keep"))]
TALLIES = ListSpec("tally", ("-changed",), project=lambda document: document["_id"])


class Opening(Value):
    unit: str
    limit: int = 1000


class Adding(Value):
    amount: int


@router.post("/tallies", status_code=201)
async def open_tally(body: Opening, caller: Clerk, operation: Operation, running: Running) -> Response:
    made = id_for("tally", operation.operation)
    written = await running.histories["tally"].create(made, body.unit, Open(body.unit, body.limit), operation)
    return answer(written, location=f"/tallies/{made}", status=201)


@router.get("/tallies")
async def list_tallies(caller: Clerk, running: Running, asked: Annotated[Asked, Depends(listing(TALLIES))]) -> Response:
    return Answer(await Scoped.on(running.database, "tally").page(caller.unit, asked))


@router.get("/tallies/{id}")
async def show_tally(id: str, caller: Clerk, running: Running) -> Response:
    stored = await running.histories["tally"].get(id, scope=caller.unit)
    return Answer({"total": stored.state.total}, version=stored.version)


@router.get("/tallies/{id}/history")
async def show_history(id: str, caller: Clerk, running: Running) -> Response:
    entries = await running.histories["tally"].entries(id, scope=caller.unit)
    return Answer([entry["type"] for entry in entries])


@router.post("/tallies/{id}/add")
async def add_to_tally(
    id: str, body: Adding, caller: Clerk, operation: Operation, running: Running, seen: IfVersion
) -> Response:
    return answer(await running.histories["tally"].change(id, Add(body.amount), operation, if_version=seen))


PERMISSIONS = {"recorder": frozenset({"tally.keep"})}
TEXTS = {"over-limit": Text("超过上限 {limit}。", "Over the limit of {limit}.", 409)}
SERVICE = Service("tallies", (TALLY,), (router,), PERMISSIONS, TEXTS)


def runtime_on(database: Database, issuer: TestIssuer) -> Any:
    """A runtime whose history is real."""
    runtime: SimpleNamespace = runtime_for(issuer.url)
    runtime.settings = replace(runtime.settings, service="tallies")
    runtime.service, runtime.database = SERVICE, database
    runtime.access = Access(runtime.settings, PERMISSIONS)
    runtime.histories = {"tally": History(TALLY, database, KnownUnits(), PlainSealing())}  # type: ignore[arg-type]
    return runtime


@asynccontextmanager
async def serving(
    runtime: Any, bounds: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """The service on a port of its own, as its process serves it; yields its address and the server.

    ``bounds`` are those of ``connections``, unless the process' own will do.
    """
    app = application(runtime, **options)
    held = {"http": connections(**bounds)} if bounds else {}
    server = uvicorn.Server(server_config(app, port=0, timeout_graceful_shutdown=5, **held))
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", server
    finally:
        server.should_exit = True
        await task
