"""Files in and out: nothing half imported, nothing twice, whatever stops in between."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo.errors import AutoReconnect

from services.chassis.files.spreadsheets import write_table
from services.chassis.runtime import Runtime
from services.directory.intake.columns import COLUMNS
from services.directory.intake.outcome import Outcome
from tests.integration.directory.conftest import Callers, Desk, eventually, household
from tests.integration.directory.test_people import checked

TREE: list[dict[str, Any]] = [
    {"code": "C5-B1", "kind": "building", "name": "5号楼", "parent": "C5-X1", "community": "C5-G1", "party": "C5-P1"},
    {"code": "C5", "kind": "community", "name": "五社区", "parent": "unit_s1"},
    {"code": "C5-X1", "kind": "compound", "name": "五小区", "parent": "C5"},
    {
        "code": "C5-G1", "kind": "grid", "name": "五网格", "parent": "C5", "level": "community", "layer": "community",
        "capabilities": ("city_management", "social_work"),
    },
    {"code": "C5-P1", "kind": "grid", "name": "五党网格", "parent": "C5", "level": "community", "layer": "party"},
    {"code": "C5-E1", "kind": "entrance", "name": "1单元", "parent": "C5-B1"},
]  # fmt: skip


def person(door: str, name: str, **changes: Any) -> dict[str, Any]:
    """One row of a file of households."""
    return {"building": "unit_b1", "door": door, "tenure": "permanent", "name": name} | changes


PEOPLE = [
    person("101", "王秀英", relation="head", number=checked("11010119530612002"), phone="+8613912345678",
           consent=True, consent_on="2024-01-05", markers=("disabled", "elderlyAlone"), marker_source="残联登记",
           marker_since="2023-01-01"),
    person("101", "王小明", relation="child", number=checked("11010119800612001")),
    person("102", "李建国", birth="1970-02-03", tenure="rented", until="2030-06-30"),
    {"building": "unit_b2", "door": "201", "tenure": "floating"},
]  # fmt: skip


def file(kind: str, rows: list[dict[str, Any]], form: Any = "xlsx") -> bytes:
    """As somebody would fill it in."""
    return write_table(COLUMNS[kind], rows, form=form)


async def imported(desk: Desk, kind: str, content: bytes, key: str | None = None) -> dict[str, Any]:
    """Run an import to its end; its figures."""
    answer = await desk.upload(f"/imports?kind={kind}", content, key=key)
    assert answer.status_code == 202, answer.text

    async def done() -> dict[str, Any] | None:
        shown = await desk.found(answer.headers["location"])
        return shown if shown["status"] == "done" else None

    found: dict[str, Any] = await eventually(done)
    return found


def told(answer: Any) -> list[tuple[str, str]]:
    return [(error["cell"], error["code"]) for error in answer.json()["errors"]]


async def test_without_permission_nothing_comes_in_or_goes_out(anyone: Desk, worker: Desk, neighbour: Desk) -> None:
    content = file("households", PEOPLE)
    assert (await anyone.upload("/imports?kind=households", content)).status_code == 401
    assert (await worker.upload("/imports?kind=households", content)).status_code == 403
    assert (await worker.get("/exports/households", because="备份")).status_code == 403
    foreign = await neighbour.upload("/imports/check?kind=households", content)
    assert set(told(foreign)) == {(f"A{row}", "unit-not-found") for row in (2, 3, 4, 5)}
    assert (await neighbour.get("/exports/units", unit="unit_c1")).status_code == 404


async def test_what_is_no_spreadsheet_is_refused_in_plain_words(admin: Desk) -> None:
    answer = await admin.upload("/imports/check?kind=units", b"\x00\x01\x02 not a table")
    assert (answer.status_code, answer.json()["code"]) == (422, "file-not-a-spreadsheet")
    empty = await admin.upload("/imports?kind=units", (await admin.get("/imports/template", kind="units")).content)
    assert (empty.status_code, empty.json()["code"]) == (422, "file-without-rows")


async def test_every_wrong_cell_is_named_in_both_languages_and_nothing_is_written(admin: Desk) -> None:
    rows = [
        person("101", "王秀英", number="110101195306120021"),
        person("101", "王小明", tenure="rented"),
        person("102", "李建国", building="unit_c1", until="2030-01-01"),
        person("103", "", phone="13912345678", consent=True),
        person("104", "赵敏", number=checked("11010119800612001"), birth="1980-06-13"),
        person("105", "钱进", number=checked("11010119800612001")),
        person("106", "孙丽", markers=("disabled",)),
    ]
    answer = await admin.upload("/imports?kind=households", file("households", rows))
    assert (answer.status_code, answer.json()["code"]) == (422, "file-has-errors")
    assert sorted(told(answer)) == sorted([
        ("H2", "number-checksum"), ("C3", "household-differs"), ("A4", "not-a-dwelling"),
        ("D4", "tenancy-of-permanent-household"), ("E5", "name-missing"), ("L5", "consent-undated"),
        ("I6", "birth-differs"), ("H7", "number-twice"), ("N8", "marker-incomplete"),
    ])  # fmt: skip
    first = next(error for error in answer.json()["errors"] if error["cell"] == "H2")
    assert first["field"] == first["cell"] and first["detail"] == first["zh"]
    assert (first["column"], first["zh"]) == ("证件号码", "证件号码校验位不对，请核对")
    assert "110101" not in answer.text
    assert (await admin.found("/imports"))["items"] == []
    assert (await admin.found("/register-figures"))["figures"]["households"] == 0


async def test_a_tree_that_does_not_hold_together_is_refused_by_cell(admin: Desk) -> None:
    rows = [
        {"code": "A", "kind": "building", "name": "1号楼", "parent": "B"},
        {"code": "B", "kind": "community", "name": "甲社区", "parent": "unit_nowhere"},
        {"code": "A", "kind": "compound", "name": "甲小区", "parent": "B", "level": "community"},
        {"code": "G", "kind": "grid", "name": "甲网格", "parent": "B"},
        {"code": "unit_c1", "kind": "street", "name": "改类型", "parent": "unit_d1"},
        {"code": "D", "kind": "compound", "name": "丁小区", "parent": "B", "community": "unit_g1"},
        {"code": "E", "kind": "compound", "name": "戊小区", "parent": "B", "community": "B"},
    ]
    answer = await admin.upload("/imports/check?kind=units", file("units", rows))
    assert sorted(told(answer)) == sorted([
        ("D3", "unit-not-found"), ("A4", "code-twice"), ("E4", "only-for-grids"), ("E5", "grid-level-missing"),
        ("B6", "kind-differs"), ("H7", "grid-of-another-community"), ("H8", "not-a-grid"),
    ])  # fmt: skip


async def test_a_dry_run_says_what_would_happen_and_does_nothing(admin: Desk) -> None:
    answer = await admin.upload("/imports/check?kind=units", file("units", TREE, "csv"))
    would = {"created": 6, "changed": 0, "unchanged": 0, "refused": 0}
    assert answer.json() == {"rows": 6, "would": would, "failures": []}
    people = await admin.upload("/imports/check?kind=households", file("households", PEOPLE))
    assert people.json() == {"rows": 4, "would": would, "failures": []}
    assert (await admin.found("/register-figures"))["figures"]["communities"] == 2


@pytest.mark.mechanism("DIR-02", "DIR-03")
async def test_a_tree_comes_in_in_any_order_and_a_second_time_changes_nothing(admin: Desk, at_work: Runtime) -> None:
    done = await imported(admin, "units", file("units", TREE))
    assert (done["created"], done["changed"], done["unchanged"], done["refused"]) == (6, 0, 0, 0)
    figures = (await admin.found("/register-figures"))["figures"]
    counted = {name: figures[name] for name in ("communities", "compounds", "buildings", "entrances", "partyGrids")}
    assert counted == {"communities": 3, "compounds": 2, "buildings": 3, "entrances": 1, "partyGrids": 1}
    again = await imported(admin, "units", file("units", TREE, "csv"))
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 6)
    renamed = [row | {"name": "五号楼"} if row["code"] == "C5-B1" else row for row in TREE]
    third = await imported(admin, "units", file("units", renamed))
    assert (third["changed"], third["unchanged"]) == (1, 5)


@pytest.mark.mechanism("DIR-13", "DIR-16")
async def test_people_come_in_once_and_what_goes_out_comes_in_again_unchanged(
    admin: Desk, officer: Desk, at_work: Runtime
) -> None:
    done = await imported(admin, "households", file("households", PEOPLE))
    assert (done["done"], done["created"], done["refused"]) == (4, 6, 0)
    assert (await officer.found("/units/unit_c1/markers"))["markers"]["disabled"] == 1
    again = await imported(admin, "households", file("households", PEOPLE, "csv"))
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 6)
    out = await officer.get("/exports/households", because="核对台账", form="csv")
    assert out.text.count("\n") == 5
    back = await imported(admin, "households", out.content)
    assert (back["created"], back["changed"], back["unchanged"]) == (0, 0, 6)
    moved = [row | {"door": "103"} if row.get("name") == "王小明" else row for row in PEOPLE]
    third = await imported(admin, "households", file("households", moved))
    assert (third["created"], third["changed"], third["unchanged"], third["refused"]) == (1, 2, 4, 0)
    assert (await admin.found("/register-figures"))["figures"]["residents"] == 3


async def test_a_file_leaves_what_a_worker_corrected_alone(admin: Desk, worker: Desk, at_work: Runtime) -> None:
    await imported(admin, "households", file("households", PEOPLE))
    found = await worker.done("/residents/search", {"name": "王小明", "because": "走访"})
    identity = {"name": "王晓明", "number": checked("11010119800612001"), "relation": "child"}
    await worker.done(f"/residents/{found['items'][0]['id']}/correct", {"identity": identity})
    again = await imported(admin, "households", file("households", PEOPLE))
    assert (again["changed"], again["unchanged"]) == (0, 6)
    kept = await worker.found(f"/residents/{found['items'][0]['id']}/identity", because="走访")
    assert kept["name"] == "王晓明"


async def test_the_same_request_twice_is_one_import(admin: Desk, at_work: Runtime) -> None:
    key, content = uuid4().hex, file("households", PEOPLE)
    first = await imported(admin, "households", content, key)
    again = await imported(admin, "households", content, key)
    assert first == again
    assert len((await admin.found("/imports"))["items"]) == 1


async def test_an_import_that_was_stopped_goes_on_where_it_was(
    admin: Desk, runtime: Runtime, at_work: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks after the rows of the second portion were written and before they were counted."""
    breaks = iter([False, True, False, False, False])
    counted = Outcome.advance

    def breaking(self: Outcome, portion: int, rows: int) -> Any:
        if next(breaks, False):
            raise AutoReconnect("broken")
        return counted(self, portion, rows)

    monkeypatch.setattr(Outcome, "advance", breaking)
    rows = [person(str(door), f"居民{door}") for door in range(101, 105)]
    monkeypatch.setattr("services.directory.intake.accept.cut", _one_each)
    done = await imported(admin, "households", file("households", rows))
    assert (done["rows"], done["done"], done["refused"]) == (4, 4, 0)
    figures = (await admin.found("/register-figures"))["figures"]
    assert (figures["households"], figures["residents"]) == (4, 4)
    assert await runtime.database.collection("import_portions").count({}) == 0


