"""The register over HTTP: skills, consent, grids, finding and leaving."""

from typing import Any

import pytest

from services.chassis.runtime import Runtime
from tests.integration.volunteers.conftest import NAME, PHONE, Callers, Desk, Town, decide, person, registered


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"availability": {"consent": False}}, "consent-missing"),
        ({"skills": {"lines": []}}, "lines-missing"),
        ({"skills": {"lines": ["dancing"]}}, "line-unknown"),
        ({"skills": {"lines": ["maintenance"], "trained": ["medical_care"]}}, "training-without-line"),
        ({"unit": "unit_nowhere"}, "unit-unknown"),
        ({"unit": "unit_c2"}, "unit-unknown"),
        ({"person": {"name": NAME, "phone": "abcdef"}}, "input-invalid"),
        ({"availability": {"consent": True, "capacity": 51}}, "input-invalid"),
    ],
)
@pytest.mark.mechanism("VOL-02", "LAW-36")
async def test_who_cannot_be_registered(
    coordinator: Desk, runtime: Runtime, changes: dict[str, Any], code: str
) -> None:
    answer = await coordinator.post("/volunteers", person(**changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert NAME not in answer.text


async def test_a_district_that_has_decided_nothing_registers_nobody(coordinator: Desk, bare: Runtime) -> None:
    answer = await coordinator.post("/volunteers", person())
    assert (answer.status_code, answer.json()["code"]) == (409, "parameter-not-set")


@pytest.mark.parametrize("value", [{"lines": "none"}, {"limits": {}}, {"matching": {"near": 1}}])
async def test_a_decision_that_makes_no_sense_is_named(
    coordinator: Desk, runtime: Runtime, value: dict[str, Any]
) -> None:
    await decide(runtime, seq=2, **value)
    answer = await coordinator.post("/volunteers", person())
    assert (answer.status_code, answer.json()["code"]) == (409, "policy-unsound")
    for said in (f"volunteers.{next(iter(value))}", "unit_d1", "2024-01-01"):
        assert said in answer.json()["detail"]


async def test_one_account_is_one_volunteer_until_that_one_leaves(coordinator: Desk, runtime: Runtime) -> None:
    first = await registered(coordinator, "usr_helper")
    answer = await coordinator.post("/volunteers", person("usr_helper"))
    assert (answer.status_code, answer.json()["code"]) == (409, "account-taken")
    other = await registered(coordinator)
    body = {"name": NAME, "phone": PHONE, "account": "usr_helper"}
    assert (await coordinator.post(f"/volunteers/{other}/person", body)).json()["code"] == "account-taken"
    await coordinator.does(f"/volunteers/{first}/close", {"reason": "moved-away"})
    await coordinator.does(f"/volunteers/{other}/person", body)


async def test_nobody_moves_to_where_the_coordinator_has_no_say(coordinator: Desk, runtime: Runtime) -> None:
    helper = await registered(coordinator)
    for unit, code in (("unit_g3", "unit-elsewhere"), ("unit_g9", "unit-elsewhere"), ("unit_x", "unit-unknown")):
        answer = await coordinator.post(f"/volunteers/{helper}/move", {"unit": unit})
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_change_of_what_another_has_changed_meanwhile_is_refused(coordinator: Desk, runtime: Runtime) -> None:
    helper = await registered(coordinator)
    seen = (await coordinator.get(f"/volunteers/{helper}")).headers["etag"]
    await coordinator.does(f"/volunteers/{helper}/skills", {"lines": ["hardship_help"]})
    answer = await coordinator.post(f"/volunteers/{helper}/skills", {"lines": ["job_services"]}, if_match=seen)
    assert (answer.status_code, answer.json()["code"]) == (412, "version-moved")


@pytest.mark.mechanism("VOL-02", "VOL-36")
async def test_a_volunteer_is_listed_by_grid_and_line_without_a_name(coordinator: Desk, runtime: Runtime) -> None:
    first = await registered(coordinator, skills={"lines": ["hardship_help", "maintenance"]})
    other = await registered(coordinator, unit="unit_g2")
    for query, expected in (
        ("unit=unit_g1", {first}),
        ("unit=unit_c1", {first, other}),
        ("line=hardship_help", {first}),
        ("line=maintenance", {first, other}),
        ("closed=true", set()),
    ):
        answer = await coordinator.get(f"/volunteers?{query}")
        assert {item["id"] for item in answer.json()["items"]} == expected
        assert NAME not in answer.text
    await coordinator.does(f"/volunteers/{other}/move", {"unit": "unit_g1"})
    assert len((await coordinator.sees("/volunteers?unit=unit_g1"))["items"]) == 2
    moved = await runtime.histories["volunteer"].get(other, scope="unit_g1")
    assert "unit_g2" not in moved.scope


async def test_who_is_behind_a_telephone_is_found_and_the_search_recorded(
    coordinator: Desk, as_: Callers, runtime: Runtime
) -> None:
    helper = await registered(coordinator)
    found = await coordinator.get("/volunteers/by-phone?because=居民点名", linli_phone="139 1111 2222")
    assert [item["id"] for item in found.json()["items"]] == [helper]
    officer = as_("data-officer", "unit_d1")
    assert (await officer.sees("/accesses"))["items"][0]["purpose"] == "search:phone"


@pytest.mark.mechanism("LAW-36")
async def test_a_person_is_shown_with_a_purpose_and_never_against_the_volunteers_will(
    coordinator: Desk, as_: Callers, runtime: Runtime
) -> None:
    helper = await registered(coordinator, "usr_helper")
    own, officer = as_("volunteer", "unit_g1", "usr_helper"), as_("data-officer", "unit_d1")
    assert (await coordinator.get(f"/volunteers/{helper}/person")).status_code == 422
    shown = await coordinator.sees(f"/volunteers/{helper}/person?because=通知培训")
    assert shown == {"name": NAME, "phone": PHONE}
    assert (await officer.sees(f"/accesses?record={helper}"))["items"][0]["because"] == "通知培训"
    await own.does("/me/availability", {"consent": False})
    refused = await coordinator.get(f"/volunteers/{helper}/person?because=通知培训")
    assert (refused.status_code, refused.json()["code"]) == (409, "consent-withdrawn")
    assert NAME not in refused.text
    assert (await officer.sees(f"/volunteers/{helper}/person?because=本人申请查阅"))["name"] == NAME


@pytest.mark.mechanism("LAW-34")
async def test_a_volunteer_sees_the_own_record_and_changes_the_own_times(
    coordinator: Desk, as_: Callers, runtime: Runtime
) -> None:
    helper = await registered(coordinator, "usr_helper")
    own = as_("volunteer", "unit_g1", "usr_helper")
    assert (await own.sees("/me"))["id"] == helper
    assert await own.sees("/me/person") == {"name": NAME, "phone": PHONE}
    times = {"consent": True, "capacity": 1, "windows": [{"weekday": 6, "start": 540, "end": 720}]}
    await own.does("/me/availability", times)
    me = await own.sees("/me")
    assert (me["capacity"], me["windows"][0]["weekday"], me["lines"]) == (1, 6, ["maintenance"])


async def test_personal_data_go_only_of_who_has_left_and_then_everywhere(
    coordinator: Desk, as_: Callers, town: Town
) -> None:
    helper = await registered(coordinator, "usr_helper")
    officer = as_("data-officer", "unit_d1")
    refused = await officer.post(f"/volunteers/{helper}/erase")
    assert (refused.status_code, refused.json()["code"]) == (409, "volunteer-not-closed")
    await coordinator.does(f"/volunteers/{helper}/close", {"reason": "asked"})
    await officer.does(f"/volunteers/{helper}/erase")
    gone = await officer.get(f"/volunteers/{helper}/person?because=核对")
    assert gone.status_code == 404
    document = await town.database.collection("volunteer").find_one({"_id": helper})
    assert document is not None
    assert not document.get("keys") and not document["sealed"]
    assert not any(entry.get("private") for entry in document["history"])


async def test_the_history_says_who_did_what_and_keeps_what_is_sealed(coordinator: Desk, runtime: Runtime) -> None:
    helper = await registered(coordinator)
    history = await coordinator.sees(f"/volunteers/{helper}/history")
    assert [item["type"] for item in history["items"]] == ["volunteer.registered.v1", "volunteer.changed.v1"]
    assert history["items"][0]["sealed"] == ["person"]
    assert history["items"][0]["by"] == "usr_volunteer-coordinator-unit_c1"
