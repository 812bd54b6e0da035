"""Policies: what a unit has decided, dated; published to every service."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from services.chassis.callers.access import Caller
from services.chassis.context import Context
from services.chassis.errors import NotFound
from services.chassis.http import Answer, Operation, Running, allow, answer, listing
from services.chassis.storage.history import Written, id_for
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain import policies as domain
from services.directory.queries import POLICIES
from services.directory.shapes import shapes
from services.directory.tree import found, seen, today
from services.kernel.events import Refused, Value
from services.kernel.values import Day, Flag

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

POLICY = "policy"
router = APIRouter()
Reads = Annotated[Caller, Depends(allow("policy.read"))]
Publishes = Annotated[Caller, Depends(allow("policy.publish"))]
Listed = Annotated[Asked, Depends(listing(POLICIES))]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,79}$")]


class NewPolicy(Value):
    """A value (JSON without floats) in force for a unit, and all below it that decide nothing nearer, from a day on.

    ``replace``: it corrects the version that begins the same day, which is today or later.
    """

    key: Key
    unit: str
    value: Any
    since: Day = Field(alias="from")
    source: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    replace: Flag = False


@router.post("/policies", status_code=201)
async def publish_policy(body: NewPolicy, caller: Publishes, operation: Operation, runtime: Running) -> Answer:
    """Publish a value of the shape in ``schemas/policies``. What was in force on a past day never changes."""
    founding = "policy.found" in caller.permissions
    view = await runtime.units.get(body.unit) if founding else await seen(runtime, body.unit, caller.unit)
    command = domain.Publish(
        key=body.key,
        unit=body.unit,
        value=body.value,
        since=body.since,
        source=body.source,
        by=caller.sub,
        today=today(view, operation.at),
        undecided=not await _decided_above(runtime, body.key, body.unit, body.since),
        shapes=shapes(),
        replace=body.replace,
    )
    # unscoped: operators decide for units above their own as well
    context = replace(operation, scope=None) if founding else operation
    written = await _published(runtime, command, context)
    return answer(written, status=201, location=f"/policies/{written.id}")


async def _decided_above(runtime: "Runtime", key: str, unit: str, day: date) -> bool:
    try:
        await runtime.policies.in_force(key, unit, day)
    except Refused:
        return False
    return True


async def _published(runtime: "Runtime", command: domain.Publish, context: Context) -> Written:
    """The first version makes the aggregate, later ones change it; in force here at once."""
    history, own = runtime.histories[POLICY], id_for(POLICY, f"{command.unit}|{command.key}")
    try:
        written = await history.change(own, command, context)
    except NotFound:
        written = await history.create(own, command.unit, command, context)
    first = written.seq - len(written.events) + 1
    for ordinal, (name, data) in enumerate(written.events):
        await runtime.policies.apply(own, first + ordinal, name, data)
    return written


@router.get("/policies")
async def list_policies(caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """What units of the caller's own have decided, with all versions."""
    page = await Scoped.on(runtime.database, POLICY).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/policies/{policy}")
async def read_policy(policy: str, caller: Reads, runtime: Running) -> Answer:
    """One key of one unit with all versions."""
    stored = await runtime.histories[POLICY].get(policy, scope=caller.unit)
    return Answer(stored.state.model_dump() | {"id": policy, "version": stored.version}, version=stored.version)


@router.get("/units/{unit}/policies/{key}")
async def value_in_force(
    unit: str, key: str, caller: Reads, runtime: Running, on: Annotated[Day | None, Query()] = None
) -> Answer:
    """The value in force for a unit on a day, who decided it, since when, on what ground."""
    view = await found(runtime, unit, caller.unit)
    domain.shape_of(key, shapes())
    decided = await runtime.policies.in_force(key, unit, on or today(view, runtime.clock.now()))
    return Answer(
        {"key": key, "unit": decided.unit, "value": decided.value, "from": decided.since, "source": decided.source}
    )
