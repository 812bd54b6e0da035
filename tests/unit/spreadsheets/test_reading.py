"""A file is read as people write it; what is wrong is told by cell, and a trap is refused before it opens."""

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest

from services.chassis.errors import Invalid
from services.chassis.files.cells import CellFault, choice, day, fen, moment, phone, text, whole, yes_no
from services.chassis.files.sheets import Limits
from services.chassis.files.spreadsheets import Column, read_table

NAME = Column("姓名", "Name", "name", required=True)
AGE = Column("年龄", "Age", "age", parse=whole(0, 150))
PAID = Column("金额（元）", "Amount", "paid", parse=fen)
SINCE = Column("入住日期", "Since", "since", parse=day)
TENURE = Column("产权", "Tenure", "tenure", parse=choice({"owned": ("自有", "owned"), "rented": ("租住", "rented")}))


def excel(*rows: list[Any], change: Any = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if change:
        change(sheet)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def plain(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(lines).encode(encoding)


def faults(content: bytes, *columns: Column, limits: Limits | None = None) -> list[tuple[str, str]]:
    return [(error.cell, error.code) for error in read_table(content, columns, limits).errors]


def refused(content: bytes, *columns: Column, limits: Limits | None = None) -> str:
    with pytest.raises(Invalid) as told:
        read_table(content, columns or (NAME,), limits)
    return told.value.code


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 40_000_000)
    assert len(bomb.getvalue()) < 100_000
    assert refused(bomb.getvalue()) == "file-unpacks-too-large"


def test_a_file_of_very_many_parts_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(501):
            archive.writestr(str(number), b"")
    assert refused(made.getvalue()) == "file-unpacks-too-large"


def test_a_document_type_is_refused_since_it_may_expand() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    assert refused(made.getvalue()) == "file-not-a-spreadsheet"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-empty"),
        (b" \r\n ", "file-empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "file-old-excel"),
        (b"PK\x03\x04 no archive at all", "file-not-a-spreadsheet"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "file-not-a-spreadsheet"),
        (b"\xff\xff\xff\xfe\xfe", "file-encoding"),
        (plain("什么", "都", "没有"), "heading-missing"),
    ],
)
def test_what_is_no_spreadsheet_is_named(content: bytes, code: str) -> None:
    assert refused(content) == code


