"""Files made to harm whoever opens them: none is unpacked, expanded or calculated, and what leaves here is harmless.

Each trap is a real file with one part replaced.
"""

import csv
import io
import struct
import tracemalloc
import zipfile
from typing import Any, Literal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import Invalid
from services.chassis.files.excel import LAST_COLUMN
from services.chassis.files.sheets import FORMULA_STARTS, Limits, rows_of
from services.chassis.files.spreadsheets import Column, read_table, write_table

NAME = Column("姓名", "Name", "name")
NOTE = Column("备注", "Note", "note")
SHEET, STYLES, TEXTS, BOOK = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
KINDS = "[Content_Types].xml"
TOLD = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def excel(*rows: list[Any], parts: dict[str, bytes] | None = None) -> bytes:
    """A real file, with some of its parts replaced."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows or (["姓名"], ["某人"]):
        sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    return replaced(made.getvalue(), parts or {})


def replaced(content: bytes, parts: dict[str, bytes]) -> bytes:
    """The same file with these parts; one of shared texts is told in the list of parts, else nobody would read it."""
    made = io.BytesIO()
    if TEXTS in parts:
        kinds = part(content, KINDS).replace(b"</Types>", TOLD + b"</Types>")
        parts = {KINDS: kinds, **parts}
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in [*old.namelist(), *(parts.keys() - set(old.namelist()))]:
            new.writestr(name, parts[name] if name in parts else old.read(name))
    return made.getvalue()


def part(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


def sheet_of(rows: str) -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def refused(content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Invalid) as told:
        read_table(content, [NAME], limits)
    return told.value.code


LAUGHS = "<!DOCTYPE x [<!ENTITY a 'haha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
) + "]>"
OUTSIDE = [
    "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    "<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'>",
    "<!DOCTYPE x [<!ENTITY % a SYSTEM 'http://127.0.0.1:1/x.dtd'> %a;]>",
]


@pytest.mark.parametrize("declared", [LAUGHS, *OUTSIDE], ids=["laughs", "file", "dtd", "parameter"])
@pytest.mark.parametrize("name", [SHEET, STYLES, TEXTS, BOOK, KINDS, "xl/_rels/workbook.xml.rels"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_expands_or_reaches_outside_is_refused_in_every_part_and_encoding(
    declared: str, name: str, encoding: str
) -> None:
    whole = excel()
    own = part(whole, name).decode("utf-8") if name in zipfile.ZipFile(io.BytesIO(whole)).namelist() else "<sst/>"
    own = own[own.index("?>") + 2 :] if own.startswith("<?xml") else own
    late = " " * 3_000  # a glance at the beginning does not find it
    trap = f'<?xml version="1.0" encoding="{encoding}"?><!--{late}-->{declared}{own}'
    assert refused(replaced(whole, {name: trap.encode(encoding)})) == "file-not-a-spreadsheet"


@pytest.mark.parametrize("name", [SHEET, STYLES, TEXTS, BOOK])
def test_elements_nested_without_end_are_refused_before_they_fill_the_memory(name: str) -> None:
    deep = b"<x>" * 3_000_000
    small = Limits(ratio=10**6)
    tracemalloc.start()
    try:
        assert refused(replaced(excel(), {name: deep}), small) == "file-not-a-spreadsheet"
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_cells_far_to_the_right_make_no_row_longer_than_is_read() -> None:
    rows = '<row r="1"><c r="A1" t="str"><v>姓名</v></c></row>'
    rows += "".join(
        f'<row r="{n}"><c r="A{n}" t="str"><v>x</v></c><c r="XFD{n}"><v>1</v></c></row>' for n in range(2, 3000)
    )
    longest = max(len(cells) for _, cells in rows_of(excel(parts={SHEET: sheet_of(rows)}), Limits()))
    assert longest == Limits().columns + 1
    assert len(read_table(excel(parts={SHEET: sheet_of(rows)}), [NAME]).rows) == 2998


@pytest.mark.parametrize("place", ["CW1", "ZZ1", "XFD1"])
def test_a_heading_far_to_the_right_is_one_column_too_many(place: str) -> None:
    row = f'<row r="1"><c r="A1" t="str"><v>姓名</v></c><c r="{place}" t="str"><v>别的</v></c></row>'
    assert refused(excel(parts={SHEET: sheet_of(row)})) == "columns-too-many"


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1"><c r="XFE1"><v>1</v></c></row>',
        '<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>',
        '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="B1"><v>1</v></c><c r="B1"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="99999999999"><c r="A1"><v>1</v></c></row>',
        '<row r="-1"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="1"><c r="A1"><v>1e999999</v></c></row><row r="x"/>',
        f'<row r="1"><c r="A1"><v>{"9" * 5000}</v></c></row>',
        '<row r="1"><c r="A1" s="99999999"><v>1</v></c></row><row r="1"/>',
    ],
    ids=lambda row: row[:60],
)
def test_what_no_spreadsheet_program_writes_is_refused(row: str) -> None:
    assert refused(excel(parts={SHEET: sheet_of(row)})) in ("file-not-a-spreadsheet", "heading-missing")


def test_a_line_of_millions_of_columns_is_refused_before_they_are_made() -> None:
    tracemalloc.start()
    try:
        assert refused("姓名".encode() + b"," * 5_000_000 + b"\nx") == "columns-too-many"
        assert tracemalloc.get_traced_memory()[1] < 80_000_000, "the text alone takes 65 million bytes"
    finally:
        tracemalloc.stop()


def test_a_size_that_lies_opens_no_more_than_it_says() -> None:
    """The directory says ten bytes; forty million come out."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(BOOK, b"0" * 40_000_000)
    content = bytearray(made.getvalue())
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.index(mark) + place
        content[at : at + 4] = struct.pack("<I", 10)
    assert refused(bytes(content)) == "file-not-a-spreadsheet"


