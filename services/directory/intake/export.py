"""The register as files of the same columns that are read: what goes out comes in again and changes nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from services.chassis.callers.access import Caller
from services.chassis.errors import Invalid
from services.chassis.storage.driver import Document
from services.chassis.storage.history import Stored
from services.chassis.storage.queries import Scoped
from services.directory.domain.households import ADDRESS
from services.directory.domain.persons import CONTACTS, IDENTITY, MARKERS
from services.directory.tree import UNIT

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

MOST = 10_000  # records in one file: a community, not a district
HOME = ("tenure", "until")


async def unit_rows(runtime: "Runtime", unit: str) -> list[dict[str, Any]]:
    """Everything open below a unit; other units stand by their codes, or by their ids where they have none."""
    wanted = {"state.closed": None}
    found = await Scoped.on(runtime.database, UNIT).find(unit, wanted, fields=("state",), limit=MOST + 1)
    _refuse_too_many(found)
    states = {row["_id"]: row["state"] for row in found}

    def name(one: str) -> str:
        return (states[one]["code"] if one in states else None) or one

    rows = []
    for one, state in states.items():
        if one == unit or state["kind"] in ("city", "district"):
            continue
        grids = {states[grid]["layer"]: name(grid) for grid in state["grids"] if grid in states}
        rows.append({**state, "code": name(one), "parent": name(state["parent"]), **grids})
    return sorted(rows, key=lambda row: row["code"])


async def household_rows(runtime: "Runtime", caller: Caller, unit: str, because: str) -> list[dict[str, Any]]:
    """One row for each person of the active households, and one for each household without persons."""
    active = {"state.status": "active"}
    homes = await _stored(runtime, "household", unit, active)
    people = await _stored(runtime, "resident", unit, active)
    doors = await runtime.sealing.reveal_each(caller, homes, ADDRESS, because=because)
    revealed = [
        await runtime.sealing.reveal_each(caller, people, purpose, because=because)
        for purpose in (IDENTITY, CONTACTS, MARKERS)
    ]
    members: dict[str, list[dict[str, Any]]] = {}
    for person, identity, contacts, markers in zip(people, *revealed, strict=True):
        row = {"order": person.state.opened, **(identity or {}), **_contact(contacts), **_marked(markers)}
        members.setdefault(person.state.household, []).append(row)
    codes = await _codes(runtime, {home.unit for home in homes})
    rows = []
    for home, door in zip(homes, doors, strict=True):
        own = {"building": codes.get(home.unit, home.unit), "door": (door or {}).get("door")}
        own |= {name: getattr(home.state, name) for name in HOME}
        listed = sorted(members.get(home.id, []), key=lambda row: (row.get("relation") != "head", row["order"]))
        rows += [own | member for member in listed] or [own]
    return rows


async def _stored(runtime: "Runtime", name: str, unit: str, query: Document) -> "list[Stored[Any]]":
    fields = ("schema", "version", "unit", "scope", "state", "sealed")
    found = await Scoped.on(runtime.database, name).find(unit, query, fields=fields, sort=("_id",), limit=MOST + 1)
    _refuse_too_many(found)
    return [runtime.histories[name].stored(document) for document in found]


def _refuse_too_many(found: Sequence[Any]) -> None:
    if len(found) > MOST:
        raise Invalid("export-too-large", field="query.unit", most=MOST)


async def _codes(runtime: "Runtime", units: set[str]) -> dict[str, str]:
    found = await runtime.database.collection(UNIT).find({"_id": {"$in": sorted(units)}}, {"state.code": 1})
    return {row["_id"]: row["state"]["code"] for row in found if row["state"]["code"]}


def _contact(blob: Document | None) -> dict[str, Any]:
    own = [one for one in (blob or {}).get("contacts", []) if not one.get("of")]
    return {name: own[0].get(name) for name in ("phone", "consent", "consent_on")} if own else {}


def _marked(blob: Document | None) -> dict[str, Any]:
    held = [one for one in (blob or {}).get("markers", []) if not one.get("until")]
    if not held:
        return {}
    return {
        "markers": tuple(sorted(one["code"] for one in held)),
        "marker_source": held[0]["source"],
        "marker_since": held[0]["since"],
    }
