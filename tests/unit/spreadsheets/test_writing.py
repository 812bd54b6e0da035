"""What is written reads back the same, and no cell that leaves here is a formula."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any, Literal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.files.cells import choice, day, fen, moment, phone, whole, yes_no
from services.chassis.files.spreadsheets import Column, read_table, write_table

COLUMNS = (
    Column("姓名", "Name", "name"),
    Column("年龄", "Age", "age", parse=whole(-10**9)),
    Column("金额（元）", "Amount", "paid", parse=fen),
    Column("日期", "Day", "since", parse=day),
    Column("时间", "Time", "at", parse=moment("Asia/Shanghai")),
    Column("电话", "Phone", "phone", parse=phone),
    Column("产权", "Tenure", "tenure", parse=choice({"owned": ("自有", "owned"), "rented": ("租住", "rented")})),
    Column("党员", "Party member", "party", parse=yes_no),
)
FORMS: list[Literal["xlsx", "csv"]] = ["xlsx", "csv"]
LANGUAGES: list[Literal["zh", "en"]] = ["zh", "en"]


@pytest.mark.parametrize("dangerous", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "-"])
def test_a_text_that_looks_like_a_formula_is_written_as_text(dangerous: str) -> None:
    column = (Column("备注", "Note", "note"),)
    made = write_table(column, [{"note": dangerous}])
    cell = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (dangerous, "s", True)
    lines = write_table(column, [{"note": dangerous}], form="csv").decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(lines)))[1] == [f"'{dangerous}"]
    for form in FORMS:
        made = write_table(column, [{"note": dangerous}], form=form)
        assert [row.values["note"] for row in read_table(made, column).rows] == [dangerous]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_value_reads_back_the_same(form: Any, language: Any) -> None:
    rows = [
        {
            "name": "买买提·艾力",
            "age": -7,
            "paid": 120_050,
            "since": date(2024, 2, 29),
            "at": datetime(2024, 2, 29, 16, 5, 6, tzinfo=UTC),
            "phone": "+8613800138000",
            "tenure": "rented",
            "party": False,
        },
        {"name": "=某人", "phone": "+85223456789"},
    ]
    table = read_table(write_table(COLUMNS, rows, form=form, language=language), COLUMNS)
    assert table.errors == []
    assert [row.values for row in table.rows] == [dict.fromkeys(rows[0]) | row for row in rows]


PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).map(str.strip).filter(bool)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(PRINTABLE, st.integers(-10**9, 10**9)), min_size=1, max_size=5), st.sampled_from(FORMS))
def test_any_text_and_number_survives_the_way_out_and_back(pairs: list[tuple[str, int]], form: Any) -> None:
    rows = [{"name": name, "age": age} for name, age in pairs]
    table = read_table(write_table(COLUMNS[:2], rows, form=form), COLUMNS[:2])
    assert [row.values for row in table.rows] == rows
