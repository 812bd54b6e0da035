"""Households and residents: who may not first, then the register at work."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.runtime import Runtime
from tests.integration.directory.conftest import Callers, Desk, eventually, household, resident

NUMBER = "110101199003070011"  # invented; only its check digit is right


def checked(seventeen: str) -> str:
    """An invented number with its check digit."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return seventeen + "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, weights, strict=True)) % 11]


async def test_without_a_token_nobody_is_known(anyone: Desk) -> None:
    for path in ("/residents", "/households", "/visits", "/staff", "/places", "/register-figures"):
        assert (await anyone.get(path)).status_code == 401


async def test_a_person_of_another_district_is_not_found(worker: Desk, neighbour: Desk) -> None:
    home = await household(worker)
    person = await resident(worker, home, phone="13800138000")
    for path in (f"/residents/{person}", f"/households/{home}"):
        assert (await neighbour.get(path)).status_code == 404
    for path in (f"/residents/{person}/identity", f"/residents/{person}/markers", f"/households/{home}/address"):
        assert (await neighbour.get(path, because="好奇")).status_code == 404
    for step in ("verify", "erase"):
        assert (await neighbour.post(f"/residents/{person}/{step}")).status_code == 404
    assert (await neighbour.post("/residents", {"household": home, "identity": {"name": "外人"}})).status_code == 404
    found = await neighbour.done("/residents/search", {"phone": "13800138000", "because": "好奇"})
    assert found["items"] == []


@pytest.mark.mechanism("DIR-15")
async def test_each_part_of_a_file_has_a_permission_of_its_own_and_every_read_is_recorded(
    as_: Callers, worker: Desk, officer: Desk
) -> None:
    person = await resident(worker, await household(worker), phone="13800138000")
    grid_worker, clerk = as_("grid-worker", "unit_c1"), as_("hotline-clerk", "unit_s1")
    assert (await grid_worker.get(f"/residents/{person}/markers", because="走访")).status_code == 403
    assert (await clerk.get(f"/residents/{person}/identity", because="回电")).status_code == 403
    missing = await worker.get(f"/residents/{person}/identity")
    assert missing.json()["errors"][0]["code"] == "field-missing"
    shown = await worker.found(f"/residents/{person}/identity", because="核对信息")
    assert shown["name"] == "王秀英"
    records = (await officer.found("/access-records", record=person))["items"]
    assert [(one["purpose"], one["because"], one["by"]) for one in records] == [
        ("identity", "核对信息", "usr_community-worker-unit_c1")
    ]


async def test_nothing_personal_stands_in_the_open(worker: Desk, runtime: Runtime) -> None:
    number = checked("11010119530612002")
    home = await household(worker, "401室")
    await resident(worker, home, "欧阳望舒", number=number, phone="13912345678", registered_address="西关路77号")
    for name in ("resident", "household"):
        for document in await runtime.database.collection(name).find({}):
            for secret in ("欧阳望舒", number, "13912345678", "西关路", "401室"):
                assert secret not in str(document)
                assert secret.encode() not in str(document).encode()


@pytest.mark.mechanism("DIR-15")
async def test_a_person_is_found_by_phone_tail_number_or_name(worker: Desk) -> None:
    number = checked("11010119530612002")
    person = await resident(worker, await household(worker), number=number, phone="139 1234 5678")
    for asked in ({"phone": "+86 13912345678"}, {"tail": "5678"}, {"number": number.lower()}, {"name": "王 秀英"}):
        found = await worker.done("/residents/search", {**asked, "because": "来电"})
        assert [one["id"] for one in found["items"]] == [person]
    refused = await worker.post("/residents/search", {"tail": "5678", "name": "王秀英", "because": "来电"})
    assert refused.status_code == 422


async def test_a_number_with_a_wrong_check_digit_is_refused_and_an_unknown_region_only_noted(worker: Desk) -> None:
    home = await household(worker)
    wrong = {"household": home, "identity": {"name": "王秀英", "number": "110101199003070012"}}
    answer = await worker.post("/residents", wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "number-checksum")
    assert "110101" not in answer.text
    new_county = {"household": home, "identity": {"name": "王秀英", "number": checked("83999919900307001")}}
    made = await worker.done("/residents", new_county)
    assert made["warnings"] == ["number-region-unknown"]


