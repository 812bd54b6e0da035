"""The demonstration's workbook holds the figures of the street's report, and the import's own check takes it."""

import io
from collections import Counter
from datetime import UTC, datetime

import openpyxl
import pytest

from deploy.local.demo_concerns import COMMUNITIES, HEADING, rows, workbook
from services.chassis.districts.units import UnitView
from services.complaints.workbook import Known, check
from tests.unit.complaints.given import RULES

YEAR = 2025
OUTCOME, CATEGORY, UNIT, RECORDED, SETTLED = 11, 4, 1, 2, 12


def view(unit: str) -> UnitView:
    path = ("unit_demo-d1", "unit_demo-s1", unit)
    return UnitView(
        id=unit, kind="community", name=f"{unit}社区", parent="unit_demo-s1", path=path, scope=path,
        zone="Asia/Shanghai", closed=False, capabilities=(), covers={}, kinds=("district", "street", "community"),
    )  # fmt: skip


KNOWN = Known(RULES, {unit: view(unit) for unit in COMMUNITIES}, "Asia/Shanghai")
MAY = datetime(YEAR, 5, 1, tzinfo=UTC)


def test_the_figures_of_the_report_are_in_the_file() -> None:
    made = list(rows(YEAR))
    closed = [row for row in made if row[OUTCOME]]
    by_category = Counter(row[CATEGORY] for row in closed)
    solved = Counter(row[CATEGORY] for row in closed if row[OUTCOME] == "已解决")
    assert len(made) == 1_869 and len(closed) == 1_594 and len(made) - len(closed) == 275
    assert solved["物业突出问题"] == by_category["物业突出问题"] == 58
    assert solved["居民矛盾纠纷"] == by_category["居民矛盾纠纷"] == 398
    assert {row[UNIT] for row in made} == set(COMMUNITIES)


def test_everything_lies_between_new_year_and_the_end_of_april() -> None:
    for row in rows(YEAR):
        assert datetime(YEAR, 1, 1) <= row[RECORDED] < datetime(YEAR, 5, 1)  # type: ignore[operator]
        if row[SETTLED]:
            assert row[RECORDED] < row[SETTLED] < datetime(YEAR, 5, 1)  # type: ignore[operator]


def test_the_same_year_gives_the_same_rows() -> None:
    assert list(rows(YEAR)) == list(rows(YEAR)) != list(rows(YEAR + 1))


def test_the_import_finds_no_fault_in_it() -> None:
    checked = check(workbook(YEAR), KNOWN, MAY)
    assert checked.errors == [] and len(checked.rows) == 1_869


@pytest.mark.mechanism("CMP-01")
def test_a_view_with_a_reporter_is_told_by_its_cell() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    first, *_ = rows(YEAR)
    sheet.append(HEADING)
    sheet.append([*first[:3], "民意", "政策咨询", *first[5:8], "张三", None, None, None, None, None])
    sheet.append([first[0], "unit_elsewhere", *first[2:]])
    made = io.BytesIO()
    book.save(made)
    errors = {(error.cell, error.code) for error in check(made.getvalue(), KNOWN, MAY).errors}
    assert errors == {("I2", "view-names-person"), ("B3", "cell-not-in-list")}
