"""Recording a concern over HTTP."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.chassis.http import permission_table, undeclared_routes
from services.chassis.http.application import Application
from services.chassis.runtime import Runtime
from services.complaints.service import SERVICE
from tests.integration.complaints.conftest import Callers, Desk, concern, recorded

PUBLIC = {"/public/cases", "/public/cases/{code}", "/public/cases/{code}/confirm", "/public/cases/{code}/reopen"}


def test_every_route_says_who_may_call() -> None:
    app = Application(SERVICE)
    assert undeclared_routes(app) == []
    assert {row.path for row in permission_table(app) if not row.permission} == PUBLIC | {"/echo-wall"}


async def test_nobody_records_without_a_token(anyone: Desk) -> None:
    assert (await anyone.post("/cases", concern())).status_code == 401


async def test_a_role_without_the_permission_records_nothing(as_: Callers) -> None:
    assert (await as_("data-officer", "unit_d1").post("/cases", concern())).status_code == 403


async def test_nobody_records_for_another_district(neighbour: Desk) -> None:
    answer = await neighbour.post("/cases", concern())
    assert answer.status_code == 422 and answer.json()["code"] == "unit-unknown"


@pytest.mark.mechanism("CMP-01")
async def test_a_view_with_a_person_is_refused(worker: Desk) -> None:
    people: list[dict[str, Any]] = [
        {"visit": "visit_1"},
        {"resident": "resident_1"},
        {"reporter": {"phone": "13900001234"}},
    ]
    for person in people:
        answer = await worker.post("/cases", concern(**({"kind": "view", "reporter": None, "visit": None} | person)))
        assert answer.status_code == 422 and answer.json()["code"] == "view-names-person"


async def test_a_wrong_field_is_named_and_never_repeated(worker: Desk) -> None:
    answer = await worker.post("/cases", concern(reporter={"phone": "王大妈的电话"}))
    assert answer.status_code == 422 and "王大妈" not in answer.text
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [("reporter.phone", "phone-malformed")]


@pytest.mark.parametrize(("field", "some"), [("category", "welfare"), ("channel", "visit"), ("kind", "voice")])
async def test_a_code_that_the_district_does_not_have_is_answered_with_those_it_has(
    worker: Desk, field: str, some: str
) -> None:
    answer = await worker.post("/cases", concern(**{field: "说不清"}))
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, field)
    assert some in error["allowed"] and some in error["detail"] and "说不清" not in answer.text


async def test_a_queue_that_is_not_there_is_answered_with_those_that_are(worker: Desk) -> None:
    answer = await worker.get("/cases/queues/nobodys")
    assert (answer.status_code, answer.json()["code"]) == (404, "queue-unknown")
    assert "mine" in answer.json()["allowed"]


async def test_a_district_that_has_decided_nothing_records_nothing(
    worker: Desk, runtime: Runtime, as_: Callers
) -> None:
    await runtime.units.apply(
        "unit_d3", 1, "unit.registered.v1", {"kind": "district", "name": "三区", "path": [], "zone": "Asia/Shanghai"}
    )
    data = {"kind": "community", "name": "四社区", "parent": "unit_d3", "path": [], "zone": "Asia/Shanghai"}
    await runtime.units.apply("unit_c4", 1, "unit.registered.v1", data)
    answer = await as_("community-worker", "unit_c4").post("/cases", concern(unit="unit_c4"))
    assert answer.json()["code"] == "parameter-not-set"


@pytest.mark.mechanism("CMP-01", "CMP-36")
async def test_a_recorded_concern_is_found_with_its_subject_masked_and_its_texts_sealed(worker: Desk) -> None:
    made = await recorded(worker, subject="3号楼2单元501室漏水")
    answer = await worker.get(f"/cases/{made['aggregate']}")
    page = answer.json()
    assert page["subject"] == "***漏水" and page["visit"] == "visit_1"
    assert page["sealed"] == ["reporter", "text"] and page["stage"] == "recorded"
    assert "王大妈" not in answer.text and "13900001234" not in answer.text
    assert page["custody"]["answerable"]["id"] == "usr_community-worker-unit_c1"
    assert "accept" in page["steps"]


async def test_the_same_key_gives_the_same_answer_and_one_concern(worker: Desk, runtime: Runtime) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*(worker.post("/cases", concern(), key=key) for _ in range(5)))
    assert len({answer.text for answer in answers}) == 1
    assert await runtime.database.collection("case").count({}) == 1
    other = await worker.post("/cases", concern(subject="另一件事"), key=key)
    assert other.json()["code"] == "idempotency-key-reused"


async def test_no_word_of_a_resident_lies_open_in_the_database(worker: Desk, runtime: Runtime) -> None:
    await recorded(worker)
    (document,) = await runtime.database.collection("case").find({})
    plain = str({name: value for name, value in document.items() if name != "sealed"})
    for word in ("王大妈", "13900001234", "501"):
        assert word not in plain
    assert "漏水" not in str(document["out"])


@pytest.mark.mechanism("CMP-09", "LAW-42")
async def test_what_the_hotline_records_is_the_communitys_to_answer(as_: Callers) -> None:
    clerk = as_("hotline-clerk", "unit_s1")
    made = await recorded(clerk, channel="hotline", visit=None)
    page = (await clerk.get(f"/cases/{made['aggregate']}")).json()
    assert page["custody"]["answerable"]["id"] == "unit_c1" and page["level"] == "community"


async def test_a_grid_worker_acts_in_the_community(as_: Callers) -> None:
    grid = as_("grid-worker", "unit_g1")
    made = await recorded(grid, unit="unit_g1")
    page = (await grid.get(f"/cases/{made['aggregate']}")).json()
    assert page["custody"]["handler"]["unit"] == "unit_c1"


async def test_the_contract_names_every_permission(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["paths"]["/cases"]["post"]["x-permission"] == "case.record"
