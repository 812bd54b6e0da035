"""Places: stationed units, bodies, counterparties and points of service."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.directory.domain import places as domain
from services.directory.domain.households import NOTHING, Sealed
from services.directory.figures import nearest_points
from services.directory.queries import PLACES
from services.directory.tree import found, open_unit, seen, today
from services.kernel.events import Value
from services.kernel.phone import E164
from services.kernel.values import Day, Whole

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

PLACE = "place"
router = APIRouter()
Reads = Annotated[Caller, Depends(allow("place.read"))]
Writes = Annotated[Caller, Depends(allow("place.write"))]
Listed = Annotated[Asked, Depends(listing(PLACES))]
Because = Annotated[str, Query(min_length=1, max_length=200, description="why it is read; it is recorded")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class ContactPerson(Value):
    """Whom to ask for there."""

    name: Name
    phone: E164


class PlaceFacts(Value):
    """What is told of a place. ``serves``: categories of concern; ``promise_hours``: its service promise;
    ``supervisor``: the place that oversees it."""

    name: Name
    line: Code | None = None
    offers: tuple[Code, ...] = Field(default=(), max_length=30)
    serves: tuple[Code, ...] = Field(default=(), max_length=30)
    promise_hours: Whole | None = Field(default=None, ge=1, le=10_000)
    supervisor: str | None = None
    position: domain.Position | None = None
    contact: ContactPerson | None = None

    def facts(self) -> domain.Facts:
        """For the domain."""
        return domain.Facts(**{name: getattr(self, name) for name in domain.Facts.__dataclass_fields__})

    def sealed(self) -> Sealed:
        """What is sealed."""
        if self.contact is None:
            return NOTHING
        return Sealed({domain.CONTACT: {"name": self.contact.name, "phone": self.contact.phone}})


class NewPlace(PlaceFacts):
    """A place to be registered under a unit."""

    kind: Code
    unit: str


class NewGrid(Value):
    """The grid in which the place lies from a day on."""

    grid: str
    since: Day | None = Field(default=None, alias="from")


class End(Value):
    """Why it is no more."""

    reason: Code


@router.post("/places", status_code=201)
async def register_place(body: NewPlace, caller: Writes, operation: Operation, runtime: Running) -> Answer:
    """Register a place."""
    await open_unit(runtime, body.unit, caller.unit)
    await _refuse_unknown_supervisor(runtime, body.supervisor, caller.unit)
    own = id_for(PLACE, operation.operation)
    command = domain.Register(own, body.kind, body.unit, body.facts(), body.sealed())
    written = await runtime.histories[PLACE].create(own, body.unit, command, operation)
    return answer(written, status=201, location=f"/places/{own}")


async def _refuse_unknown_supervisor(runtime: "Runtime", supervisor: str | None, scope: str) -> None:
    if supervisor is not None:
        await runtime.histories[PLACE].get(supervisor, scope=(await runtime.units.get(scope)).scope[0])


@router.get("/places")
async def list_places(caller: Reads, asked: Listed, runtime: Running) -> Answer:
    """Places of the caller's own, by name."""
    page = await Scoped.on(runtime.database, PLACE).page(caller.unit, asked)
    return Answer({"items": page.items, "next": page.next})


@router.get("/units/{unit}/nearest-points")
async def list_nearest(
    unit: str,
    caller: Reads,
    runtime: Running,
    latitude: Annotated[int, Query(ge=-90_000_000, le=90_000_000, description="millionths of a degree")],
    longitude: Annotated[int, Query(ge=-180_000_000, le=180_000_000, description="millionths of a degree")],
    kind: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
) -> Answer:
    """Points of service in a unit, the nearest first, with their distance in metres."""
    await found(runtime, unit, caller.unit)
    here = domain.Position(latitude=latitude, longitude=longitude)
    return Answer({"items": await nearest_points(runtime, unit, here, kind, limit)})


@router.get("/places/{place}")
async def read_place(place: str, caller: Reads, runtime: Running) -> Answer:
    """The public part of a place."""
    stored = await runtime.histories[PLACE].get(place, scope=caller.unit)
    return Answer(stored.state.model_dump() | {"id": place, "version": stored.version}, version=stored.version)


@router.get("/places/{place}/contact")
async def read_contact(place: str, caller: Reads, runtime: Running, because: Because) -> Answer:
    """Whom to ask for; the read is recorded."""
    stored = await runtime.histories[PLACE].get(place, scope=caller.unit)
    return Answer(await runtime.sealing.reveal(caller, stored, domain.CONTACT, because=because))


@router.post("/places/{place}/change")
async def change_place(
    place: str, body: PlaceFacts, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Tell the facts of a place anew, whole."""
    await _refuse_unknown_supervisor(runtime, body.supervisor, caller.unit)
    command = domain.Change(place, body.facts(), body.sealed())
    return answer(await runtime.histories[PLACE].change(place, command, operation, if_version=if_version))


@router.post("/places/{place}/grid")
async def put_in_grid(
    place: str, body: NewGrid, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Let a place lie in a grid, and in no other any more."""
    stored = await runtime.histories[PLACE].get(place, scope=caller.unit)
    grid = await seen(runtime, body.grid, caller.unit, "grid")
    community = await runtime.units.parent_of_kind(stored.unit, "community")
    same = community is None or community in grid.path
    command = domain.PutInGrid(body.grid, grid.kind == "grid", same, body.since or today(grid, operation.at))
    return answer(await runtime.histories[PLACE].change(place, command, operation, if_version=if_version))


@router.post("/places/{place}/close")
async def close_place(
    place: str, body: End, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Close a place."""
    command = domain.Close(body.reason)
    return answer(await runtime.histories[PLACE].change(place, command, operation, if_version=if_version))
