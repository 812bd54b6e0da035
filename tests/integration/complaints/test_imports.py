"""Concerns from a workbook: refused whole, or taken in whole, once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.local.demo_concerns import COMMUNITIES, HEADING, last_full_year, workbook
from services.chassis.clocks.deadlines import Sweep
from services.chassis.context import Context
from services.chassis.files.cells import text
from services.chassis.files.spreadsheets import Column, write_table
from services.chassis.runtime import Runtime
from services.complaints.importing import apply_portion
from tests.integration.complaints.conftest import Callers, Desk, know

KEYS = (
    "number", "unit", "at", "kind", "category", "channel", "subject",
    "text", "name", "phone", "address", "outcome", "on", "reply",
)  # fmt: skip
OPEN = ("A1", "一社区", "2025-01-10 09:00", "民情", "民生困难", "入户走访", "独居老人希望有人上门") + (None,) * 7
CLOSED = (*("A2", "unit_c2", "2025-01-11 10:00", "民声", "物业突出问题", "服务热线", "路灯不亮", "东门路灯不亮"),
          "张三", "13900001111", "1号楼", "已解决", "2025-01-20 15:00", "已更换灯具")  # fmt: skip


def sheet(*rows: tuple[Any, ...]) -> bytes:
    columns = [Column(zh, zh, key, parse=text) for zh, key in zip(HEADING, KEYS, strict=True)]
    return write_table(columns, [dict(zip(KEYS, row, strict=True)) for row in rows], form="csv")


async def applied(runtime: Runtime, import_id: str) -> None:
    """As the worker does, portion after portion."""
    stored = await runtime.histories["import"].get(import_id, scope=None)
    for portion in range(stored.state.next, stored.state.portions):
        context = Context(by="service:complaints", at=runtime.clock.now(), operation=f"test|{import_id}|{portion}")
        await apply_portion(runtime, import_id, portion, context)


@pytest.fixture
def officer(as_: Callers) -> Desk:
    return as_("data-officer", "unit_d1")


async def test_who_may_not_import_does_not(worker: Desk, neighbour: Desk) -> None:
    assert (await worker.upload("/imports", sheet(OPEN))).status_code == 403
    answer = await neighbour.upload("/imports?unit=unit_d1", sheet(OPEN))
    assert answer.json()["code"] == "unit-unknown"


async def test_rows_of_another_district_are_faults(neighbour: Desk) -> None:
    answer = await neighbour.upload("/imports", sheet(CLOSED))
    assert answer.status_code == 422
    assert ("B2", "cell-not-in-list") in {(one["cell"], one["code"]) for one in answer.json()["errors"]}


async def test_one_fault_and_nothing_goes_in(officer: Desk, runtime: Runtime) -> None:
    wrong = (*CLOSED[:12], "2025-01-02", "好")
    answer = await officer.upload("/imports", sheet(OPEN, wrong, OPEN))
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["rows"], answer.json()["more"]) == ("file-has-errors", 1, False)
    told = [(one["field"], one["code"], one["column"]) for one in answer.json()["errors"]]
    assert told == [("M3", "settled-before-recorded", "办结时间"), ("A4", "number-twice", "编号")]
    assert all(one["zh"] == one["detail"] and one["en"] for one in answer.json()["errors"])
    assert "张三" not in answer.text
    assert await runtime.database.collection("case").count({}) == 0


async def test_what_is_no_workbook_is_told_so(officer: Desk) -> None:
    answer = await officer.upload("/imports", b"\x00\x01\x02")
    assert answer.status_code == 422 and answer.json()["code"].startswith("file-")


async def test_a_dry_run_changes_nothing(officer: Desk, runtime: Runtime) -> None:
    answer = await officer.upload("/imports/check", sheet(OPEN, CLOSED))
    would = {"created": 2, "changed": 0, "unchanged": 0, "refused": 0}
    assert answer.json() == {"rows": 2, "would": would, "failures": []}
    assert await runtime.database.collection("import").count({}) == 0


async def test_a_dry_run_finds_the_faults_that_the_import_would(officer: Desk) -> None:
    content = sheet(OPEN, (*CLOSED[:12], "2025-01-02", "好"))
    check, real = await officer.upload("/imports/check", content), await officer.upload("/imports", content)
    assert check.status_code == real.status_code == 422
    assert check.headers["content-type"] == "application/problem+json"
    assert check.json() | {"instance": ""} == real.json() | {"instance": ""}


async def test_nobody_who_meant_a_dry_run_imports(officer: Desk, runtime: Runtime) -> None:
    answer = await officer.upload("/imports?dry_run=true", sheet(OPEN))
    assert (answer.status_code, answer.json()["code"]) == (422, "dry-run-is-a-check")
    assert await runtime.database.collection("import").count({}) == 0


@pytest.mark.mechanism("CMP-01", "CMP-02")
async def test_rows_go_in_with_their_outcome_and_dates(officer: Desk, runtime: Runtime) -> None:
    answer = await officer.upload("/imports", sheet(OPEN, CLOSED))
    assert answer.status_code == 202, answer.text
    await applied(runtime, answer.json()["aggregate"])
    progress = (await officer.get(answer.headers["location"])).json()
    assert (progress["status"], progress["rows"], progress["done"], progress["created"]) == ("done", 2, 2, 2)
    assert (await officer.get("/imports")).json()["items"] == [progress]
    lines = {one["unit"]: one for one in (await officer.get("/cases?category=property")).json()["items"]}
    assert lines["unit_c2"]["outcome"] == "solved" and lines["unit_c2"]["settled_on"] == "2025-01-20T07:00:00Z"
    (waiting,) = (await officer.get("/cases")).json()["items"]
    assert waiting["historic"] and waiting["next_due"] is None


async def test_the_same_file_again_changes_nothing(officer: Desk, runtime: Runtime) -> None:
    first = await officer.upload("/imports", sheet(OPEN, CLOSED))
    await applied(runtime, first.json()["aggregate"])
    before = await runtime.database.collection("case").find({}, {"version": 1})
    again = await officer.upload("/imports", sheet(OPEN, CLOSED))
    assert (again.status_code, again.json()) == (202, first.json())
    assert await runtime.database.collection("case").find({}, {"version": 1}) == before


async def test_a_longer_file_brings_only_what_is_new_and_tells_what_differs(officer: Desk, runtime: Runtime) -> None:
    await applied(runtime, (await officer.upload("/imports", sheet(OPEN, CLOSED))).json()["aggregate"])
    changed = (*OPEN[:6], "另一件事", *OPEN[7:])
    more = ("A3", *CLOSED[1:])
    check = (await officer.upload("/imports/check", sheet(changed, CLOSED, more))).json()
    assert check["would"] == {"created": 1, "changed": 0, "unchanged": 1, "refused": 1}
    assert [(one["row"], one["code"]) for one in check["failures"]] == [(2, "row-differs")]
    answer = await officer.upload("/imports", sheet(changed, CLOSED, more))
    await applied(runtime, answer.json()["aggregate"])
    progress = (await officer.get(answer.headers["location"])).json()
    assert {name: progress[name] for name in check["would"]} == check["would"]
    assert progress["failures"] == check["failures"] and progress["failures"][0]["zh"]


async def test_nothing_of_a_waiting_file_lies_open_and_nothing_stays_behind(officer: Desk, runtime: Runtime) -> None:
    answer = await officer.upload("/imports", sheet(CLOSED))
    kept = await runtime.database.collection("portions").find({})
    assert kept and "张三".encode() not in bytes(kept[0]["rows"])
    await applied(runtime, answer.json()["aggregate"])
    assert await runtime.database.collection("portions").count({}) == 0


async def test_a_portion_applied_twice_counts_once(officer: Desk, runtime: Runtime) -> None:
    import_id = (await officer.upload("/imports", sheet(OPEN))).json()["aggregate"]
    for attempt in range(2):
        context = Context(by="service:complaints", at=runtime.clock.now(), operation=f"test|{attempt}")
        await apply_portion(runtime, import_id, 0, context)
    assert (await officer.get(f"/imports/{import_id}")).json()["created"] == 1


async def test_an_import_is_not_seen_from_another_district(officer: Desk, neighbour: Desk) -> None:
    import_id = (await officer.upload("/imports", sheet(OPEN))).json()["aggregate"]
    assert (await neighbour.get(f"/imports/{import_id}")).status_code == 404


async def test_the_template_reads_back(officer: Desk) -> None:
    answer = await officer.get("/imports/template")
    assert answer.status_code == 200
    checked = await officer.upload("/imports", answer.content)
    assert checked.json()["code"] == "file-without-rows"


@pytest.mark.mechanism("CMP-02", "CMP-03", "CMP-04")
async def test_the_streets_year_goes_in_and_its_open_concerns_raise_no_storm(officer: Desk, runtime: Runtime) -> None:
    for unit in COMMUNITIES:
        await know(runtime, unit, "community", "unit_s1", unit)
    content = await asyncio.to_thread(workbook, last_full_year(datetime.now()))
    answer = await officer.upload("/imports", content)
    assert answer.status_code == 202, answer.text
    await applied(runtime, answer.json()["aggregate"])
    assert (await officer.get(answer.headers["location"])).json()["created"] == 1_869
    cases = await runtime.database.collection("case").find({}, {"state.category": 1, "state.outcome": 1})
    closed = Counter(one["state"]["category"] for one in cases if one["state"]["outcome"])
    assert (sum(closed.values()), closed["property"], closed["dispute"]) == (1_594, 58, 398)
    assert sum(one["state"]["outcome"] is None for one in cases) == 275
    await runtime.clock.advance(timedelta(days=60))
    assert await Sweep(runtime).once() == 0
    assert runtime.clock.now() > datetime.now(UTC)
