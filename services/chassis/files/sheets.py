"""The rows of an Excel or CSV file, whoever made it: bounded in every direction, and refused when it is a trap."""

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from openpyxl.utils.exceptions import InvalidFileException

from services.chassis.errors import Invalid
from services.chassis.files.cells import CellFault, Plain
from services.chassis.files.excel import excel_rows

warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
SMALL = 20_000_000  # bytes unpacked below which the ratio says nothing
ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Those that a spreadsheet program in a Chinese office takes for the same are no better.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_DOCTYPE = b"<!DOCTYPE"
# What a broken or hostile file makes the parser raise.
BROKEN = (
    ArithmeticError, AttributeError, EOFError, InvalidFileException, LookupError, NotImplementedError, OSError,
    RuntimeError, TypeError, ValueError, ExpatError, ParseError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """How much a file may hold."""

    file: int = 30_000_000  # bytes
    unpacked: int = 300_000_000  # bytes of all parts of an .xlsx together
    ratio: int = 150  # unpacked to packed
    parts: int = 500
    rows: int = 100_000
    columns: int = 100
    cell: int = 2_000  # characters
    errors: int = 500  # reported; reading ends there


Cells = Sequence[Plain | CellFault]


def rows_of(content: bytes, limits: Limits) -> Iterator[tuple[int, Cells]]:
    """Row number (from 1) and cells of the first sheet; rows may be shorter or longer than the heading.

    A cell that must not be read (a formula, an error, too long) is a CellFault in its place. Raises Invalid with
    ``file-empty``, ``file-too-large``, ``file-old-excel``, ``file-unpacks-too-large``, ``file-not-a-spreadsheet``,
    ``file-encoding`` and ``rows-too-many``.
    """
    if not content.strip():
        raise Invalid("file-empty")
    if len(content) > limits.file:
        raise Invalid("file-too-large", limit=limits.file)
    if content.startswith(OLD_EXCEL):
        raise Invalid("file-old-excel")
    rows = _excel_rows(content, limits) if content.startswith(ZIP) else _csv_rows(content, limits)
    for number, cells in rows:
        if number > limits.rows and any(cell is not None for cell in cells):
            raise Invalid("rows-too-many", limit=limits.rows)
        yield number, cells


def _excel_rows(content: bytes, limits: Limits) -> Iterator[tuple[int, Cells]]:
    _refuse_bombs(content, limits)
    try:
        for number, row in excel_rows(content, limits.columns):
            yield number, [_text_cell(cell, limits) if type(cell) is str else cell for cell in row]
    except BROKEN:
        raise Invalid("file-not-a-spreadsheet") from None


def _refuse_bombs(content: bytes, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > limits.parts or unpacked > limits.unpacked:
                raise Invalid("file-unpacks-too-large", limit=limits.unpacked)
            if unpacked > max(SMALL, len(content) * limits.ratio):
                raise Invalid("file-unpacks-too-large", limit=limits.unpacked)
            if any(_DOCTYPE in archive.open(part).read(2_000).upper() for part in parts):
                raise Invalid("file-not-a-spreadsheet")
    except BROKEN:
        raise Invalid("file-not-a-spreadsheet") from None


def _text_cell(value: str, limits: Limits) -> Plain | CellFault:
    if len(value) > limits.cell:
        return CellFault("cell-too-long", limit=limits.cell)
    return None if not value or value.isspace() else value


def _csv_rows(content: bytes, limits: Limits) -> Iterator[tuple[int, Cells]]:
    text = _decoded(content)
    csv.field_size_limit(limits.file)
    heading = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",;\t", key=heading.count)
    try:
        lines = _bounded(io.StringIO(text, newline=""), delimiter, limits)
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
            yield number, [_csv_cell(value, limits) for value in row[: limits.columns + 1]]
    except csv.Error:
        raise Invalid("file-not-a-spreadsheet") from None


def _bounded(lines: Iterable[str], delimiter: str, limits: Limits) -> Iterator[str]:
    """Refuse a line with more columns than its cells could explain before they are made."""
    for line in lines:
        if line.count(delimiter) > limits.columns * limits.cell:
            raise Invalid("columns-too-many", limit=limits.columns)
        yield line


def _csv_cell(value: str, limits: Limits) -> Plain | CellFault:
    if value.startswith(("=", "＝")):
        return CellFault("cell-formula")
    if value.startswith("'") and value[1:].startswith(FORMULA_STARTS):
        value = value[1:]
    return _text_cell(value, limits)


def _decoded(content: bytes) -> str:
    if b"\x00" in content:
        raise Invalid("file-not-a-spreadsheet")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("file-encoding")