def test_a_file_cut_short_is_no_spreadsheet() -> None:
    whole_file = excel(["姓名"], ["某人"])
    assert refused(whole_file[: len(whole_file) // 2]) == "file-not-a-spreadsheet"


def test_too_large_a_file_and_too_many_rows_or_columns_are_refused() -> None:
    small = Limits(file=100_000, rows=3, columns=2)
    assert refused(b"x" * 100_001, limits=small) == "file-too-large"
    assert refused(plain("姓名", "a", "b", "c"), limits=small) == "rows-too-many"
    assert refused(excel(["姓名"], ["a"], ["b"], ["c"]), limits=small) == "rows-too-many"
    assert refused(plain("姓名,年龄,别的"), NAME, AGE, limits=small) == "columns-too-many"


def test_empty_rows_far_below_count_for_nothing() -> None:
    def stretch(sheet: Any) -> None:
        sheet.cell(row=5000, column=1).value = None
        sheet.cell(row=5000, column=1).number_format = "0"

    table = read_table(excel(["姓名"], ["某人"], change=stretch), [NAME], Limits(rows=10))
    assert [row.number for row in table.rows] == [2]


def test_a_formula_is_refused_in_its_cell_and_never_read() -> None:
    assert faults(excel(["姓名"], ["=1+1"], ["某人"]), NAME) == [("A2", "cell-formula")]
    assert faults(plain("姓名", '"=HYPERLINK(1)"', "某人"), NAME) == [("A2", "cell-formula")]


def test_each_fault_is_told_by_cell_in_both_languages_and_without_what_was_typed() -> None:
    content = excel(["姓名", "年龄", "产权"], ["", "七十", "自有"], ["某人", 200, "偷来的"])
    table = read_table(content, [NAME, AGE, TENURE])
    assert [error.as_dict() for error in table.errors] == [
        {"cell": "A2", "column": "姓名", "code": "cell-required", "zh": "此项必填", "en": "This must be filled in"},
        {"cell": "B2", "column": "年龄", "code": "cell-not-whole", "zh": "应为整数", "en": "A whole number is needed"},
        {
            "cell": "B3",
            "column": "年龄",
            "code": "cell-out-of-range",
            "zh": "应在 0 到 150 之间",
            "en": "It must lie between 0 and 150",
        },
        {
            "cell": "C3",
            "column": "产权",
            "code": "cell-not-in-list",
            "zh": "应为以下之一：自有、租住",
            "en": "It must be one of: owned, rented",
        },
    ]
    assert table.rows == []


def test_a_missing_a_doubled_and_an_unknown_column_are_told_at_the_heading() -> None:
    assert faults(plain("年龄,年龄,备注", "1,2,3"), NAME, AGE) == [
        ("B1", "column-twice"), ("C1", "column-unknown"), ("D1", "column-missing"),
    ]  # fmt: skip


def test_reading_ends_when_nearly_every_cell_is_wrong() -> None:
    table = read_table(plain("年龄", *["x"] * 50), [AGE], Limits(errors=10))
    assert (len(table.errors), table.cut) == (10, True)


def test_long_numbers_that_a_spreadsheet_has_rounded_are_refused() -> None:
    assert faults(excel(["姓名"], [110101199003071234]), NAME) == [("A2", "cell-digits-lost")]
    assert read_table(excel(["姓名"], ["110101199003071234"]), [NAME]).rows[0].values["name"] == "110101199003071234"


def test_a_cell_that_is_too_long_or_cannot_be_stored_is_refused() -> None:
    assert faults(plain("姓名", "x" * 30), NAME, limits=Limits(cell=20)) == [("A2", "cell-too-long")]
    assert faults(plain("姓名", "a\x07b"), NAME) == [("A2", "cell-bad-character")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_the_encodings_and_with_the_separators_that_offices_use(encoding: str, delimiter: str) -> None:
    content = plain(delimiter.join(["姓名", "年龄"]), delimiter.join(["欧阳㐂", "70"]), encoding=encoding)
    assert [row.values for row in read_table(content, [NAME, AGE]).rows] == [{"name": "欧阳㐂", "age": 70}]


def test_the_heading_may_stand_below_a_title_and_be_marked_or_english() -> None:
    content = excel(["某社区居民登记表"], [], ["Name *", " 年龄 ："], ["某人", 7], [None, None], ["他人", 8])
    table = read_table(content, [NAME, AGE])
    read = [(row.number, row.values["name"], row.values["age"]) for row in table.rows]
    assert read == [(4, "某人", 7), (6, "他人", 8)]


def test_a_column_that_is_not_there_gives_no_value() -> None:
    assert read_table(plain("姓名", "某人"), [NAME, AGE]).rows[0].values == {"name": "某人", "age": None}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (datetime(2024, 3, 1), date(2024, 3, 1)),
        ("2024-3-1", date(2024, 3, 1)),
        ("2024/03/01", date(2024, 3, 1)),
        ("2024.3.1", date(2024, 3, 1)),
        ("2024年3月1日", date(2024, 3, 1)),
        ("２０２４０３０１", date(2024, 3, 1)),
        (20240301, date(2024, 3, 1)),
    ],
)
def test_days_are_read_as_people_write_them(written: Any, value: date) -> None:
    assert day(written) == value


@pytest.mark.parametrize("written", ["2024-02-30", "03/01/2024", "20241301", "0024-01-01", 7, "昨天"])
def test_what_is_no_day_is_refused(written: Any) -> None:
    with pytest.raises(CellFault, match="cell-not-a-day"):
        day(written)


def test_an_instant_is_local_in_the_cell_and_utc_as_a_value() -> None:
    here = moment("Asia/Shanghai")
    expected = datetime(2024, 3, 1, 1, 30, tzinfo=UTC)
    assert here("2024-03-01 09:30") == expected
    assert here("2024年3月1日 9：30：00") == expected
    assert here(datetime(2024, 3, 1, 9, 29, 59, 999_600)) == expected
    assert here("2024-03-01") == datetime(2024, 2, 29, 16, tzinfo=UTC)
    with pytest.raises(CellFault, match="cell-not-a-moment"):
        here("2024-03-01 25:00")


@pytest.mark.parametrize(
    ("written", "value"), [("12.5", 1250), (12.1, 1210), (0.1 + 0.2, 30), ("¥1,200元", 120_000), (-3, -300)]
)
def test_money_is_whole_fen(written: Any, value: int) -> None:
    assert fen(written) == value


@pytest.mark.parametrize("written", ["1.234", "很多", "NaN", "1e999", ""])
def test_what_is_no_money_is_refused(written: Any) -> None:
    with pytest.raises(CellFault, match="cell-not-money"):
        fen(written)


def test_phones_words_and_numbers_in_their_usual_dress() -> None:
    assert phone(13800138000) == "+8613800138000"
    assert phone("（010）6552-9988") == "+861065529988"
    with pytest.raises(CellFault, match="phone-malformed"):
        phone("12")
    assert [yes_no(word) for word in ("是", "√", 1, "No", "无")] == [True, True, True, False, False]
    assert TENURE.parse(" OWNED ") == "owned"
    assert whole(0, 5000)("１,２00") == 1200
    assert text(12.0) == "12"
    assert text(datetime(2024, 1, 2)) == "2024-01-02"
