"""Staff: register, assign, end, read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain import staff as domain
from services.directory.domain.households import Sealed
from services.directory.queries import STAFF
from services.directory.tree import found, open_unit, seen, today
from services.kernel.events import Value
from services.kernel.phone import E164
from services.kernel.values import Day

RECORD = "staff"
router = APIRouter()
Reads = Annotated[Caller, Depends(allow("staff.read"))]
ReadsIdentity = Annotated[Caller, Depends(allow("staff.identity"))]
Writes = Annotated[Caller, Depends(allow("staff.write"))]
Listed = Annotated[Asked, Depends(listing(STAFF))]
Because = Annotated[str, Query(min_length=1, max_length=200, description="why it is read; it is recorded")]
Post = Annotated[str, StringConstraints(min_length=1, max_length=100)]
PersonId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]


class NewStaff(Value):
    """A person in a first post. ``person`` is the subject of the person's tokens, if they have any."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
    phone: E164 | None = None
    post: Post
    unit: str
    person: PersonId | None = None
    since: Day | None = Field(default=None, alias="from")


class NewPost(Value):
    """A further post."""

    post: Post
    unit: str
    since: Day | None = Field(default=None, alias="from")


class EndOfPost(Value):
    """The post that ends; with the last one the person leaves."""

    post: Post
    unit: str
    on: Day | None = None
    reason: Annotated[str, StringConstraints(pattern="^[a-z-]{1,40}$")] = "left"


@router.post("/staff", status_code=201)
async def register_staff(body: NewStaff, caller: Writes, operation: Operation, runtime: Running) -> Answer:
    """Register a person in a post."""
    view = await open_unit(runtime, body.unit, caller.unit)
    own = id_for(RECORD, operation.operation)
    phone = {"phone": body.phone} if body.phone else {}
    command = domain.Register(
        person=body.person or own,
        post=body.post,
        unit=body.unit,
        unit_kind=view.kind,
        since=body.since or today(view, operation.at),
        sealed=Sealed({domain.IDENTITY: {"name": body.name, **phone}}),
    )
    written = await runtime.histories[RECORD].create(own, body.unit, command, operation)
    return answer(written, status=201, location=f"/staff/{own}")


@router.get("/staff")
async def list_staff(caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Staff of the caller's own; no names."""
    page = await Scoped.on(runtime.database, RECORD).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/units/{unit}/staff")
async def list_staff_of(unit: str, caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Staff whose first post is in this unit or below it."""
    await found(runtime, unit, caller.unit)
    page = await Scoped.on(runtime.database, RECORD).page(unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/staff/{member}")
async def read_staff(member: str, caller: Reads, runtime: Running) -> Answer:
    """The public part: posts and days."""
    stored = await runtime.histories[RECORD].get(member, scope=caller.unit)
    return Answer(stored.state.model_dump() | {"id": member, "version": stored.version}, version=stored.version)


@router.get("/staff/{member}/identity")
async def read_identity(member: str, caller: ReadsIdentity, runtime: Running, because: Because) -> Answer:
    """Name and telephone; the read is recorded."""
    stored = await runtime.histories[RECORD].get(member, scope=caller.unit)
    return Answer(await runtime.sealing.reveal(caller, stored, domain.IDENTITY, because=because))


@router.post("/staff/{member}/assign")
async def assign_staff(
    member: str, body: NewPost, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Give a person a further post."""
    view = await open_unit(runtime, body.unit, caller.unit)
    command = domain.Assign(body.post, body.unit, view.kind, body.since or today(view, operation.at))
    return answer(await runtime.histories[RECORD].change(member, command, operation, if_version=if_version))


@router.post("/staff/{member}/end")
async def end_post(
    member: str, body: EndOfPost, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """End a post."""
    view = await seen(runtime, body.unit, caller.unit)
    command = domain.End(body.post, body.unit, body.on or today(view, operation.at), body.reason)
    return answer(await runtime.histories[RECORD].change(member, command, operation, if_version=if_version))