async def test_a_number_is_registered_once_whoever_asks(worker: Desk) -> None:
    number, home = checked("11010119530612002"), await household(worker)
    person = await resident(worker, home, number=number)
    again = await worker.post("/residents", {"household": home, "identity": {"name": "王秀芳", "number": number}})
    assert (again.status_code, again.json()["code"]) == (409, "already-exists")
    other = await resident(worker, home, "王秀芳")
    wrong = await worker.post(f"/residents/{other}/correct", {"identity": {"name": "王秀芳", "number": number}})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "resident-number-known")
    assert (await worker.found(f"/residents/{person}"))["status"] == "active"


@pytest.mark.mechanism("DIR-16")
async def test_an_event_says_that_markers_changed_and_never_which(worker: Desk, runtime: Runtime) -> None:
    person = await resident(worker, await household(worker))
    marker = {"code": "disabled", "source": "残联登记", "since": "2024-05-01"}
    await worker.done(f"/residents/{person}/mark", {"add": marker})
    stored = await runtime.database.collection("resident").find_one({"_id": person})
    assert stored is not None
    assert stored["out"][0]["type"] == "resident.markers_changed.v1"
    assert "disabled" not in str(stored)
    shown = await worker.found(f"/residents/{person}/markers", because="评估需求")
    assert shown["markers"] == [marker]
    twice = await worker.post(f"/residents/{person}/mark", {"add": marker})
    assert twice.json()["code"] == "fact-known"
    await worker.done(f"/residents/{person}/unmark", {"end": "disabled", "on": "2025-05-01"})
    ended = await worker.found(f"/residents/{person}/markers", because="评估需求")
    assert ended["markers"] == [marker | {"until": "2025-05-01"}]


async def test_marking_twice_under_one_key_marks_once(worker: Desk) -> None:
    person = await resident(worker, await household(worker))
    body = {"add": {"code": "hardship", "source": "社区", "since": "2024-05-01"}}
    first = await worker.post(f"/residents/{person}/mark", body, key="once")
    second = await worker.post(f"/residents/{person}/mark", body, key="once")
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (200, first.json())


@pytest.mark.mechanism("DIR-16")
async def test_small_groups_are_hidden_from_those_without_the_right(worker: Desk, officer: Desk, admin: Desk) -> None:
    home = await household(worker)
    marker = {"code": "disabled", "source": "残联登记", "since": "2024-05-01"}
    for number in range(3):
        await resident(worker, home, f"居民{number}", markers=[marker])
    unset = await worker.get("/units/unit_c1/markers")
    assert unset.json()["code"] == "parameter-not-set"
    await admin.done(
        "/policies",
        {"key": "smallGroup", "unit": "unit_d1", "value": 5, "from": "2024-01-01", "source": "区数据管理办法"},
    )
    assert (await worker.found("/units/unit_c1/markers"))["markers"]["disabled"] is None
    assert (await worker.found("/units/unit_c1/markers"))["markers"]["orphan"] == 0
    assert (await officer.found("/units/unit_c1/markers"))["markers"]["disabled"] == 3


@pytest.mark.mechanism("DIR-13")
async def test_a_permanent_household_has_no_tenancy_and_a_door_has_one_household(worker: Desk) -> None:
    body = {"building": "unit_b1", "door": "101", "tenure": "permanent", "size": 2, "until": "2026-01-01"}
    answer = await worker.post("/households", body)
    assert answer.json()["code"] == "tenancy-of-permanent-household"
    await household(worker, "101")
    taken = await worker.post("/households", body | {"tenure": "rented"})
    assert (taken.status_code, taken.json()["code"]) == (409, "door-taken")


async def test_a_household_with_residents_is_not_closed(worker: Desk) -> None:
    home = await household(worker)
    person = await resident(worker, home)
    refused = await worker.post(f"/households/{home}/close", {"reason": "moved-away"})
    assert refused.json()["code"] == "household-not-empty"
    await worker.done(f"/residents/{person}/close", {"reason": "moved-away"})
    await worker.done(f"/households/{home}/close", {"reason": "moved-away"})
    await household(worker)  # the door is free again


async def test_when_a_household_moves_its_residents_follow_and_the_total_stays(admin: Desk, at_work: Runtime) -> None:
    home = await household(admin)
    people = [await resident(admin, home, name) for name in ("王秀英", "李建国")]
    before = (await admin.found("/register-figures"))["figures"]
    await admin.done(f"/households/{home}/move", {"building": "unit_b2", "door": "202"})

    async def followed() -> bool:
        return all([(await admin.found(f"/residents/{one}"))["unit"] == "unit_b2" for one in people])

    await eventually(followed)
    assert (await admin.found("/register-figures"))["figures"] == before


