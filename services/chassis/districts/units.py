"""The unit tree as each service knows it: a projection of the directory's events.

Each unit keeps its own facts (parent, name, covering grids, closed), each guarded by the sequence number of the event
that set it, so facts may arrive in any order and any number of times. Paths and scopes are walked from the parents
when they are asked for: nothing that is stored can disagree with the tree.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import StringConstraints
from pymongo import UpdateOne

from services.chassis.contracts.wire import Reader
from services.chassis.errors import Invalid, Unavailable
from services.chassis.storage.driver import Database, Document, is_passing

if TYPE_CHECKING:
    from services.chassis.consuming.reactions import Doing, Reactions

UNITS = "units"
RESTAMPS = "restamps"
DISTRICT = "district"
CACHED = 4.0  # seconds; with LOOKING, another process' copy of the tree is at most 5 s old
LOOKING = 1.0  # seconds for which the others go by what is known while one looks again


class UnitUnknown(Invalid):
    """This service has not heard of the unit, or not yet of its district: it may arrive any moment."""

    code = "unit-unknown"


@dataclass(frozen=True)
class UnitView:
    """A unit in its place. ``path`` runs from the root to the unit, ``scope`` from the district to the unit and on to
    the grids that cover it or anything above it. ``parent`` is None for a root."""

    id: str
    kind: str
    name: str
    parent: str | None
    path: tuple[str, ...]
    scope: tuple[str, ...]
    zone: str  # time zone, of the unit or the nearest above it
    closed: bool
    capabilities: tuple[str, ...]
    covers: dict[str, str]  # layer to grid
    kinds: tuple[str, ...]  # of the units on the path


class Registered(Reader):
    """``linli.directory.unit.registered.v1``."""

    kind: str
    name: str
    parent: str | None = None
    path: tuple[str, ...] = ()
    zone: str | None = None
    capabilities: tuple[str, ...] = ()


class Moved(Reader):
    """``linli.directory.unit.moved.v1``."""

    parent: str | None
    path: tuple[str, ...] = ()
    revision: int = 0


class Renamed(Reader):
    """``linli.directory.unit.renamed.v1``."""

    name: str


class Covered(Reader):
    """``linli.directory.unit.covered.v1``."""

    grid: str = ""
    layer: Annotated[str, StringConstraints(pattern="^[a-z_]+$")]  # becomes a field name


class Equipped(Reader):
    """``linli.directory.unit.equipped.v1``."""

    capabilities: tuple[str, ...]


class Closed(Reader):
    """``linli.directory.unit.closed.v1``."""


class Units:
    """The units of one service. ``aggregates`` are the collections whose records are re-stamped when units move."""

    def __init__(self, database: Database, aggregates: Sequence[str]) -> None:
        self.aggregates = tuple(aggregates)
        self._database = database
        self._units = database.collection(UNITS)
        self._restamps = database.collection(RESTAMPS)
        self._views: dict[str, tuple[float, UnitView]] = {}
        self._looking: set[str] = set()

    async def ensure_indexes(self) -> None:
        """Indexes of the projection."""
        await self._units.ensure_indexes(("parent.value",))
        await self._restamps.ensure_indexes(("done", "again"))

    async def get(self, unit: str) -> UnitView:
        """The unit in its place. Raises UnitUnknown, Unavailable."""
        cached = self._views.get(unit)
        if cached is not None and time.monotonic() < cached[0] + (LOOKING if unit in self._looking else 0):
            return cached[1]
        self._looking.add(unit)
        try:
            return (await self.get_many([unit]))[unit]
        finally:
            self._looking.discard(unit)

    async def get_many(self, units: Sequence[str]) -> dict[str, UnitView]:
        """Each unit in its place, as the tree is now. Raises UnitUnknown when one is not known, Unavailable."""
        known = await self._with_ancestors(units)
        until = time.monotonic() + CACHED
        views = {unit: _view(unit, known) for unit in units}
        self._views |= {unit: (until, view) for unit, view in views.items()}
        return views

    async def scope_of(self, unit: str) -> list[str]:
        """The ids that may see a record of this unit, from its district down. Raises UnitUnknown, Unavailable."""
        return list((await self.get(unit)).scope)

    async def district_of(self, unit: str) -> str:
        """The unit's district; for a unit above all districts, itself."""
        return (await self.get(unit)).scope[0]

    async def within(self, unit: str, scope: str) -> bool:
        """Whether a caller of ``scope`` may see records of ``unit``."""
        return scope in (await self.get(unit)).scope

    async def parent_of_kind(self, unit: str, kind: str) -> str | None:
        """The nearest unit of that kind on the way up, the unit itself included; None when there is none."""
        view = await self.get(unit)
        return next((u for u, k in zip(reversed(view.path), reversed(view.kinds), strict=True) if k == kind), None)

    async def subtree(self, unit: str) -> list[str]:
        """The unit and everything below it, as the tree is now; empty when it is not known. Raises Unavailable."""
        found: dict[str, bool] = {unit: False}
        level = [unit]
        while level:
            rows = await self._read({"$or": [{"parent.value": {"$in": level}}, {"_id": {"$in": level}}]})
            level = [row["_id"] for row in rows if row["_id"] not in found]
            found |= {row["_id"]: "base" in row for row in rows}
        return sorted(one for one, known in found.items() if known)

    async def apply(self, unit: str, seq: int, type_: str, data: Mapping[str, Any]) -> None:
        """Take over one event of a unit: ``type_`` as in ``unit.moved.v1``, ``data`` as published.

        Idempotent and indifferent to order. The directory calls it for its own writes too, so that a unit is known as
        soon as it is written. Events of other types change nothing here.
        """
        name = type_.rsplit(".", 1)[0]
        if name in _READERS:
            for collection, operation in _writes(unit, seq, name, _READERS[name].model_validate(data)):
                await self._database.collection(collection).bulk_write([operation])
            self._views.clear()

    async def react(self, event: Reader, do: "Doing") -> None:
        """Take over one event that came by Kafka."""
        envelope = do.envelope
        for collection, operation in _writes(envelope.subject, envelope.sequence, envelope.name, event):
            await do.write(collection, operation)
        self._views.clear()

    async def _with_ancestors(self, units: Sequence[str]) -> dict[str, Document]:
        known: dict[str, Document] = {}
        asked: set[str] = set()
        wanted = set(units)
        while wanted:
            asked |= wanted
            rows = await self._read({"_id": {"$in": sorted(wanted)}, "base": {"$exists": True}})
            known |= {row["_id"]: row for row in rows}
            wanted = {row["parent"]["value"] for row in rows if row["parent"]["value"]} - asked
        return known

    async def _read(self, wanted: Document) -> list[Document]:
        try:
            return await self._units.find(wanted)
        except Exception as error:
            if is_passing(error):
                raise Unavailable() from error
            raise


