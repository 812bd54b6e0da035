"""Excel and CSV in and out: declared columns, typed rows, and errors by cell in plain words.

Reading and writing keep one core busy, for about a second in 20,000 rows of ten columns. A service calls them with
``asyncio.to_thread``.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from services.chassis.errors import Invalid
from services.chassis.files.cells import FAULTS, CellFault, Kind, Plain, text
from services.chassis.files.sheets import FORMULA_STARTS, Cells, Limits, rows_of

HEADING_WITHIN = 5  # rows: a title and a note may stand above the heading
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
AS_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FILE_SENT: dict[str, Any] = {"requestBody": {"required": True, "content": {EXCEL: AS_FILE, "text/csv": AS_FILE}}}
FILE_TOLD: dict[int | str, dict[str, Any]] = {200: {"content": {EXCEL: AS_FILE, "text/csv": AS_FILE}}}
"""What OpenAPI says of a route whose body, or whose answer, is a file."""
_MARKS = re.compile(r"[\s*:]+")


@dataclass(frozen=True)
class Column:
    """One declared column. ``parse`` turns a cell into a value and raises CellFault; see ``cells`` for ready ones."""

    name_zh: str
    name_en: str
    key: str
    required: bool = False
    parse: Callable[[Plain], Any] = text
    show: Callable[[Any, str], Plain] | None = None  # value and language to a cell; else that of ``parse``

    def shown(self, value: Any, language: str) -> Plain:
        """The value as it stands in a cell."""
        if self.show is not None:
            return self.show(value, language)
        return self.parse.show(value, language) if isinstance(self.parse, Kind) else value


@dataclass(frozen=True)
class CellError:
    """What is wrong in one cell, in plain words; never what stands in it."""

    cell: str  # for example C17
    column: str  # its Chinese name; "" when it has none
    code: str
    zh: str
    en: str

    def as_dict(self) -> dict[str, str]:
        """For an answer."""
        return {"cell": self.cell, "column": self.column, "code": self.code, "zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class Row:
    """One row without faults: its number in the sheet, and a value for every declared key (None when empty)."""

    number: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A file read to its end. ``cut`` tells that there were more errors than are reported."""

    rows: list[Row]
    errors: list[CellError]
    cut: bool


@dataclass
class Reading:
    """A file being read: iterate for the rows without faults, then look at ``errors``."""

    content: bytes
    columns: Sequence[Column]
    limits: Limits = field(default_factory=Limits)
    errors: list[CellError] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)  # key to column, from 0; known once the heading was read
    cut: bool = False

    def __iter__(self) -> Iterator[Row]:
        """Rows in order; empty ones are passed over. Raises Invalid for a file that cannot be read at all."""
        rows = rows_of(self.content, self.limits)
        self._read_heading(rows)
        declared = [(column, self.places[column.key]) for column in self.columns if column.key in self.places]
        for number, cells in rows:
            if all(cell is None for cell in cells):
                continue
            before = len(self.errors)
            values = {column.key: self._value(column, place, number, cells) for column, place in declared}
            if len(self.errors) >= self.limits.errors:
                self.cut = True
                return
            if len(self.errors) == before:
                yield Row(number, dict.fromkeys(column.key for column in self.columns) | values)

    def _read_heading(self, rows: Iterator[tuple[int, Cells]]) -> None:
        names = {_plain(name): column for column in self.columns for name in (column.name_zh, column.name_en)}
        for number, cells in rows:
            words = [_plain(cell) if isinstance(cell, str) else "" for cell in cells]
            if any(word in names for word in words):
                self._take_heading(number, words, names)
                return
            if number >= HEADING_WITHIN:
                break
        raise Invalid("heading-missing")

    def _take_heading(self, number: int, words: list[str], names: dict[str, Column]) -> None:
        if len(words) > self.limits.columns and words[self.limits.columns]:
            raise Invalid("columns-too-many", limit=self.limits.columns)
        for place, word in enumerate(words):
            column = names.get(word)
            if column is None:
                if word:
                    self._fault(number, place, None, CellFault("column-unknown"))
            elif column.key in self.places:
                self._fault(number, place, column, CellFault("column-twice"))
            else:
                self.places[column.key] = place
        for column in self.columns:
            if column.required and column.key not in self.places:
                self._fault(number, len(words), column, CellFault("column-missing"))

    def _value(self, column: Column, place: int, number: int, cells: Cells) -> Any:
        cell = cells[place] if place < len(cells) else None
        try:
            if isinstance(cell, CellFault):
                raise cell
            if cell is not None:
                return column.parse(cell)
            if column.required:
                raise CellFault("cell-required")
        except CellFault as fault:
            self._fault(number, place, column, fault)
        return None

    def _fault(self, number: int, place: int, column: Column | None, fault: CellFault) -> None:
        zh, en = FAULTS.get(fault.code, FAULTS["cell-malformed"])
        cell = f"{get_column_letter(place + 1)}{number}"
        name = column.name_zh if column else ""
        self.errors.append(CellError(cell, name, fault.code, zh.format(**fault.params), en.format(**fault.params)))


def read_table(content: bytes, columns: Sequence[Column], limits: Limits | None = None) -> Table:
    """Read a whole .xlsx or .csv file. Raises Invalid for a file that cannot be read at all."""
    reading = Reading(content, columns, limits or Limits())
    rows = list(reading)
    return Table(rows, reading.errors, reading.cut)


def write_table(
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    *,
    form: Literal["xlsx", "csv"] = "xlsx",
    language: Literal["zh", "en"] = "zh",
) -> bytes:
    """A file with the declared columns, which ``read_table`` reads back to the same values.

    No cell is a formula, whatever stands in it.
    """
    heading = [column.name_zh if language == "zh" else column.name_en for column in columns]
    lines = ([_printable(column.shown(row.get(column.key), language)) for column in columns] for row in rows)
    return _csv(heading, lines) if form == "csv" else _excel(heading, lines)


def _plain(name: str) -> str:
    """A heading without marks such as ``*``."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _printable(value: Plain) -> Plain:
    return ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value


def _excel(heading: list[str], lines: Iterable[list[Plain]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet: Any = book.create_sheet("Linli")
    sheet.freeze_panes = "A2"
    for place, name in enumerate(heading, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = max(10, len(name.encode("gb18030")) + 4)
    sheet.append([_bold(sheet, name) for name in heading])
    for line in lines:
        sheet.append([_harmless(sheet, value) for value in line])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _bold(sheet: Any, name: str) -> Any:
    cell = WriteOnlyCell(sheet, name)
    cell.font = Font(bold=True)
    return cell


def _harmless(sheet: Any, value: Plain) -> Any:
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    cell.quotePrefix = True  # stays text when somebody edits the cell
    return cell


def _csv(heading: list[str], lines: Iterable[list[Plain]]) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(heading)
    for line in lines:
        writer.writerow([_csv_value(value) for value in line])
    return made.getvalue().encode("utf-8-sig")


def _csv_value(value: Plain) -> Plain:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else value
