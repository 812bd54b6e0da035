"""Units over HTTP: who may not first, then the tree at work."""

from typing import Any

import pytest

from services.chassis.runtime import Runtime
from tests.integration.directory.conftest import Callers, Desk, eventually, household


async def test_without_a_token_there_are_no_units(anyone: Desk) -> None:
    assert (await anyone.get("/units")).status_code == 401


async def test_a_unit_of_another_district_is_not_found(neighbour: Desk) -> None:
    assert (await neighbour.get("/units/unit_c1")).status_code == 404
    assert (await neighbour.get("/units/unit_c1/children")).status_code == 404
    assert (await neighbour.post("/units/unit_c1/rename", {"name": "改名"})).status_code == 404
    assert (await neighbour.post("/units/unit_c1/close", {"reason": "mistaken"})).status_code == 404
    assert [one["id"] for one in (await neighbour.found("/units"))["items"]] == ["unit_c9", "unit_d2", "unit_s2"]


async def test_a_unit_cannot_be_put_under_a_unit_of_another_district(neighbour: Desk) -> None:
    answer = await neighbour.post("/units", {"kind": "community", "name": "插队社区", "parent": "unit_s1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unit-unknown")
    moved = await neighbour.post("/units/unit_c9/move", {"parent": "unit_s1"})
    assert (moved.status_code, moved.json()["code"]) == (422, "unit-unknown")


async def test_a_volunteer_registers_no_unit_and_an_officer_founds_no_district(as_: Callers, town: Desk) -> None:
    body = {"kind": "compound", "name": "新小区", "parent": "unit_c1"}
    assert (await as_("volunteer", "unit_c1").post("/units", body)).status_code == 403
    district = {"kind": "district", "name": "三区", "parent": "unit_city", "zone": "Asia/Shanghai"}
    assert (await as_("street-officer", "unit_s1").post("/units", district)).status_code == 403


async def test_only_those_who_set_up_a_district_choose_ids(as_: Callers, town: Desk) -> None:
    body = {"kind": "compound", "name": "新小区", "parent": "unit_c1", "id": "unit_mine"}
    assert (await as_("street-officer", "unit_s1").post("/units", body)).status_code == 403


@pytest.mark.mechanism("DIR-01")
async def test_a_unit_sits_under_a_superior_that_may_hold_it_and_is_known_at_once(admin: Desk) -> None:
    wrong = await admin.post("/units", {"kind": "street", "name": "三街", "parent": "unit_c1"})
    assert wrong.json()["code"] == "superior-of-wrong-kind"
    made = await admin.done("/units", {"kind": "community", "name": "三社区", "parent": "unit_s1"})
    below = await admin.done("/units", {"kind": "compound", "name": "三小区", "parent": made["aggregate"]})
    shown = await admin.found(f"/units/{below['aggregate']}")
    assert shown["path"] == ["unit_city", "unit_d1", "unit_s1", made["aggregate"], below["aggregate"]]
    assert shown["scope"] == shown["path"][1:]


async def test_the_same_request_twice_registers_one_unit(admin: Desk) -> None:
    body = {"kind": "compound", "name": "三小区", "parent": "unit_c1"}
    first = await admin.post("/units", body, key="once")
    assert (await admin.post("/units", body, key="once")).json() == first.json()
    other = await admin.post("/units", body | {"name": "四小区"}, key="once")
    assert other.json()["code"] == "idempotency-key-reused"


async def test_a_code_is_given_once_in_a_district(admin: Desk) -> None:
    body = {"kind": "compound", "name": "三小区", "parent": "unit_c1", "code": "X-3"}
    await admin.done("/units", body)
    again = await admin.post("/units", body | {"name": "又一个"})
    assert (again.status_code, again.json()["code"]) == (409, "already-exists")


@pytest.mark.mechanism("DIR-01")
async def test_a_move_takes_everything_below_along_in_scope_and_path(admin: Desk, at_work: Runtime) -> None:
    home = await household(admin)
    await admin.done("/units/unit_b1/cover", {"grid": "unit_g1"})
    await admin.done("/units/unit_x1/move", {"parent": "unit_c2"})
    shown = await admin.found("/units/unit_b1")
    assert shown["path"][-3:] == ["unit_c2", "unit_x1", "unit_b1"]

    async def rewritten() -> bool:
        scope = (await admin.found(f"/households/{home}"))["scope"]
        return scope == ["unit_d1", "unit_s1", "unit_c2", "unit_x1", "unit_b1"]

    await eventually(rewritten)
    assert (await admin.found("/units/unit_x1"))["revision"] == 1


async def test_a_stale_version_is_refused(admin: Desk) -> None:
    await admin.done("/units/unit_c1/rename", {"name": "新名"}, if_match='"1"')
    answer = await admin.post("/units/unit_c1/rename", {"name": "更新"}, if_match='"1"')
    assert answer.status_code == 412


async def test_a_unit_with_units_below_it_is_not_closed_and_a_closed_one_takes_nothing(admin: Desk) -> None:
    refused = await admin.post("/units/unit_x1/close", {"reason": "demolished"})
    assert refused.json()["code"] == "units-below-open"
    await admin.done("/units/unit_b2/close", {"reason": "demolished"})
    taken = await admin.post("/households", {"building": "unit_b2", "door": "1", "tenure": "permanent", "size": 1})
    assert (taken.status_code, taken.json()["code"]) == (409, "unit-closed")


@pytest.mark.mechanism("DIR-03")
async def test_buildings_outside_every_grid_are_named(admin: Desk) -> None:
    await admin.done("/units/unit_b1/cover", {"grid": "unit_g1"})
    coverage = await admin.found("/units/unit_c1/coverage")
    assert coverage["buildings_in_no_grid"] == ["unit_b2"]
    await admin.done("/units/unit_x1/cover", {"grid": "unit_g1"})
    assert (await admin.found("/units/unit_c1/coverage"))["buildings_in_no_grid"] == []
    party = await admin.found("/units/unit_c1/coverage", layer="party")
    assert party["buildings_in_no_grid"] == ["unit_b1", "unit_b2"]


@pytest.mark.mechanism("DIR-05")
async def test_a_grid_without_a_worker_is_a_gap_until_somebody_is_assigned(admin: Desk) -> None:
    assert (await admin.found("/units/unit_c1/coverage"))["grids_with_no_worker"] == ["unit_g1"]
    await admin.done("/staff", {"name": "李建国", "post": "grid-worker", "unit": "unit_g1"})
    assert (await admin.found("/units/unit_c1/coverage"))["grids_with_no_worker"] == []


@pytest.mark.mechanism("DIR-05")
async def test_who_works_in_a_grid_sees_what_it_covers_and_nothing_else(as_: Callers, admin: Desk) -> None:
    await admin.done("/units/unit_b1/cover", {"grid": "unit_g1"})
    await household(admin, "101")
    await household(admin, "201", building="unit_b2")
    grid_worker = as_("grid-worker", "unit_g1")
    seen = (await grid_worker.found("/households"))["items"]
    assert [one["unit"] for one in seen] == ["unit_b1"]


@pytest.mark.mechanism("DIR-11")
async def test_one_grid_serves_several_networks(admin: Desk) -> None:
    networks = ["city_management", "comprehensive_governance", "social_work"]
    await admin.done("/units/unit_g1/equip", {"capabilities": networks})
    assert (await admin.found("/units/unit_g1"))["capabilities"] == networks
    refused = await admin.post("/units/unit_b1/equip", {"capabilities": networks})
    assert refused.json()["code"] == "only-for-grids"


async def test_a_grid_of_another_community_covers_nothing_here(admin: Desk) -> None:
    body: dict[str, Any] = {"kind": "grid", "name": "邻网格", "parent": "unit_c2"}
    grid = await admin.done("/units", body | {"level": "community", "layer": "community"})
    answer = await admin.post("/units/unit_b1/cover", {"grid": grid["aggregate"]})
    assert answer.json()["code"] == "grid-of-another-community"
