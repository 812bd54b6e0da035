"""From a checked file to recorded concerns: portions sealed on disk, applied one after the other by the worker."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from pymongo import ReplaceOne

from services.chassis.context import Context, digest
from services.chassis.errors import KeyReused, NotFound, Problem
from services.chassis.files.spreadsheets import Row
from services.chassis.http.imports import Counts, RowRefused, refusals
from services.chassis.storage.history import Written, id_for
from services.complaints.codes import code_of, hash_of
from services.complaints.domain.imports import KEPT, Advance, Begin, Failure
from services.complaints.rulebook import rules_now
from services.complaints.workbook import SAYS, Known, command_of
from services.kernel.events import Refused

if TYPE_CHECKING:
    from services.chassis.callers.access import Caller
    from services.chassis.runtime import Runtime
    from services.chassis.storage.driver import Document

IMPORT, CASE = "import", "case"
PORTIONS = "portions"
PORTION = 200  # rows
TOGETHER = 50  # rows recorded at once: their writes leave in groups
LOOKED_UP = 2_000  # rows in one query
DIFFERS = "row-differs"
PLACES = frozenset({"street", "community", "grid"})  # kinds of unit that a row may name, besides the importing one


async def known_in(runtime: "Runtime", unit: str) -> Known:
    """What rows of an import into ``unit`` may refer to."""
    view = await runtime.units.get(unit)
    rules = await rules_now(runtime, unit, view.zone, runtime.clock.now())
    below = await runtime.units.get_many(await runtime.units.subtree(unit))
    allowed = {one.id: one for one in below.values() if one.kind in PLACES or one.id == unit}
    return Known(rules, allowed, view.zone)


def import_of(unit: str, content: bytes) -> str:
    """The id of the import of a file into a unit: the same file again is the same import, whoever sends it again."""
    return id_for(IMPORT, _operation(unit, content))


def _operation(unit: str, content: bytes) -> str:
    return digest("import", unit, hashlib.sha256(content).digest())


async def begin(
    runtime: "Runtime", caller: "Caller", unit: str, content: bytes, rows: Sequence[Row], at: datetime
) -> Written:
    """Keep the rows and begin."""
    import_id = import_of(unit, content)
    context = Context(by=caller.sub, at=at, operation=_operation(unit, content), scope=caller.unit)
    portions = [rows[start : start + PORTION] for start in range(0, len(rows), PORTION)]
    await _keep(runtime, import_id, await runtime.units.district_of(unit), portions)
    command = Begin(unit, caller.sub, len(rows), len(portions))
    return await runtime.histories[IMPORT].create(import_id, unit, command, context)


async def earlier(runtime: "Runtime", import_id: str) -> Written | None:
    """The import as it was begun before, or None."""
    try:
        await runtime.histories[IMPORT].get(import_id, scope=None)
    except NotFound:
        return None
    return Written(import_id, 1, repeated=True, events=[])


async def compare(runtime: "Runtime", rows: Sequence[Row], known: Known) -> tuple[Counts, list[RowRefused]]:
    """What would become of the rows of a checked file now."""
    counts, differing = Counts(), []
    for start in range(0, len(rows), LOOKED_UP):
        together = {id_for(CASE, _row_operation(row.values, known)): row for row in rows[start : start + LOOKED_UP]}
        cases = runtime.database.collection(CASE)
        found = await cases.find({"_id": {"$in": list(together)}}, {"history": {"$slice": 1}})
        first = {case["_id"]: case["history"][0] for case in found}
        for case, row in together.items():
            if case not in first:
                counts.created += 1
            elif _differs(first[case], row.values, known):
                counts.refused += 1
                differing.append((row.number, DIFFERS))
            else:
                counts.unchanged += 1
    return counts, refusals(differing[:KEPT], SAYS)


def _differs(entry: "Document", values: dict[str, Any], known: Known) -> bool:
    """Whether a concern was recorded from a row of other content. Of one whose first entry has been moved to the
    archive it is not told here, but when the row's turn comes."""
    return bool(entry["op"] == _row_operation(values, known) and entry.get("body", "") != _row_body(values))


def _row_operation(values: dict[str, Any], known: Known) -> str:
    """A row is known by its district and number for ever."""
    return digest("import-row", known.units[values["unit"]].scope[0], values["number"])


def _row_body(values: dict[str, Any]) -> str:
    return digest(orjson.dumps(values, default=str))


async def _keep(runtime: "Runtime", import_id: str, district: str, portions: Sequence[Sequence[Row]]) -> None:
    writes = []
    for number, rows in enumerate(portions):
        fields = {"rows": [{"row": row.number, "values": row.values} for row in rows]}
        blob = (await runtime.sealing.seal(district, {"rows": fields}))["rows"]
        name = f"{import_id}|{number}"
        writes.append(ReplaceOne({"_id": name}, {"_id": name, "rows": blob}, upsert=True))
    await runtime.database.collection(PORTIONS).bulk_write(writes)


async def apply_portion(runtime: "Runtime", import_id: str, portion: int, context: Context) -> None:
    """Record the rows of one portion and count them. Nothing when it was counted before."""
    stored = await runtime.histories[IMPORT].get(import_id, scope=None)
    kept = runtime.database.collection(PORTIONS)
    name = f"{import_id}|{portion}"
    if stored.state.next == portion and not stored.state.done:
        found = await kept.find_one({"_id": name})
        assert found is not None, "a portion is kept until it was counted"
        rows = (await runtime.sealing.unseal(found["rows"]))["rows"]
        advance = await _record_all(runtime, stored.state.unit, stored.state.by, rows, portion, context)
        await runtime.histories[IMPORT].change(import_id, advance, context)
    await kept.delete_one({"_id": name})


async def _record_all(
    runtime: "Runtime", unit: str, by: str, rows: list[dict[str, Any]], portion: int, context: Context
) -> Advance:
    known = await known_in(runtime, unit)
    recorded, already = 0, 0
    failures: list[Failure] = []
    for start in range(0, len(rows), TOGETHER):
        together = rows[start : start + TOGETHER]
        results = await asyncio.gather(*(_record(runtime, by, row["values"], known, context) for row in together))
        for row, result in zip(together, results, strict=True):
            if isinstance(result, str):
                failures.append(Failure(row=row["row"], code=result))
            else:
                recorded, already = recorded + (not result.repeated), already + result.repeated
    return Advance(portion, recorded, already, tuple(failures))


async def _record(runtime: "Runtime", by: str, values: dict[str, Any], known: Known, context: Context) -> Written | str:
    """Record one row, or say by its code why not."""
    district = known.units[values["unit"]].scope[0]
    operation = _row_operation(values, known)
    case = id_for(CASE, operation)
    code = code_of(runtime.settings.lookup_key, case)
    keys = {"code": [hash_of(runtime.settings.lookup_key, code)]}
    if values.get("phone"):
        keys["phone"] = [runtime.sealing.lookup(district, "phone", values["phone"])]
        keys["tail"] = [runtime.sealing.tail(district, values["phone"])]
    own = replace(context, by=by, operation=operation, body=_row_body(values))
    try:
        command = command_of(values, known, keys)
        return await runtime.histories[CASE].create(case, values["unit"], command, own)
    except KeyReused:
        return DIFFERS
    except Refused as refused:
        return refused.code
    except Problem as problem:
        if problem.status >= 429:
            raise
        return problem.code