def _one_each(records: list[Any], rows_of: Any) -> list[list[Any]]:
    return [[record] for record in records]


async def test_rows_lie_sealed_while_they_wait(admin: Desk, runtime: Runtime) -> None:
    answer = await admin.upload("/imports?kind=households", file("households", PEOPLE))
    assert answer.status_code == 202
    waiting = await runtime.database.collection("import_portions").find({})
    assert waiting
    assert all(secret.encode() not in bytes(row["sealed"]) for row in waiting for secret in ("王秀英", "13912345678"))


@pytest.mark.mechanism("DIR-13")
async def test_a_tenancy_that_ends_asks_for_a_re_check_by_itself(
    admin: Desk, as_: Callers, runtime: Runtime, at_work: Runtime
) -> None:
    day = (runtime.clock.now() + timedelta(days=2)).date().isoformat()
    home = await household(admin, "301", tenure="rented", until=day)
    assert (await admin.found(f"/households/{home}"))["recheck"] is False
    await runtime.clock.advance(timedelta(days=4))

    async def due() -> list[Any]:
        return list((await admin.found("/households", recheck="true"))["items"])

    assert [one["id"] for one in await eventually(due)] == [home]
    await admin.done(f"/households/{home}/tenure", {"tenure": "permanent"})
    assert (await admin.found("/households", recheck="true"))["items"] == []