def test_the_same_bytes_under_many_names_count_each_time() -> None:
    whole = excel()
    copies = {f"xl/copy{number}.xml": b"<x>" + b" " * 900_000 + b"</x>" for number in range(300)}
    assert refused(replaced(whole, copies)) == "file-unpacks-too-large"


@pytest.mark.parametrize("name", ["../../../../tmp/outside", "/etc/outside", "C:\\outside", "a\x00b"])
def test_a_part_is_never_written_anywhere_whatever_its_name(name: str) -> None:
    content = replaced(excel(), {name: b"x"})
    assert [row.values["name"] for row in read_table(content, [NAME]).rows] == ["某人"]


FORMULAS = [
    '<c r="A2"><f>1+1</f><v>2</v></c>',
    '<c r="A2" t="str"><f>CONCATENATE("a","b")</f><v>ab</v></c>',
    '<c r="A2"><f t="shared" ref="A2:A9" si="0">1+1</f><v>2</v></c>',
    '<c r="A2"><f t="shared" si="0"/><v>2</v></c>',
    '<c r="A2"><f t="array" ref="A2">SUM(1)</f><v>1</v></c>',
    '<c r="A2" t="str"><f>HYPERLINK("http://127.0.0.1:1/"&amp;A1)</f><v>x</v></c>',
    '<c r="A2" t="str"><f>cmd|\'/c calc\'!A0</f><v>x</v></c>',
    '<c r="A2"><v>2</v><f>1+1</f></c>',
]


@pytest.mark.parametrize("cell", FORMULAS, ids=lambda cell: cell[:40])
def test_no_formula_is_read_however_it_is_written(cell: str) -> None:
    rows = f'<row r="1"><c r="A1" t="str"><v>姓名</v></c></row><row r="2">{cell}</row>'
    table = read_table(excel(parts={SHEET: sheet_of(rows)}), [NAME])
    assert [(error.cell, error.code) for error in table.errors] == [("A2", "cell-formula")]
    assert table.rows == []


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_that_looks_like_a_formula_is_a_text_or_is_refused(start: str) -> None:
    said = f"{start}1+1"
    content = excel(["姓名"], ["x"], parts={SHEET: sheet_of(
        '<row r="1"><c r="A1" t="str"><v>姓名</v></c></row>'
        f'<row r="2"><c r="A2" t="str"><v>{said.replace(chr(13), "&#13;")}</v></c></row>'
    )})  # fmt: skip
    assert [row.values["name"] for row in read_table(content, [NAME]).rows] == [said.strip()]
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows([["姓名"], [said]])
    table = read_table(lines.getvalue().encode(), [NAME])
    if start in "=＝":
        assert [(error.cell, error.code) for error in table.errors] == [("A2", "cell-formula")]
    else:
        assert [row.values["name"] for row in table.rows] == [said.strip()]


FORMS: list[Literal["xlsx", "csv"]] = ["xlsx", "csv"]
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMULA_STARTS), ANY, st.sampled_from(FORMS))
def test_nothing_that_leaves_is_a_formula(start: str, rest: str, form: Literal["xlsx", "csv"]) -> None:
    made = write_table([NOTE], [{"note": start + rest}], form=form)
    if form == "csv":
        _, *lines = csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""))
        assert not any(cell.startswith(FORMULA_STARTS) for line in lines for cell in line)
    else:
        cell = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]["A2"]
        assert cell.data_type in ("s", "n") and not (cell.data_type == "n" and cell.value is not None)


def test_the_last_column_is_that_of_the_programs() -> None:
    assert openpyxl.utils.get_column_letter(LAST_COLUMN) == "XFD"
