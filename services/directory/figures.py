"""Figures of the register and what is missing in it, counted from the records themselves within a scope."""

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from services.chassis.storage.driver import Document
from services.chassis.storage.queries import Scoped
from services.directory.domain.places import KINDS, Position, metres_between
from services.directory.domain.policies import HOUSEHOLDS_PER_WORKER, OWN
from services.directory.domain.staff import MANNED, SERVES_GRID
from services.directory.queries import item_of
from services.kernel.accountability import Tie, gaps

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

EVERYTHING = 100_000  # more than any list that is computed over a whole unit


async def register_figures(runtime: "Runtime", unit: str) -> dict[str, Any]:
    """What the register holds in a unit, counted from the records themselves."""
    units = await _units(runtime, unit)
    staff = Scoped.on(runtime.database, "staff")
    people = await staff.find(unit, {"state.status": "active"}, fields=("state.posts",), limit=EVERYTHING)
    posts = Counter(post for one in people for post in _posts(one))
    bodies = Scoped.on(runtime.database, "place")
    active = {"state.status": "active"}
    kinds = [one for one in KINDS if KINDS[one] != "point"]
    return {
        "communities": units["community"],
        "compounds": units["compound"],
        "buildings": units["building"],
        "entrances": units["entrance"],
        "communityGrids": units["grid/community/community"],
        "partyGrids": units["grid/party/community"],
        "responsibilityZones": sum(
            n for key, n in units.items() if key.startswith("grid/") and not key.endswith("/community")
        ),
        "households": await Scoped.on(runtime.database, "household").count(unit, active),
        "residents": await Scoped.on(runtime.database, "resident").count(unit, active),
        "communityWorkers": posts["community-worker"],
        "gridWorkers": posts["grid-worker"],
        "buildingHeads": posts["building-head"],
        "residentsCommittees": await bodies.count(unit, active | {"state.kind": "residents-committee"}),
        "places": {kind: n for kind in kinds if (n := await bodies.count(unit, active | {"state.kind": kind}))},
        "points": await bodies.count(unit, active | {"state.family": "point"}),
    }


async def _units(runtime: "Runtime", unit: str) -> Counter[str]:
    pipeline: list[dict[str, Any]] = [
        {"$match": {"state.closed": None}},
        {"$group": {"_id": ["$state.kind", "$state.layer", "$state.level"], "n": {"$sum": 1}}},
    ]
    found = await Scoped.on(runtime.database, "unit").aggregate(unit, pipeline)
    return Counter({"/".join(part for part in row["_id"] if part): row["n"] for row in found})


def _posts(document: Document) -> set[str]:
    return {post["type"] for post in document["state"]["posts"] if post["stage"] == "running"}


async def coverage(runtime: "Runtime", unit: str, layer: str, day: date) -> dict[str, Any]:
    """Which buildings lie in no grid of a layer, and which of its grids have no worker (DIR-03, DIR-05)."""
    units = Scoped.on(runtime.database, "unit")
    wanted = {"state.kind": {"$in": ["compound", "building", "grid"]}, "state.closed": None}
    fields = ("state.kind", "state.name", "state.parent", "state.covers", "state.layer")
    known = {row["_id"]: row["state"] for row in await units.find(unit, wanted, fields=fields, limit=EVERYTHING)}
    buildings = [one for one, state in known.items() if state["kind"] == "building"]
    bare = [one for one in buildings if not _is_covered(one, layer, known)]
    grids = [one for one, state in known.items() if state["kind"] == "grid" and state["layer"] == layer]
    return {
        "layer": layer,
        "buildings": len(buildings),
        "buildings_in_no_grid": sorted(bare),
        "grids": len(grids),
        "grids_with_no_worker": [gap.scope for gap in gaps(MANNED, sorted(grids), await _manning(runtime, grids), day)],
    }


def _is_covered(unit: str | None, layer: str, known: dict[str, Document]) -> bool:
    while unit is not None and unit in known:
        state = known[unit]
        if any(cover["layer"] == layer and cover["until"] is None for cover in state["covers"]):
            return True
        unit = state["parent"]
    return False


async def _manning(runtime: "Runtime", grids: list[str]) -> list[Tie]:
    """The posts by which grids have a worker, as ties of one type; a worker's first post may lie elsewhere."""
    query = {"state.held": {"$in": grids}, "state.status": "active"}
    staff = await runtime.database.collection("staff").find(query, {"state.posts": 1})
    ties = (Tie.model_validate(post) for one in staff for post in one["state"]["posts"])
    return [tie.model_copy(update={"type": MANNED.name}) for tie in ties if tie.type in SERVES_GRID]


async def organisations_by_grid(runtime: "Runtime", unit: str) -> dict[str, Any]:
    """Organisations in each grid, and those in none (DIR-04)."""
    query = {"state.status": "active", "state.family": "organisation"}
    places = Scoped.on(runtime.database, "place")
    found = await places.find(unit, query, fields=("state.grid", "state.kind", "state.name"), limit=EVERYTHING)
    by_grid: dict[str, list[str]] = {}
    for one in found:
        by_grid.setdefault(one["state"]["grid"] or "", []).append(one["_id"])
    return {"in_no_grid": sorted(by_grid.pop("", [])), "grids": {grid: sorted(ids) for grid, ids in by_grid.items()}}


async def nearest_points(runtime: "Runtime", unit: str, here: Position, kind: str | None, most: int) -> list[Any]:
    """The points of service in a unit, the nearest first, with whole metres as the crow flies (DIR-06)."""
    query: dict[str, Any] = {"state.status": "active", "state.kind": kind} if kind else {"state.family": "point"}
    found = await Scoped.on(runtime.database, "place").find(unit, query, limit=EVERYTHING)
    points = [item_of(one) for one in found if one["state"]["position"] and one["state"]["status"] == "active"]
    for point in points:
        point["metres"] = metres_between(here, Position(**point["position"]))
    return sorted(points, key=lambda point: (point["metres"], point["id"]))[:most]


async def workload(runtime: "Runtime", unit: str, day: date) -> dict[str, Any]:
    """Households for each worker of a unit against the district's norm (DIR-09).

    Raises Refused("parameter-not-set") where nobody has decided the norm: it is never 0.
    """
    norm = await runtime.policies.read(HOUSEHOLDS_PER_WORKER, unit, day, OWN[HOUSEHOLDS_PER_WORKER])
    people = await Scoped.on(runtime.database, "staff").find(
        unit, {"state.status": "active"}, fields=("state.posts",), limit=EVERYTHING
    )
    workers = sum("community-worker" in _posts(one) for one in people)
    households = await Scoped.on(runtime.database, "household").count(unit, {"state.status": "active"})
    return {
        "households": households,
        "workers": workers,
        "norm": norm,
        "workers_needed": -(-households // norm),
        "exceeded": households > norm * workers,
    }
