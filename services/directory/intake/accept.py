"""A file comes in: read, checked whole, then either only compared (a dry run) or accepted for good."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.chassis.context import Context
from services.chassis.districts.units import UnitView
from services.chassis.files.spreadsheets import CellError, Reading, Row
from services.chassis.storage.history import Written, id_for
from services.directory.domain.imports import Accept, Kind
from services.directory.intake import households_file, units_file
from services.directory.intake.apply_households import compare_households
from services.directory.intake.apply_units import differences
from services.directory.intake.columns import COLUMNS
from services.directory.intake.faults import Faults
from services.directory.intake.outcome import Outcome
from services.directory.intake.portions import Portions, cut
from services.directory.intake.units_file import KnownUnit
from services.directory.tree import UNIT, today

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

IMPORT = "import"
LOOKED_UP = 2_000  # codes in one query


@dataclass(frozen=True)
class Checked:
    """A file after its check. ``records`` are the good ones, as they would lie in portions."""

    rows: int
    records: list[dict[str, Any]]
    rows_of: list[int]
    errors: list[CellError]
    cut: bool


class Desk:
    """Takes in files for one unit, by a caller who may see ``scope``."""

    def __init__(self, runtime: "Runtime", view: UnitView, kind: Kind, scope: str) -> None:
        self._runtime, self._view, self._kind, self._scope = runtime, view, kind, scope
        self._district = view.scope[0]

    def unit_id(self, code: str) -> str:
        """The id of the unit with that code in the district."""
        return id_for(UNIT, f"code|{self._district}|{code}")

    async def check(self, content: bytes) -> Checked:
        """Read and check. Raises Invalid for a file that cannot be read at all."""
        reading = Reading(content, COLUMNS[self._kind])
        rows = await asyncio.to_thread(list, reading)
        faults = Faults(COLUMNS[self._kind], reading.places, reading.errors)
        if self._kind == "units":
            records, counts = await self._units(rows, faults)
        else:
            records, counts = await self._households(rows, faults)
        return Checked(len(rows), records, counts, faults.errors, reading.cut or faults.cut)

    async def _units(self, rows: list[Row], faults: Faults) -> tuple[list[dict[str, Any]], list[int]]:
        known = await self._known(units_file.references(rows))
        file = units_file.UnitsFile(rows, known, self.unit_id, faults)
        records = [record.stored() for record in file.checked()]
        return records, [1] * len(records)

    async def _households(self, rows: list[Row], faults: Faults) -> tuple[list[dict[str, Any]], list[int]]:
        known = await self._known(households_file.references(rows))
        day = today(self._view, self._runtime.clock.now())
        file = households_file.HouseholdsFile(rows, known, day, faults)
        records = await asyncio.to_thread(file.checked)
        return [record.stored() for record in records], [record.rows for record in records]

    async def _known(self, names: set[str]) -> dict[str, KnownUnit]:
        """Units of the register within the caller's scope, by the code or id under which the file names them."""
        ids = {name if name.startswith("unit_") else self.unit_id(name): name for name in names}
        listed, known = sorted(ids), {}
        for start in range(0, len(listed), LOOKED_UP):
            wanted = {"_id": {"$in": listed[start : start + LOOKED_UP]}, "scope": self._view.id}
            for row in await self._runtime.database.collection(UNIT).find(wanted, {"state": 1}):
                known[ids[row["_id"]]] = await self._known_unit(row["_id"], row["state"])
        return known

    async def _known_unit(self, unit: str, state: dict[str, Any]) -> KnownUnit:
        community = await self._runtime.units.parent_of_kind(unit, "community")
        closed = state["closed"] is not None
        return KnownUnit(unit, state["kind"], state["level"], state["layer"], community, closed)

    async def compare(self, checked: Checked) -> Outcome:
        """What would become of the records."""
        if self._kind == "units":
            return await self._compare_units(checked.records)
        outcome = Outcome()
        for portion in cut(checked.records, lambda record: 1, LOOKED_UP):
            part = await compare_households(self._runtime, portion, self._view.id)
            outcome.created += part.created
            outcome.changed += part.changed
            outcome.unchanged += part.unchanged
            outcome.failures += part.failures
        return outcome

    async def _compare_units(self, records: list[dict[str, Any]]) -> Outcome:
        outcome = Outcome()
        ids = [record["id"] for record in records]
        rows = await self._runtime.database.collection(UNIT).find({"_id": {"$in": ids}}, {"state": 1})
        states = {row["_id"]: row["state"] for row in rows}
        for record in records:
            state = states.get(record["id"])
            outcome.count("created" if state is None else "changed" if differences(record, state) else "unchanged")
        return outcome

    async def accept(self, checked: Checked, operation: Context) -> Written:
        """Keep the records in portions, then let the import exist: from here on it goes on by itself."""
        import_id = id_for(IMPORT, operation.operation)
        counted = list(zip(checked.records, checked.rows_of, strict=True))
        portions = [[record for record, _ in portion] for portion in cut(counted, lambda pair: pair[1])]
        kept = Portions(self._runtime)
        await kept.store(import_id, self._district, portions, operation.at)
        command = Accept(self._view.id, self._kind, checked.rows, len(portions))
        written = await self._runtime.histories[IMPORT].create(import_id, self._view.id, command, operation)
        await kept.accept(import_id)
        return written

    async def accepted_before(self, operation: Context) -> Written | None:
        """The first answer to this operation, when the file was accepted already. Raises KeyReused."""
        import_id = id_for(IMPORT, operation.operation)
        if await self._runtime.database.collection(IMPORT).find_one({"_id": import_id}, {"_id": 1}) is None:
            return None
        command = Accept(self._view.id, self._kind, 1, 1)
        return await self._runtime.histories[IMPORT].create(import_id, self._view.id, command, operation)
