"""Units: the administrative ladder, the physical ladder and the grids that cover it.

Invariants
* A unit sits under exactly one superior, of a kind that may hold it, in one district; no unit is its own superior.
* Its place is a dated fact; a move carries a revision that only rises, and stays inside the district.
* At most one grid of each layer covers a unit, a grid of the same community; layers are independent of each other.
* A closed unit takes nothing new; a unit with open units below it, or a grid that still covers, is not closed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Day, Part, day_at

Kind = Literal["city", "district", "street", "community", "compound", "building", "entrance", "grid"]
Level = Literal["community", "compound", "building", "entrance"]
Layer = Literal["community", "party"]
Capability = Literal["social_work", "city_management", "comprehensive_governance"]

SUPERIORS: dict[str, tuple[str, ...]] = {
    "city": (),
    "district": ("city",),
    "street": ("district",),
    "community": ("street",),
    "compound": ("community",),
    "building": ("compound", "community"),
    "entrance": ("building",),
    "grid": ("community", "grid"),
}
ROOTS = ("city", "district")
LEVELS: tuple[Level, ...] = ("community", "compound", "building", "entrance")
COVERABLE: dict[str, tuple[str, ...]] = {
    "community": ("compound", "building"),
    "compound": ("compound",),
    "building": ("building",),
    "entrance": ("entrance",),
}


class Dated(Event):
    """An event that holds from a day; published as ``from``."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)
    since: Day = Field(alias="from")


class Registered(Dated):
    """A unit is known. ``path`` runs from the root to the unit itself; ``zone`` is given where it is decided."""

    TYPE: ClassVar[str] = "unit.registered"
    kind: Kind
    name: str
    parent: str | None = None
    path: tuple[str, ...]
    zone: str | None = None
    capabilities: tuple[Capability, ...] = ()
    code: str | None = None
    level: Level | None = None
    layer: Layer | None = None


class Renamed(Dated):
    """The unit's name from a day on."""

    TYPE: ClassVar[str] = "unit.renamed"
    name: str


class Moved(Dated):
    """The unit, and with it all below it, has another superior. ``revision`` rises with each move of this unit."""

    TYPE: ClassVar[str] = "unit.moved"
    parent: str
    path: tuple[str, ...]
    revision: int


class Covered(Dated):
    """A grid covers this unit in its layer, in place of any earlier one; ``grid`` "" says that none does any more.

    ``layer`` is ``community`` or ``party``; responsibility zones are layers of their own (``community_building``), so
    that a building lies in a grid and in a zone at once. ``scope`` is the unit's scope from now on.
    """

    TYPE: ClassVar[str] = "unit.covered"
    grid: str = ""
    layer: str = Field(pattern="^[a-z_]+$")
    scope: tuple[str, ...]


class Equipped(Event):
    """The networks that a grid serves (three networks in one)."""

    TYPE: ClassVar[str] = "unit.equipped"
    capabilities: tuple[Capability, ...]


class Closed(Dated):
    """The unit is no more."""

    TYPE: ClassVar[str] = "unit.closed"
    reason: str


def layer_of(layer: Layer, level: Level) -> str:
    """The layer in which a grid covers: its own, or for a responsibility zone that of its level."""
    return layer if level == "community" else f"{layer}_{level}"


class Placement(Part):
    """Under whom the unit sat from a day on."""

    parent: str
    since: Day


class Cover(Part):
    """Which grid covered the unit in a layer, over which days; ``until`` is the first day it did not."""

    grid: str
    layer: str
    since: Day
    until: Day | None = None


class Unit(State):
    """State of a unit; ``unit`` is its own id, ``path`` as of its own last placement."""

    unit: str
    kind: Kind
    name: str
    code: str | None = None
    parent: str | None = None
    path: tuple[str, ...]
    zone: str | None = None
    level: Level | None = None
    layer: Layer | None = None
    capabilities: tuple[Capability, ...] = ()
    since: Day
    revision: int = 0
    placed: tuple[Placement, ...] = ()
    covers: tuple[Cover, ...] = ()
    grids: tuple[str, ...] = ()  # that cover it today
    closed: Day | None = None

    def parent_on(self, day: date) -> str | None:
        """The superior on that day; None before the unit was known, or for a root."""
        held = [placement.parent for placement in self.placed if placement.since <= day]
        return held[-1] if held else None