async def test_of_two_files_of_one_person_the_elder_stays_and_both_ids_lead_to_it(worker: Desk) -> None:
    home = await household(worker)
    elder, middle, younger = [await resident(worker, home, name) for name in ("王秀英", "王秀瑛", "王秀莹")]
    refused = await worker.post(f"/residents/{elder}/merge", {"into": younger})
    assert refused.json()["code"] == "merge-into-younger"
    await worker.done(f"/residents/{younger}/merge", {"into": middle})
    await worker.done(f"/residents/{middle}/merge", {"into": elder})
    for one in (elder, middle, younger):
        assert (await worker.found(f"/residents/{one}"))["id"] == elder
    taken = await worker.post(f"/residents/{younger}/verify")
    assert taken.json()["code"] == "resident-merged"


async def test_what_is_erased_is_gone_from_the_file_its_history_and_every_search(
    worker: Desk, officer: Desk, runtime: Runtime
) -> None:
    person = await resident(worker, await household(worker), phone="13912345678")
    await worker.done(f"/residents/{person}/correct", {"identity": {"name": "王秀瑛"}})
    await officer.done(f"/residents/{person}/erase")
    gone = await worker.get(f"/residents/{person}/identity", because="核对")
    assert gone.json()["code"] == "personal-data-absent"
    stored = await runtime.database.collection("resident").find_one({"_id": person})
    assert stored is not None
    assert (stored["sealed"], [entry.get("private") for entry in stored["history"]]) == ({}, [None, None, None])
    found = await worker.done("/residents/search", {"phone": "13912345678", "because": "来电"})
    assert found["items"] == []


@pytest.mark.parametrize(
    ("purpose", "no_longer"),
    [("identity", {"name", "number"}), ("contacts", {"phone", "tail"}), ("markers", {"count"})],
)
async def test_one_purpose_goes_with_what_finds_it_and_the_others_are_still_found(
    worker: Desk, officer: Desk, runtime: Runtime, purpose: str, no_longer: set[str]
) -> None:
    marker = {"code": "veteran", "source": "街道名册", "since": "2020-01-01"}
    number, phone = NUMBER, "13912345678"
    home = await household(worker)
    person = await resident(worker, home, number=number, phone=phone, markers=[marker])
    await officer.done(f"/residents/{person}/erase", {"purposes": [purpose]})
    searches = {"name": "王秀英", "number": number, "phone": phone, "tail": phone[-4:]}
    found = {}
    for by, value in searches.items():
        answer = await worker.done("/residents/search", {by: value, "because": "核对"})
        found[by] = [item["id"] for item in answer["items"]] == [person]
    found["count"] = (await officer.found("/units/unit_b1/markers"))["markers"]["veteran"] == 1
    assert {by for by, there in found.items() if not there} == no_longer
    for name in ("identity", "contacts", "markers"):
        answer = await worker.get(f"/residents/{person}/{name}", because="核对")
        assert answer.status_code == (404 if name == purpose else 200), name
    stored = await runtime.database.collection("resident").find_one({"_id": person})
    assert stored is not None
    assert not any(purpose in entry.get("private", {}) for entry in stored["history"])
    assert stored["history"][-1]["data"] == {"purposes": [purpose]}


@pytest.mark.mechanism("DIR-14")
async def test_stale_records_are_counted_by_grid_and_never_without_a_norm(
    admin: Desk, runtime: Runtime
) -> None:
    await admin.done("/units/unit_b1/cover", {"grid": "unit_g1"})
    home = await household(admin)
    person = await resident(admin, home)
    assert (await admin.get("/units/unit_c1/stale")).json()["code"] == "parameter-not-set"
    norm = {"key": "verifyEveryDays", "unit": "unit_d1", "value": 90, "from": "2024-01-01", "source": "网格工作规范"}
    await admin.done("/policies", norm)
    await runtime.clock.advance(timedelta(days=91))
    stale = await admin.found("/units/unit_c1/stale")
    assert (stale["households"], stale["residents"]) == (1, 1)
    assert stale["by_grid"] == {"unit_g1": {"households": 1, "residents": 1}}
    await admin.done(f"/residents/{person}/verify")
    await admin.done(f"/households/{home}/verify")
    assert (await admin.found("/units/unit_c1/stale"))["by_grid"]["unit_g1"] == {"households": 0, "residents": 0}


