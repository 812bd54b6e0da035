"""What is sealed of a person: search, read for a purpose, correct, mark, count."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.chassis.callers.access import Caller
from services.chassis.context import Context
from services.chassis.errors import Conflict, Invalid, NotFound, PreconditionFailed
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer
from services.chassis.personal.lookups import NAME, NUMBER, PHONE, TAIL
from services.chassis.storage.history import Stored, Written
from services.chassis.storage.queries import Scoped
from services.directory.api.residents import RESIDENT, resolved
from services.directory.domain import markers, residents
from services.directory.domain.persons import (
    CONTACTS,
    IDENTITY,
    MARKERS,
    Contact,
    Identity,
    Marker,
    checked_identity,
)
from services.directory.domain.policies import OWN, SMALL_GROUP
from services.directory.known import refuse_known_number
from services.directory.queries import item_of
from services.directory.sealed import Hands, together
from services.directory.tree import found, today
from services.kernel.events import Value
from services.kernel.phone import Phone, Tail
from services.kernel.values import Day

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

ATTEMPTS = 5  # to add a marker when the file changes meanwhile
MOST_FOUND = 50
router = APIRouter()
Searches = Annotated[Caller, Depends(allow("resident.search"))]
ReadsIdentity = Annotated[Caller, Depends(allow("resident.identity"))]
ReadsContacts = Annotated[Caller, Depends(allow("resident.contacts"))]
ReadsMarkers = Annotated[Caller, Depends(allow("resident.markers"))]
Writes = Annotated[Caller, Depends(allow("resident.write"))]
Counts = Annotated[Caller, Depends(allow("figure.read"))]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Because = Annotated[str, Query(min_length=1, max_length=200, description="why it is read; it is recorded")]


class Search(Value):
    """One thing to search by, and why. ``tail``: the last four digits of a telephone number."""

    phone: Phone | None = None
    tail: Tail | None = None
    number: str | None = Field(default=None, max_length=40)
    name: str | None = Field(default=None, max_length=60)
    because: Reason

    @model_validator(mode="after")
    def _one(self) -> "Search":
        if len(self.asked()) != 1:
            raise PydanticCustomError("search-by-one", "search by exactly one of phone, tail, number, name")
        return self

    def asked(self) -> list[tuple[str, str]]:
        """What is given, by the kind of its hash."""
        kinds = {PHONE: self.phone, TAIL: self.tail, NUMBER: self.number, NAME: self.name}
        return [(kind, value) for kind, value in kinds.items() if value]


class Correction(Value):
    """What is right: whole purposes, as they are from now on."""

    identity: Identity | None = None
    contacts: tuple[Contact, ...] | None = Field(default=None, max_length=20)


class NewMarker(Value):
    """A marker that begins to hold."""

    add: Marker


class EndOfMarker(Value):
    """A marker that has ceased to hold."""

    end: str
    on: Day


@router.post("/residents/search")
async def search_residents(body: Search, caller: Searches, runtime: Running) -> Answer:
    """Find files by telephone number, its tail, resident number or name. That somebody searched is recorded."""
    kind, value = body.asked()[0]
    scope = (await runtime.units.get(caller.unit)).scope
    hashed = await runtime.sealing.search(caller, scope, kind, value, because=body.because)
    files = await Scoped.on(runtime.database, RESIDENT).find(caller.unit, {f"keys.{kind}": hashed}, limit=MOST_FOUND)
    return Answer({"items": [item_of(one) for one in files]})


@router.get("/residents/{resident}/identity")
async def read_identity(resident: str, caller: ReadsIdentity, runtime: Running, because: Because) -> Answer:
    """Name, number, registered address; the read is recorded."""
    return await _revealed(runtime, resident, caller, IDENTITY, because)


@router.get("/residents/{resident}/contacts")
async def read_contacts(resident: str, caller: ReadsContacts, runtime: Running, because: Because) -> Answer:
    """Telephone numbers and consents; the read is recorded."""
    return await _revealed(runtime, resident, caller, CONTACTS, because)


@router.get("/residents/{resident}/markers")
async def read_markers(resident: str, caller: ReadsMarkers, runtime: Running, because: Because) -> Answer:
    """Markers with source and days; the read is recorded. Other services ask here, with their purpose."""
    return await _revealed(runtime, resident, caller, MARKERS, because)


@router.get("/residents/{resident}/markers/{marker}")
async def read_marker(resident: str, marker: str, caller: ReadsMarkers, runtime: Running, because: Because) -> Answer:
    """Whether one marker holds today, and nothing of the others; the read is recorded. For who needs that one only."""
    if marker not in markers.CODES:
        raise NotFound()
    stored = await resolved(runtime, resident, caller.unit)
    day = today(await runtime.units.get(stored.unit), runtime.clock.now())
    (opened,) = await runtime.sealing.reveal_each(caller, [stored], MARKERS, because=because)
    held = [Marker(**one) for one in (opened or {"markers": []})["markers"]]
    return Answer({"resident": stored.id, "marker": marker, "on": day, "holds": markers.holds(held, marker, day)})


async def _revealed(runtime: "Runtime", resident: str, caller: Caller, purpose: str, because: str) -> Answer:
    stored = await resolved(runtime, resident, caller.unit)
    return Answer(await runtime.sealing.reveal(caller, stored, purpose, because=because))


@router.post("/residents/{resident}/correct")
async def correct_resident(
    resident: str, body: Correction, caller: Writes, operation: Operation, if_version: IfVersion, runtime: Running
) -> Answer:
    """Correct identity or contacts, whole."""
    stored = await runtime.histories[RESIDENT].get(resident, scope=caller.unit)
    hands = Hands(runtime.sealing, stored.scope[0])
    parts = []
    if body.identity is not None:
        identity = checked_identity(body.identity)
        await refuse_known_number(runtime, hands, identity, resident)
        parts.append(hands.identity(identity))
    if body.contacts is not None:
        parts.append(hands.contacts(body.contacts))
    if not parts:
        raise Invalid("nothing-given")
    command = residents.Correct(together(parts))
    return answer(await runtime.histories[RESIDENT].change(resident, command, operation, if_version=if_version))


@router.post("/residents/{resident}/mark")
async def mark_resident(
    resident: str, body: NewMarker, caller: Writes, operation: Operation, runtime: Running
) -> Answer:
    """A marker begins to hold; the event says only that markers changed."""
    return answer(
        await _remark(runtime, resident, operation, lambda held, day: markers.added(held, body.add, day))
    )


@router.post("/residents/{resident}/unmark")
async def unmark_resident(
    resident: str, body: EndOfMarker, caller: Writes, operation: Operation, runtime: Running
) -> Answer:
    """A marker has ceased to hold."""
    return answer(
        await _remark(runtime, resident, operation, lambda held, day: markers.ended(held, body.end, body.on, day))
    )


async def _remark(runtime: "Runtime", resident: str, operation: Context, turn: Any) -> Written:
    """Set the markers to what ``turn`` makes of them, on the version they were read from."""
    history = runtime.histories[RESIDENT]
    for _ in range(ATTEMPTS):
        stored = await history.get(resident, scope=operation.scope)
        day = today(await runtime.units.get(stored.unit), operation.at)
        if any(entry["op"] == operation.operation for entry in stored.history):
            return await history.change(resident, residents.Verify(), operation)  # gives the first answer again
        sealed = Hands(runtime.sealing, stored.scope[0]).markers(turn(await _held(runtime, stored), day))
        command = residents.SetMarkers(sealed)
        try:
            return await history.change(resident, command, operation, if_version=stored.version)
        except PreconditionFailed:
            continue
    raise Conflict("contended")


async def _held(runtime: "Runtime", stored: Stored[Any]) -> list[Marker]:
    blob = stored.sealed.get(MARKERS)
    if blob is None:
        return []
    return [Marker(**one) for one in (await runtime.sealing.unseal(blob))["markers"]]


@router.get("/units/{unit}/markers")
async def count_markers(unit: str, caller: Counts, runtime: Running) -> Answer:
    """How many active residents bear each marker. Groups smaller than the district's ``smallGroup`` are hidden
    (``null``) from callers who may not see small figures."""
    view = await found(runtime, unit, caller.unit)
    hands = Hands(runtime.sealing, view.scope[0])
    now = runtime.clock.now()
    small = await _small_group(runtime, caller, unit, today(view, now))
    scoped = Scoped.on(runtime.database, RESIDENT)
    counts: dict[str, int | None] = {}
    for code in markers.CODES:
        bearers = await scoped.count(unit, {f"keys.{MARKERS}": hands.marker_key(code), "state.status": "active"})
        counts[code] = None if 0 < bearers < small else bearers
    return Answer({"unit": unit, "as_of": now, "hidden_below": small, "markers": counts})


async def _small_group(runtime: "Runtime", caller: Caller, unit: str, day: date) -> int:
    """Raises Refused("parameter-not-set") where the district has not decided it: then only the permitted may count."""
    if "figure.small" in caller.permissions:
        return 0
    return await runtime.policies.read(SMALL_GROUP, unit, day, OWN[SMALL_GROUP])