@dataclass(frozen=True)
class UnitFacts:
    """What a decision needs to know of another unit: its kind, where it sits, and whether it is still there."""

    id: str
    kind: str
    path: tuple[str, ...]
    kinds: tuple[str, ...]
    closed: bool
    level: Level | None = None
    layer: Layer | None = None

    def of_kind(self, kind: str) -> str | None:
        """The unit of that kind on the path."""
        return next((u for u, k in zip(self.path, self.kinds, strict=True) if k == kind), None)


@dataclass(frozen=True)
class Register:
    """``id`` is the unit's; ``zone`` an IANA name, needed for a district; ``level`` and ``layer`` for a grid."""

    id: str
    kind: Kind
    name: str
    since: date
    parent: UnitFacts | None = None
    code: str | None = None
    zone: str | None = None
    level: Level | None = None
    layer: Layer | None = None
    capabilities: tuple[Capability, ...] = ()


@dataclass(frozen=True)
class Rename:
    name: str
    since: date


@dataclass(frozen=True)
class Move:
    parent: UnitFacts
    here: UnitFacts
    since: date


@dataclass(frozen=True)
class CoverBy:
    """``here`` is the unit as it sits today, ``scope`` what its scope becomes."""

    grid: UnitFacts
    here: UnitFacts
    scope: tuple[str, ...]
    since: date


@dataclass(frozen=True)
class Uncover:
    """``scope`` is the unit's scope without the grid."""

    layer: str
    scope: tuple[str, ...]
    since: date


@dataclass(frozen=True)
class Equip:
    capabilities: tuple[Capability, ...]


@dataclass(frozen=True)
class Close:
    """``below``: open units directly below; ``covering``: open units that this grid covers."""

    since: date
    reason: str
    below: int
    covering: int