@pytest.mark.mechanism("DIR-09")
async def test_the_workload_is_held_against_a_norm_that_somebody_has_set(admin: Desk) -> None:
    await household(admin, "101")
    await household(admin, "102")
    assert (await admin.get("/units/unit_c1/workload")).json()["code"] == "parameter-not-set"
    norm = {"key": "householdsPerWorker", "unit": "unit_d1", "value": 1, "from": "2024-01-01", "source": "区文件"}
    await admin.done("/policies", norm)
    await admin.done("/staff", {"name": "李建国", "post": "community-worker", "unit": "unit_c1"})
    load = await admin.found("/units/unit_c1/workload")
    assert load.pop("as_of")
    assert load == {"unit": "unit_c1", "households": 2, "workers": 1, "norm": 1, "workers_needed": 2, "exceeded": True}


async def test_what_a_district_has_decided_never_changes_for_a_day_that_is_past(admin: Desk, as_: Callers) -> None:
    body: dict[str, Any] = {"key": "householdsPerWorker", "unit": "unit_d1", "value": 300, "source": "区文件"}
    await admin.done("/policies", body | {"from": "2024-01-01"})
    back = await admin.post("/policies", body | {"value": 250, "from": "2024-06-01"})
    assert back.json()["code"] == "policy-back-dated"
    await admin.done("/policies", body | {"value": 250, "from": "2099-01-01"})
    now = await admin.found("/units/unit_c1/policies/householdsPerWorker")
    then = await admin.found("/units/unit_c1/policies/householdsPerWorker", on="2099-01-01")
    assert (now["value"], then["value"]) == (300, 250)
    decided = await as_("community-worker", "unit_c1").post("/policies", body | {"from": "2099-02-01"})
    assert decided.status_code == 403


@pytest.mark.mechanism("DIR-12")
async def test_a_visit_on_the_weekly_day_says_that_a_concern_was_raised_and_keeps_what_was_said(
    worker: Desk, runtime: Runtime
) -> None:
    home = await household(worker)
    person = await resident(worker, home)
    body = {"purpose": "concernsDay", "resident": person, "raised": True, "note": "厨房漏水，儿子不在身边"}
    visit = (await worker.done("/visits", body))["aggregate"]
    shown = await worker.found(f"/visits/{visit}")
    assert (shown["household"], shown["raised"], shown["unit"]) == (home, True, "unit_b1")
    assert (await worker.found(f"/visits/{visit}/note", because="转办"))["text"] == "厨房漏水，儿子不在身边"
    stored = await runtime.database.collection("visit").find_one({"_id": visit})
    assert "漏水" not in str(stored)
    listed = (await worker.found("/visits", household=home))["items"]
    assert [one["id"] for one in listed] == [visit]


@pytest.mark.mechanism("CMP-05")
async def test_the_weekly_day_lists_whom_to_visit_until_somebody_has(
    worker: Desk, admin: Desk, as_: Callers, runtime: Runtime
) -> None:
    alone = {"code": "elderlyAlone", "source": "社区走访", "since": "2024-05-01"}
    first, second = await household(worker, "101"), await household(worker, "102")
    old, other = await resident(worker, first, markers=[alone]), await resident(worker, second, markers=[alone])
    await resident(worker, second, "李建国")
    list_of = "/units/unit_c1/concerns-day"
    assert (await as_("grid-worker", "unit_c1").get(list_of, because="走访")).status_code == 403
    assert (await worker.get(list_of, because="走访")).json()["code"] == "parameter-not-set"
    today = (runtime.clock.now() + timedelta(hours=8)).isoweekday()
    weekly = {"key": "concernsDayWeekday", "unit": "unit_d1", "value": today, "from": "2024-01-01", "source": "区文件"}
    await admin.done("/policies", weekly)
    assert {one["resident"] for one in (await worker.found(list_of, because="走访"))["to_visit"]} == {old, other}
    await worker.done("/visits", {"purpose": "concernsDay", "resident": old})
    listed = await worker.found(list_of, because="走访")
    assert [one["resident"] for one in listed["visited"]] == [old]
    assert [one["resident"] for one in listed["to_visit"]] == [other]


