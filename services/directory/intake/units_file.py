"""Checks a file of units as a whole: codes, superiors and grids, within the file and against the register."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.chassis.files.spreadsheets import Row
from services.directory.domain.units import COVERABLE, SUPERIORS
from services.directory.intake.faults import Faults

RANKS = ("city", "district", "street", "community", "grid", "compound", "building", "entrance")
GRID_RANKS = ("community", "compound", "building", "entrance")


@dataclass(frozen=True)
class KnownUnit:
    """A unit of the register to which a file may refer, by code or by id."""

    id: str
    kind: str
    level: str | None
    layer: str | None
    community: str | None
    closed: bool


@dataclass(frozen=True)
class UnitRecord:
    """One good row: what the unit should be. ``grids`` are the ids of those that cover it."""

    row: int
    id: str
    code: str
    kind: str
    name: str
    parent: str
    level: str | None
    layer: str | None
    capabilities: tuple[str, ...]
    grids: tuple[str, ...]
    rank: int

    def stored(self) -> dict[str, Any]:
        """As it lies in a portion."""
        return asdict(self) | {"capabilities": list(self.capabilities), "grids": list(self.grids)}


def references(rows: Sequence[Row]) -> set[str]:
    """Everything by which the rows name units: codes of their own and of others, and ids."""
    keys = ("code", "parent", "community", "party")
    return {row.values[key] for row in rows for key in keys if row.values[key]}


class UnitsFile:
    """One file; ``ids`` gives the id for a code of the district."""

    def __init__(self, rows: Sequence[Row], known: Mapping[str, KnownUnit], ids: Any, faults: Faults) -> None:
        self._rows, self._known, self._ids, self._faults = rows, known, ids, faults
        self._by_code: dict[str, Row] = {}

    def checked(self) -> list[UnitRecord]:
        """The records, superiors before those below them. Look at the faults afterwards."""
        for row in self._rows:
            first = self._by_code.setdefault(row.values["code"], row)
            if first is not row:
                self._faults.add(row.number, "code", "code-twice", other=first.number)
        records = [self._record(row) for row in self._rows]
        return sorted(records, key=lambda record: record.rank)

    def _record(self, row: Row) -> UnitRecord:
        values = row.values
        kind, level = values["kind"], values["level"]
        self._check_kind(row)
        self._check_superior(row)
        grids = [self._grid(row, layer) for layer in ("community", "party")]
        known = self._known.get(values["code"])
        return UnitRecord(
            row=row.number,
            id=known.id if known else self._ids(values["code"]),
            code=values["code"],
            kind=kind,
            name=values["name"],
            parent=self._id_of(values["parent"]),
            level=level,
            layer=values["layer"],
            capabilities=values["capabilities"] or (),
            grids=tuple(grid for grid in grids if grid),
            rank=RANKS.index(kind) * 10 + (GRID_RANKS.index(level) if kind == "grid" and level else 0),
        )

    def _check_kind(self, row: Row) -> None:
        values = row.values
        known = self._known.get(values["code"])
        if known is not None and known.kind != values["kind"]:
            self._faults.add(row.number, "kind", "kind-differs")
        if known is not None and known.closed:
            self._faults.add(row.number, "code", "unit-closed")
        if values["kind"] == "grid":
            if not values["level"] or not values["layer"]:
                self._faults.add(row.number, "level", "grid-level-missing")
        else:
            for key in ("level", "layer", "capabilities"):
                if values[key]:
                    self._faults.add(row.number, key, "only-for-grids")

    def _check_superior(self, row: Row) -> None:
        kind = self._kind_of(row.values["parent"])
        if kind is None:
            self._faults.add(row.number, "parent", "unit-not-found")
        elif kind not in SUPERIORS[row.values["kind"]]:
            self._faults.add(row.number, "parent", "superior-of-wrong-kind")
        elif self._community_of(row.values["parent"]) is _CIRCLE:
            self._faults.add(row.number, "parent", "superior-in-circle")
        parent = self._known.get(row.values["parent"])
        if parent is not None and parent.closed:
            self._faults.add(row.number, "parent", "unit-closed")

    def _grid(self, row: Row, layer: str) -> str | None:
        name = row.values[layer]
        if not name:
            return None
        found, known = self._by_code.get(name), self._known.get(name)
        if found is None and known is None:
            self._faults.add(row.number, layer, "unit-not-found")
            return None
        if found is not None:
            kind, level, own_layer = (found.values[key] for key in ("kind", "level", "layer"))
        else:
            assert known is not None
            kind, level, own_layer = known.kind, known.level, known.layer
        if kind != "grid" or own_layer != layer or level is None:
            self._faults.add(row.number, layer, "not-a-grid")
        elif row.values["kind"] not in COVERABLE[level]:
            self._faults.add(row.number, layer, "grid-level-differs")
        elif self._community_of(name) != self._community_of(row.values["parent"]):
            self._faults.add(row.number, layer, "grid-of-another-community")
        return self._id_of(name)

    def _kind_of(self, name: str) -> str | None:
        if name in self._by_code:
            kind: str = self._by_code[name].values["kind"]
            return kind
        return self._known[name].kind if name in self._known else None

    def _id_of(self, name: str) -> str:
        known = self._known.get(name)
        found: str = known.id if known else self._ids(name)
        return found

    def _community_of(self, name: str) -> str | None:
        """The id of the community in which a unit of the file or the register lies."""
        steps = 0
        while name in self._by_code:
            row = self._by_code[name]
            if row.values["kind"] == "community":
                return self._id_of(name)
            name, steps = row.values["parent"], steps + 1
            if steps > len(RANKS) + len(GRID_RANKS):
                return _CIRCLE
        return self._known[name].community if name in self._known else None


_CIRCLE = "circle"
