"""A policy that cannot be read stops what needs it with a clear word, and nothing else; a correction ends that."""

from typing import Any

import pytest

from services.chassis.runtime import Runtime
from services.complaints.api import public
from tests.integration.complaints.conftest import POLICIES, Desk, concern

TOLD = {"unit": "unit_c1", "category": "utilities", "subject": "暖气不热", "text": "家里暖气三天不热"}
NONSENSE = [
    ("categories", "everything"),
    ("categories", [{"code": "property"}]),
    ("channels", {"visit": True}),
    ("promises", {"ordinary": "soon"}),
    ("promises", {"ordinary": {}}),
    ("workflow", {"name": "concern"}),
    ("workflow", None),
    ("escalation", ["community"]),
    ("reasons", 7),
]


async def publish(runtime: Runtime, name: str, value: Any, seq: int = 2) -> None:
    """As if the directory had published it, whatever it is."""
    number = next(n for n, one in enumerate(POLICIES) if one["key"] == f"complaints.{name}")
    data = POLICIES[number] | {"unit": "unit_d1", "value": value, "from": "2024-02-01"}
    await runtime.policies.apply(f"policy_{number}_unit_d1", seq, "policy.published.v1", data)


@pytest.fixture(autouse=True)
def _full_buckets() -> None:
    for gate in (public.TELLING, public.LOOKING):
        gate._buckets.clear()


@pytest.mark.parametrize(("name", "value"), NONSENSE, ids=str)
async def test_what_cannot_be_read_is_told_with_its_key_its_unit_and_its_day(
    worker: Desk, runtime: Runtime, name: str, value: Any
) -> None:
    await publish(runtime, name, value)
    answer = await worker.post("/cases", concern())
    assert (answer.status_code, answer.json()["code"]) == (409, "policy-unsound"), answer.text
    for said in (f"complaints.{name}", "unit_d1", "2024-02-01"):
        assert said in answer.json()["detail"]
    assert "everything" not in answer.text


async def test_a_workflow_that_does_not_hold_together_is_not_blamed_on_the_caller(
    worker: Desk, runtime: Runtime
) -> None:
    sound = next(one["value"] for one in POLICIES if one["key"] == "complaints.workflow")
    steps = [step for step in sound["steps"] if step["name"] != "confirm"]
    await publish(runtime, "workflow", sound | {"steps": steps})
    answer = await worker.post("/cases", concern())
    assert (answer.status_code, answer.json()["code"]) == (409, "policy-unsound")


async def test_the_other_district_goes_on(neighbour: Desk, runtime: Runtime) -> None:
    await publish(runtime, "categories", "everything")
    told = concern(unit="unit_c3", reporter=None)
    assert (await neighbour.post("/cases", told)).status_code == 201


async def test_residents_are_told_where_to_go_instead(anyone: Desk, runtime: Runtime) -> None:
    await publish(runtime, "categories", "everything")
    answer = await anyone.post("/public/cases", TOLD)
    assert answer.json()["code"] == "policy-unsound"
    assert answer.json()["detail"] == "这里暂时不能在网上办理,请拨打社区服务热线或到社区服务站办理。"


async def test_a_correction_of_the_same_day_ends_it(worker: Desk, runtime: Runtime) -> None:
    await publish(runtime, "channels", "visit")
    assert (await worker.post("/cases", concern())).json()["code"] == "policy-unsound"
    await publish(runtime, "channels", next(o["value"] for o in POLICIES if o["key"] == "complaints.channels"), seq=3)
    assert (await worker.post("/cases", concern())).status_code == 201
