"""Each service knows the unit tree, whatever the order in which it hears of it."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from services.chassis.consuming.reactions import Doing
from services.chassis.contracts.wire import Envelope
from services.chassis.districts.units import Units, UnitUnknown, unit_reactions
from services.chassis.runtime import Runtime
from services.chassis.storage.together import Together
from tests.integration.units.conftest import covered, moved, path_of, registered


@pytest.mark.mechanism("DIR-01")
async def test_a_unit_nobody_told_of_is_unknown(tree: Units) -> None:
    for ask in (tree.get, tree.scope_of, tree.district_of):
        with pytest.raises(UnitUnknown) as unknown:
            await ask("street-9")
        assert (unknown.value.code, unknown.value.field) == ("unit-unknown", "unit")


@pytest.mark.mechanism("DIR-01")
async def test_a_unit_stands_in_its_place_and_is_seen_from_its_district_down(tree: Units) -> None:
    building = await tree.get("building")
    assert building.path == ("city", "district", "street", "community", "compound", "building")
    assert building.scope == building.path[1:]
    assert building.kinds == ("city", "district", "street", "community", "compound", "building")
    assert (building.kind, building.name, building.parent) == ("building", "the building", "compound")
    assert (building.zone, building.closed) == ("Asia/Urumqi", False)
    assert await tree.district_of("entrance") == "district"
    assert await tree.parent_of_kind("entrance", "street") == "street"
    assert await tree.parent_of_kind("street", "street") == "street"
    assert await tree.parent_of_kind("street", "community") is None
    assert await tree.scope_of("city") == ["city"]


@pytest.mark.mechanism("DIR-01")
async def test_nobody_sees_a_unit_from_above_the_district_or_from_beside_it(tree: Units) -> None:
    assert await tree.within("building", "street")
    assert not await tree.within("building", "street-2")
    assert not await tree.within("building", "district-2")
    assert not await tree.within("building", "city")
    assert not await tree.within("street", "building")


@pytest.mark.mechanism("DIR-01")
async def test_below_a_moved_unit_everything_has_a_new_path(tree: Units) -> None:
    await moved(tree, "community", "street-2")
    assert await tree.scope_of("entrance") == [
        "district", "street-2", "community", "compound", "building", "entrance",
    ]  # fmt: skip
    assert await tree.subtree("street") == ["street"]
    assert await tree.subtree("compound") == ["building", "compound", "entrance"]


@pytest.mark.mechanism("DIR-03")
async def test_a_grid_that_covers_a_building_sees_it_and_all_in_it_one_grid_for_each_layer(tree: Units) -> None:
    await covered(tree, "building", "grid", 2)
    await covered(tree, "building", "grid-2", 3, layer="party")
    for unit in ("building", "entrance"):
        assert {"grid", "grid-2"} <= set(await tree.scope_of(unit))
    assert await tree.within("entrance", "grid")
    assert "grid" not in await tree.scope_of("compound")
    await covered(tree, "building", "grid-2", 4)
    assert "grid" not in await tree.scope_of("building")
    await covered(tree, "building", "", 5)
    assert (await tree.get("building")).covers == {"party": "grid-2"}


async def test_facts_may_come_in_any_order_and_twice(units: Units) -> None:
    for parent in ("city", "district", "street", "street-2"):
        await registered(units, parent, {"city": None, "district": "city"}.get(parent, "district"))
    told: dict[str, Any] = {
        "registered": lambda unit: units.apply(
            unit, 1, "unit.registered.v1",
            {"kind": "community", "name": "old", "parent": "street", "path": [*path_of("street"), unit],
             "capabilities": ["a"]},
        ),
        "renamed": lambda unit: units.apply(unit, 2, "unit.renamed.v1", {"name": "new"}),
        "moved": lambda unit: moved(units, unit, "street-2", 3),
        "equipped": lambda unit: units.apply(unit, 4, "unit.equipped.v1", {"capabilities": ["b"]}),
        "closed": lambda unit: units.apply(unit, 5, "unit.closed.v1", {"reason": "merged"}),
    }  # fmt: skip
    for number, order in enumerate(permutations(told)):
        unit = f"community-{number}"
        for name in (*order, *order[:2]):
            await told[name](unit)
        view = await units.get(unit)
        assert (view.name, view.parent, view.capabilities, view.closed) == ("new", "street-2", ("b",), True), order


async def test_a_child_is_known_before_its_parent_by_the_path_it_was_told_with(units: Units) -> None:
    await registered(units, "entrance", "building")
    with pytest.raises(UnitUnknown):  # which of those above is the district?
        await units.scope_of("entrance")
    await registered(units, "city", None)
    await registered(units, "district", "city")
    await registered(units, "street", "district")
    with pytest.raises(UnitUnknown):
        await units.scope_of("entrance")
    for unit, parent in (("community", "street"), ("compound", "community"), ("building", "compound")):
        await registered(units, unit, parent)
    assert (await units.scope_of("entrance"))[0] == "district"


async def test_two_moves_of_which_one_is_still_on_its_way_make_no_circle(tree: Units) -> None:
    await moved(tree, "community", "building")  # the building has left the community, but nobody has told yet
    with pytest.raises(UnitUnknown):
        await tree.scope_of("building")
    await moved(tree, "building", "street-2")
    assert await tree.scope_of("community") == ["district", "street-2", "building", "community"]


async def test_another_process_sees_a_change_within_seconds(
    runtime: Runtime, tree: Units, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Units(runtime.database, ())
    assert (await other.get("community")).parent == "street"
    await moved(tree, "community", "street-2")
    assert (await tree.get("community")).parent == "street-2"
    assert (await other.get("community")).parent == "street"
    assert (await other.get_many(["community"]))["community"].parent == "street-2"
    assert (await other.get("community")).parent == "street-2"


async def test_the_directorys_events_become_known_by_their_reactions(runtime: Runtime) -> None:
    reactions, writes = unit_reactions("sample"), Together(runtime.database)
    told: list[tuple[str, int, dict[str, Any]]] = [
        ("unit.registered", 1, {"kind": "district", "name": "A", "path": ["unit_d"], "zone": "Asia/Shanghai"}),
        ("unit.renamed", 2, {"name": "B", "from": "2026-01-01"}),
        ("unit.equipped", 3, {"capabilities": ["social_work"]}),
        ("unit.covered", 4, {"grid": "unit_g", "layer": "community_building", "scope": []}),
        ("unit.closed", 5, {"reason": "x", "from": "2026-01-01"}),
    ]
    for name, seq, data in told:
        full = f"linli.directory.{name}.v1"
        envelope = Envelope(
            f"event-{seq}", full, "directory", "unit", name, 1, "unit_d", seq, datetime.now(UTC), "unit_d", "unit_d",
            None, None, data,
        )  # fmt: skip
        (reaction,) = reactions.of(full)
        await reaction.run(reaction.reader.model_validate(data), Doing(envelope, runtime, reaction.name, writes))
    view = await runtime.units.get("unit_d")
    assert (view.name, view.closed, view.capabilities, view.covers) == (
        "B", True, ("social_work",), {"community_building": "unit_g"},
    )  # fmt: skip
