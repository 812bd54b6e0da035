"""Policies over HTTP: nonsense is not published, the past stays, and what is wrong today is mended today."""

from datetime import date, timedelta
from typing import Any

import pytest

from deploy.local.demo_district import policies as demonstration
from services.chassis.runtime import Runtime
from services.kernel.values import day_at
from tests.integration.directory.conftest import Callers, Desk

DEMO = {policy["key"]: policy["value"] for policy in demonstration()}
NAME = "赵暗桐"


def policy(key: str, value: Any, since: date | str = "2024-01-01", **more: Any) -> dict[str, Any]:
    return {"key": key, "unit": "unit_d1", "value": value, "from": str(since), "source": "区文件"} | more


@pytest.fixture
def today(runtime: Runtime) -> date:
    return day_at(runtime.clock.now(), "Asia/Shanghai")


async def test_a_key_that_nobody_reads_is_answered_with_those_that_somebody_reads(admin: Desk) -> None:
    answer = await admin.post("/policies", policy("complaints.catgories", []))
    told = answer.json()
    assert (answer.status_code, told["code"], told["errors"][0]["field"]) == (422, "policy-key-unknown", "key")
    assert {"complaints.categories", "volunteers.lines", "householdsPerWorker"} <= set(told["allowed"])
    assert "catgories" not in answer.text
    asked = await admin.get("/units/unit_c1/policies/complaints.catgories")
    assert asked.json()["code"] == "policy-key-unknown"


async def test_nonsense_is_not_published_and_every_fault_is_told_by_its_place(admin: Desk, runtime: Runtime) -> None:
    rows = [
        {"code": "property", "zh": "物业", "en": "Property", "urgency": "ordinary", "kinds": [NAME]},
        {"code": "property", "zh": "物业", "en": "Property"},
        {"code": NAME, "zh": "物业", "en": "Property", "urgency": "ordinary", NAME: NAME},
    ]
    answer = await admin.post("/policies", policy("complaints.categories", rows))
    assert (answer.status_code, answer.json()["code"]) == (422, "policy-value-malformed")
    told = {error["field"]: error for error in answer.json()["errors"]}
    assert {place: error["code"] for place, error in told.items()} == {
        "value.0.kinds.0": "not-one-of",
        "value.1.urgency": "field-missing",
        "value.2.*": "field-unknown",
        "value.2.code": "text-format",
    }
    assert told["value.0.kinds.0"]["detail"] == "应为以下之一:condition, voice, view。"
    assert told["value.2.*"]["allowed"] == ["code", "zh", "en", "urgency", "kinds"]
    assert NAME not in answer.text
    assert await runtime.database.collection("policy").count({}) == 0


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("complaints.workflow", {**DEMO["complaints.workflow"], "start": "nowhere"}, "workflow-stage-unknown"),
        ("complaints.promises", {"ordinary": {"accept": {"n": 2, "unit": "hours"}}}, "field-missing"),
        ("complaints.channels", "visit", "not-a-list"),
        ("volunteers.matching", {**DEMO["volunteers.matching"], "near": 1}, "near-outweighed"),
        ("smallGroup", 0, "below-least"),
    ],
)
async def test_the_rules_of_each_key_are_those_of_whoever_reads_it(
    admin: Desk, key: str, value: Any, code: str
) -> None:
    told = (await admin.post("/policies", policy(key, value))).json()
    assert told["code"] == "policy-value-malformed" and [error["code"] for error in told["errors"]] == [code]


async def test_money_in_fractions_and_no_value_at_all_are_told_as_such(admin: Desk) -> None:
    assert (await admin.post("/policies", policy("smallGroup", 2.5))).json()["code"] == "float-refused"
    assert (await admin.post("/policies", policy("smallGroup", None))).json()["code"] == "value-missing"


async def test_what_was_in_force_before_today_is_not_replaced(admin: Desk, today: date) -> None:
    await admin.done("/policies", policy("smallGroup", 5))
    for since in ("2024-01-01", today - timedelta(days=1)):
        answer = await admin.post("/policies", policy("smallGroup", 7, since, replace=True))
        assert (answer.json()["code"], answer.json()["errors"][0]["field"]) == ("policy-back-dated", "from")


async def test_nobody_replaces_a_version_unawares_nor_one_that_is_not_there(admin: Desk, today: date) -> None:
    await admin.done("/policies", policy("smallGroup", 5, today))
    unaware = await admin.post("/policies", policy("smallGroup", 7, today))
    assert (unaware.status_code, unaware.json()["code"]) == (409, "policy-known")
    assert "replace" in unaware.json()["detail"]
    nothing = await admin.post("/policies", policy("smallGroup", 7, today + timedelta(days=9), replace=True))
    assert nothing.json()["code"] == "policy-unknown"


async def test_a_version_is_corrected_until_its_first_day_is_over(
    admin: Desk, as_: Callers, today: date, runtime: Runtime
) -> None:
    ahead = today + timedelta(days=30)
    await admin.done("/policies", policy("smallGroup", 5))
    await admin.done("/policies", policy("smallGroup", 6, today))
    made = await admin.done("/policies", policy("smallGroup", 60, ahead))
    await admin.done("/policies", policy("smallGroup", 7, today, replace=True))
    await admin.done("/policies", policy("smallGroup", 8, ahead, replace=True))

    async def value(on: date) -> int:
        return int((await admin.found("/units/unit_c1/policies/smallGroup", on=str(on)))["value"])

    assert [await value(day) for day in (today - timedelta(days=1), today, ahead)] == [5, 7, 8]
    told = await admin.found(f"/policies/{made['aggregate']}")
    assert [version["value"] for version in told["versions"]] == [5, 7, 8]
    history = await runtime.histories["policy"].entries(made["aggregate"], scope=None)
    assert [entry["data"]["value"] for entry in history] == [5, 6, 60, 7, 8]
    await runtime.clock.advance(timedelta(days=1))
    late = await admin.post("/policies", policy("smallGroup", 9, today, replace=True))
    assert late.json()["code"] == "policy-back-dated"


async def test_a_policy_that_cannot_be_read_is_named_and_mended_by_a_correction(
    admin: Desk, today: date, runtime: Runtime
) -> None:
    """As an older version of the system could have taken it."""
    data = {"key": "verifyEveryDays", "unit": "unit_d1", "value": "often", "from": str(today), "source": "区文件"}
    await runtime.policies.apply("policy_old", 1, "policy.published.v1", data)
    answer = await admin.get("/units/unit_c1/stale")
    assert (answer.status_code, answer.json()["code"]) == (409, "policy-unsound")
    for said in ("verifyEveryDays", "unit_d1", str(today)):
        assert said in answer.json()["detail"]
    assert "often" not in answer.text
    await runtime.policies.apply("policy_old", 2, "policy.published.v1", data | {"value": 90})
    assert (await admin.found("/units/unit_c1/stale"))["days"] == 90