@pytest.mark.mechanism("CMP-36")
async def test_workers_go_in_to_listen_without_naming_anybody(worker: Desk) -> None:
    await worker.done("/visits", {"purpose": "listen", "unit": "unit_x1"})
    nobody = await worker.post("/visits", {"purpose": "listen"})
    assert nobody.json()["code"] == "visit-of-nobody"
    ahead = await worker.post("/visits", {"purpose": "listen", "unit": "unit_x1", "on": "2099-01-01T00:00:00Z"})
    assert ahead.json()["code"] == "visit-in-future"


@pytest.mark.mechanism("DIR-54", "DIR-34", "DIR-04")
async def test_counterparties_have_promise_and_supervisor_and_organisations_lie_in_grids(admin: Desk) -> None:
    bare = await admin.post("/places", {"kind": "water", "name": "自来水公司", "unit": "unit_d1"})
    assert bare.json()["code"] == "promise-missing"
    office = await admin.done("/places", {"kind": "stationed-unit", "name": "区住建局", "unit": "unit_c1"})
    body = {
        "kind": "water", "name": "自来水公司", "unit": "unit_d1", "promise_hours": 24,
        "supervisor": office["aggregate"], "serves": ["utilities"], "contact": {"name": "调度", "phone": "01012345678"},
    }  # fmt: skip
    water = (await admin.done("/places", body))["aggregate"]
    assert (await admin.found(f"/places/{water}"))["serves"] == ["utilities"]
    assert (await admin.found("/units/unit_c1/organisations"))["in_no_grid"] == [office["aggregate"]]
    await admin.done(f"/places/{office['aggregate']}/grid", {"grid": "unit_g1"})
    placed = await admin.found("/units/unit_c1/organisations")
    assert (placed["in_no_grid"], placed["grids"]) == ([], {"unit_g1": [office["aggregate"]]})


@pytest.mark.mechanism("DIR-06")
async def test_the_nearest_point_comes_first(admin: Desk) -> None:
    point = {"kind": "health-station", "unit": "unit_c1"}
    nowhere = await admin.post("/places", point | {"name": "卫生站"})
    assert nowhere.json()["code"] == "position-missing"
    for name, north in (("远站", 39_930_000), ("近站", 39_911_000)):
        place = {"latitude": north, "longitude": 116_400_000}
        await admin.done("/places", point | {"name": name, "position": place})
    found = await admin.found("/units/unit_c1/nearest-points", latitude="39910000", longitude="116400000")
    assert [one["name"] for one in found["items"]] == ["近站", "远站"]
    assert found["items"][0]["metres"] == 111


@pytest.mark.mechanism("DIR-01")
async def test_in_every_list_a_unit_means_what_lies_under_it_and_nothing_of_a_neighbours(
    admin: Desk, worker: Desk, neighbour: Desk
) -> None:
    home = await household(worker)
    policy = {"key": "verifyEveryDays", "unit": "unit_c1", "value": 90, "from": "2024-01-01", "source": "社区决定"}
    station = {"kind": "residents-committee", "unit": "unit_c1", "name": "一社区居委会"}
    post = {"name": "李建国", "post": "grid-worker", "unit": "unit_g1"}
    made = {
        "/households": home,
        "/residents": await resident(worker, home),
        "/visits": (await worker.done("/visits", {"purpose": "listen", "household": home}))["aggregate"],
        "/staff": (await admin.done("/staff", post))["aggregate"],
        "/places": (await worker.done("/places", station))["aggregate"],
        "/policies": (await admin.done("/policies", policy))["aggregate"],
        "/units": "unit_b1",
    }
    for path, record in made.items():
        for unit in ("unit_d1", "unit_s1", "unit_c1"):
            listed = [item["id"] for item in (await admin.found(path, unit=unit))["items"]]
            assert listed == [record] if path != "/units" else record in listed, f"{path} under {unit}"
        for caller, unit in ((admin, "unit_c2"), (admin, "unit_c9"), (neighbour, "unit_c1"), (worker, "unit_c2")):
            listed = [item["id"] for item in (await caller.found(path, unit=unit))["items"]]
            assert record not in listed, f"{path} under {unit}"
    within = (await admin.found("/units", unit="unit_x1", kind="building"))["items"]
    assert [one["id"] for one in within] == ["unit_b1", "unit_b2"]