def decide(state: Unit | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused."""
    if isinstance(command, Register):
        return [Happened(_registered(command, now))]
    assert state is not None
    if state.closed is not None:
        raise Refused("unit-closed")
    return [Happened(event) for event in _DECISIONS[type(command)](state, command, now)]


def _registered(command: Register, now: datetime) -> Registered:
    _refuse_future(command.since, now)
    _refuse_wrong_superior(command.kind, command.parent, command.level)
    if command.kind == "district" and command.zone is None:
        raise Refused("zone-missing", "zone")
    if command.zone is not None:
        day_at(now, command.zone)
    if command.kind != "grid" and (command.level or command.layer or command.capabilities):
        raise Refused("only-for-grids", "level")
    if command.kind == "grid" and (command.level is None or command.layer is None):
        raise Refused("grid-level-missing", "level")
    above = command.parent.path if command.parent else ()
    return Registered(
        kind=command.kind,
        name=command.name,
        parent=command.parent.id if command.parent else None,
        path=(*above, command.id),
        zone=command.zone,
        capabilities=tuple(sorted(set(command.capabilities))),
        code=command.code,
        level=command.level,
        layer=command.layer,
        since=command.since,
    )


def _refuse_wrong_superior(kind: str, parent: UnitFacts | None, level: Level | None) -> None:
    if parent is None:
        if kind not in ROOTS:
            raise Refused("superior-missing", "parent")
        return
    if parent.kind not in SUPERIORS[kind]:
        raise Refused("superior-of-wrong-kind", "parent", kind=kind, superior=parent.kind)
    if parent.closed:
        raise Refused("unit-closed", "parent")
    narrower = level is not None and parent.level is not None and LEVELS.index(level) > LEVELS.index(parent.level)
    if kind == "grid" and parent.kind == "grid" and not narrower:
        raise Refused("zone-not-narrower", "level")


def _refuse_future(since: date, now: datetime, *, after: date | None = None) -> None:
    """The tree is that of today; a day ahead somewhere on earth is today there."""
    if since > day_at(now, "Etc/GMT-14"):
        raise Refused("from-in-future", "from")
    if after is not None and since < after:
        raise Refused("from-before-present", "from")


def _rename(state: Unit, command: Rename, now: datetime) -> list[Event]:
    _refuse_future(command.since, now, after=state.since)
    return [Renamed(name=command.name, since=command.since)] if command.name != state.name else []


def _move(state: Unit, command: Move, now: datetime) -> list[Event]:
    present = state.placed[-1].since if state.placed else state.since
    _refuse_future(command.since, now, after=present)
    if command.parent.id == state.parent:
        return []
    if state.unit in command.parent.path:
        raise Refused("superior-below-itself", "parent")
    _refuse_wrong_superior(state.kind, command.parent, state.level)
    if command.here.of_kind("district") != command.parent.of_kind("district"):
        raise Refused("move-across-districts", "parent")
    path = (*command.parent.path, state.unit)
    return [Moved(parent=command.parent.id, path=path, revision=state.revision + 1, since=command.since)]


def _cover(state: Unit, command: CoverBy, now: datetime) -> list[Event]:
    _refuse_future(command.since, now, after=state.since)
    grid = command.grid
    if grid.kind != "grid" or grid.level is None or grid.layer is None:
        raise Refused("not-a-grid", "grid")
    if grid.closed:
        raise Refused("unit-closed", "grid")
    if state.kind not in COVERABLE[grid.level]:
        raise Refused("grid-level-differs", "grid", kind=state.kind, level=grid.level)
    if grid.of_kind("community") != command.here.of_kind("community"):
        raise Refused("grid-of-another-community", "grid")
    if grid.id in state.grids:
        return []
    layer = layer_of(grid.layer, grid.level)
    return [Covered(grid=grid.id, layer=layer, scope=command.scope, since=command.since)]


def _uncover(state: Unit, command: Uncover, now: datetime) -> list[Event]:
    _refuse_future(command.since, now, after=state.since)
    if all(cover.layer != command.layer or cover.until is not None for cover in state.covers):
        return []
    return [Covered(layer=command.layer, scope=command.scope, since=command.since)]


def _equip(state: Unit, command: Equip, now: datetime) -> list[Event]:
    if state.kind != "grid":
        raise Refused("only-for-grids", "capabilities")
    wanted = tuple(sorted(set(command.capabilities)))
    return [Equipped(capabilities=wanted)] if wanted != state.capabilities else []


def _close(state: Unit, command: Close, now: datetime) -> list[Event]:
    _refuse_future(command.since, now, after=state.since)
    if command.below:
        raise Refused("units-below-open", count=command.below)
    if command.covering:
        raise Refused("grid-still-covers", count=command.covering)
    return [Closed(since=command.since, reason=command.reason)]


_DECISIONS: dict[type, Any] = {
    Rename: _rename, Move: _move, CoverBy: _cover, Uncover: _uncover, Equip: _equip, Close: _close,
}


def evolve(state: Unit | None, event: Event, at: datetime) -> Unit:
    """The state after an event."""
    if isinstance(event, Registered):
        placed = (Placement(parent=event.parent, since=event.since),) if event.parent else ()
        fields = event.model_dump(by_alias=False)
        return Unit(unit=event.path[-1], placed=placed, **fields)
    assert state is not None
    return state.model_copy(update=_changes(state, event))


def _changes(state: Unit, event: Event) -> dict[str, Any]:
    if isinstance(event, Renamed):
        return {"name": event.name}
    if isinstance(event, Moved):
        placed = (*state.placed, Placement(parent=event.parent, since=event.since))
        return {"parent": event.parent, "path": event.path, "revision": event.revision, "placed": placed}
    if isinstance(event, Covered):
        begun = (Cover(grid=event.grid, layer=event.layer, since=event.since),) if event.grid else ()
        return _covers((*_ended(state, event.layer, event.since), *begun))
    if isinstance(event, Equipped):
        return {"capabilities": event.capabilities}
    assert isinstance(event, Closed)
    return {"closed": event.since}


def _ended(state: Unit, layer: str, on: date) -> tuple[Cover, ...]:
    return tuple(
        cover.model_copy(update={"until": on}) if cover.layer == layer and cover.until is None else cover
        for cover in state.covers
    )


def _covers(covers: tuple[Cover, ...]) -> dict[str, Any]:
    return {"covers": covers, "grids": tuple(sorted(cover.grid for cover in covers if cover.until is None))}