def _writes(unit: str, seq: int, name: str, event: Any) -> list[tuple[str, UpdateOne]]:
    """The writes by which an event becomes known: its facts and, when it changes scopes, the work that follows."""
    stage = {path: _newer(path, seq, fact) for path, fact in _FACTS[name](event).items()}
    writes = [(UNITS, UpdateOne({"_id": unit}, [{"$set": stage}], upsert=True))]
    if name in _RESCOPING:
        work = {"unit": unit, "done": False, "passes": 0, "again": datetime.now(UTC)}
        writes.append((RESTAMPS, UpdateOne({"_id": f"{unit}|{seq:08d}"}, {"$setOnInsert": work}, upsert=True)))
    return writes


def _newer(path: str, seq: int, fact: Document) -> Document:
    """An expression that keeps the fact which is there when a later event has set it."""
    is_later = {"$gt": [seq, {"$ifNull": [f"${path}.seq", -1]}]}
    return {"$cond": [is_later, {"$literal": fact | {"seq": seq}}, f"${path}"]}


def _registered(event: Registered) -> dict[str, Document]:
    return {
        "base": {"kind": event.kind, "zone": event.zone},
        "name": {"value": event.name},
        "parent": {"value": event.parent, "above": list(event.path[:-1])},
        "capabilities": {"value": list(event.capabilities)},
    }


