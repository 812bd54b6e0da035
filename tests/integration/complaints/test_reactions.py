"""What complaints does when events of others arrive, also when they arrive twice."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from services.chassis.consuming.reactions import Doing
from services.chassis.contracts.wire import Envelope
from services.chassis.runtime import Runtime
from services.complaints.reactions import REACTIONS
from tests.integration.complaints.conftest import REPLY, Desk, recorded, through

ORDER = "linli.volunteers.order"


async def arrives(runtime: Runtime, full_type: str, subject: str, data: dict[str, Any], times: int = 1) -> None:
    """Handed to the service's reactions, as the consumer guard does."""
    _, service, aggregate, verb, _ = full_type.split(".")
    envelope = Envelope(
        id=uuid4().hex, type=full_type, service=service, aggregate=aggregate, name=f"{aggregate}.{verb}", version=1,
        subject=subject, sequence=1, time=datetime.now(UTC), district="unit_d1", unit="unit_c1", causation=None,
        trace=None, data=data, scope=("unit_d1", "unit_s1", "unit_c1"),
    )  # fmt: skip
    for _ in range(times):
        for reaction in REACTIONS.of(full_type):
            event = reaction.reader.model_validate(data)
            await reaction.run(event, Doing(envelope, runtime, reaction.name, cast(Any, None)))


async def with_order(worker: Desk) -> tuple[str, str]:
    case = (await recorded(worker))["aggregate"]
    await through(worker, case, ("accept", None), ("take", None))
    order = (await worker.post(f"/cases/{case}/orders", {"line": "hardship"})).json()["order"]
    return case, order


async def blocked(worker: Desk, case: str) -> bool:
    return (await worker.post(f"/cases/{case}/solve", REPLY)).status_code == 409


@pytest.mark.mechanism("CMP-35")
async def test_a_confirmed_order_frees_the_outcome_and_a_repeat_changes_nothing(worker: Desk, runtime: Runtime) -> None:
    case, order = await with_order(worker)
    assert await blocked(worker, case)
    await arrives(runtime, f"{ORDER}.confirmed.v1", order, {"case": case, "minutes": 60, "volunteer": "v"}, times=3)
    stored = await runtime.histories["case"].get(case, scope=None)
    assert [entry["type"] for entry in stored.history].count("case.order_ended.v1") == 1
    assert not await blocked(worker, case)


@pytest.mark.parametrize("verb", ["declined", "expired"])
async def test_an_order_that_goes_on_to_the_next_candidate_still_blocks(
    worker: Desk, runtime: Runtime, verb: str
) -> None:
    case, order = await with_order(worker)
    await arrives(runtime, f"{ORDER}.{verb}.v1", order, {"case": case, "last": False})
    assert await blocked(worker, case)
    await arrives(runtime, f"{ORDER}.{verb}.v1", order, {"case": case, "last": True})
    assert not await blocked(worker, case)


async def test_a_cancelled_order_blocks_nothing(worker: Desk, runtime: Runtime) -> None:
    case, order = await with_order(worker)
    await arrives(runtime, f"{ORDER}.cancelled.v1", order, {"case": case, "reason": "waived"})
    assert not await blocked(worker, case)


async def test_an_order_of_nobody_or_of_another_service_is_passed_over(worker: Desk, runtime: Runtime) -> None:
    case, _ = await with_order(worker)
    await arrives(runtime, f"{ORDER}.confirmed.v1", "order_x", {"case": None})
    await arrives(runtime, f"{ORDER}.confirmed.v1", "order_x", {"case": "case_elsewhere"})
    await arrives(runtime, f"{ORDER}.confirmed.v1", "order_x", {"case": case})
    assert await blocked(worker, case)


@pytest.mark.mechanism("CMP-09")
async def test_when_a_worker_leaves_the_unit_the_unit_stands_in(worker: Desk, runtime: Runtime) -> None:
    case = (await recorded(worker))["aggregate"]
    person = "usr_community-worker-unit_c1"
    ended = {"person": person, "post": "community-worker", "unit": "unit_c2", "from": "2025-01-01"}
    await arrives(runtime, "linli.directory.staff.ended.v1", "staff_1", ended)
    assert (await worker.get(f"/cases/{case}")).json()["custody"]["handler"]["id"] == person
    await arrives(runtime, "linli.directory.staff.ended.v1", "staff_1", ended | {"unit": "unit_g1"}, times=2)
    custody = (await worker.get(f"/cases/{case}")).json()["custody"]
    assert custody["handler"]["id"] == custody["answerable"]["id"] == "unit_c1"


@pytest.mark.mechanism("DIR-01")
async def test_a_community_that_moves_to_another_street_takes_its_open_questions_along(
    worker: Desk, runtime: Runtime
) -> None:
    case = (await recorded(worker))["aggregate"]
    await through(worker, case, ("accept", None), ("take", None), ("escalate", {"reason": "no-power"}))
    street = {"kind": "street", "name": "新街", "parent": "unit_d1", "path": [], "zone": "Asia/Shanghai"}
    await runtime.units.apply("unit_s9", 1, "unit.registered.v1", street)
    moved = {"parent": "unit_s9", "path": ["unit_d1", "unit_s9", "unit_c1"], "revision": 2, "from": "2026-01-01"}
    await runtime.units.apply("unit_c1", 2, "unit.moved.v1", moved)
    await arrives(runtime, "linli.directory.unit.moved.v1", "unit_c1", moved, times=2)
    page = (await worker.get(f"/cases/{case}")).json()
    assert page["asked"] == "unit_s9"
    assert [rung["unit"] for rung in page["ladder"]] == ["unit_c1", "unit_s9", "unit_d1"]