def _moved(event: Moved) -> dict[str, Document]:
    return {"parent": {"value": event.parent, "above": list(event.path[:-1]), "revision": event.revision}}


_READERS: dict[str, type[Reader]] = {
    "unit.registered": Registered,
    "unit.moved": Moved,
    "unit.renamed": Renamed,
    "unit.covered": Covered,
    "unit.equipped": Equipped,
    "unit.closed": Closed,
}
_FACTS: dict[str, Callable[[Any], dict[str, Document]]] = {
    "unit.registered": _registered,
    "unit.moved": _moved,
    "unit.renamed": lambda event: {"name": {"value": event.name}},
    "unit.covered": lambda event: {f"covers.{event.layer}": {"grid": event.grid}},
    "unit.equipped": lambda event: {"capabilities": {"value": list(event.capabilities)}},
    "unit.closed": lambda event: {"closed": {"value": True}},
}
_RESCOPING = frozenset({"unit.moved", "unit.covered"})


def _view(unit: str, known: dict[str, Document]) -> UnitView:
    if unit not in known:
        raise UnitUnknown(field="unit")
    chain = _chain(unit, known)
    rows = [known.get(one) for one in chain]
    kinds = tuple(row["base"]["kind"] if row else "" for row in rows)
    own, grids = known[unit], [grid for row in rows if row for grid in _covers(row).values()]
    scope = chain[_first_of_scope(kinds) :]
    return UnitView(
        id=unit,
        kind=own["base"]["kind"],
        name=own["name"]["value"],
        parent=own["parent"]["value"],
        path=tuple(chain),
        scope=tuple(dict.fromkeys([*scope, *sorted(grids)])),
        zone=next((row["base"]["zone"] for row in reversed(rows) if row and row["base"]["zone"]), ""),
        closed="closed" in own,
        capabilities=tuple(own["capabilities"]["value"]),
        covers=_covers(own),
        kinds=kinds,
    )


def _covers(row: Document) -> dict[str, str]:
    return {layer: cover["grid"] for layer, cover in row.get("covers", {}).items() if cover["grid"]}


def _chain(unit: str, known: dict[str, Document]) -> list[str]:
    """From the root to the unit. Above the topmost known unit, the path that its own event told."""
    chain: list[str] = []
    at: str | None = unit
    while at is not None and at in known:
        if at in chain:
            raise UnitUnknown(field="unit")  # two moves of which one has not arrived yet
        chain.append(at)
        at = known[at]["parent"]["value"]
    above = known[chain[-1]]["parent"]["above"] if at is not None else []
    return [*above, *reversed(chain)]


def _first_of_scope(kinds: tuple[str, ...]) -> int:
    if DISTRICT in kinds:
        return kinds.index(DISTRICT)
    if not kinds[0]:
        raise UnitUnknown(field="unit")  # nobody has told yet which of the units above is the district
    return 0


def unit_reactions(service: str) -> "Reactions":
    """What every service does with the directory's events of units."""
    from services.chassis.consuming.reactions import Doing, Reactions

    reactions = Reactions(service)

    @reactions.on("linli.directory.unit.registered.v1")
    async def unit_registered(event: Registered, do: Doing) -> None:
        await do.runtime.units.react(event, do)

    @reactions.on("linli.directory.unit.moved.v1")
    async def unit_moved(event: Moved, do: Doing) -> None:
        await do.runtime.units.react(event, do)

    @reactions.on("linli.directory.unit.renamed.v1")
    async def unit_renamed(event: Renamed, do: Doing) -> None:
        await do.runtime.units.react(event, do)

    @reactions.on("linli.directory.unit.covered.v1")
    async def unit_covered(event: Covered, do: Doing) -> None:
        await do.runtime.units.react(event, do)

    @reactions.on("linli.directory.unit.equipped.v1")
    async def unit_equipped(event: Equipped, do: Doing) -> None:
        await do.runtime.units.react(event, do)

    @reactions.on("linli.directory.unit.closed.v1")
    async def unit_closed(event: Closed, do: Doing) -> None:
        await do.runtime.units.react(event, do)

    return reactions
