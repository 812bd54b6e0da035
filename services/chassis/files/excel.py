"""The cells of an .xlsx file, about three times as fast as openpyxl reads them.

openpyxl opens the package and knows its styles (which numbers are dates); the two large parts, the shared texts and
the sheet, are streamed through expat here.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import IO, Any
from xml.parsers import expat

from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.xml.constants import SHARED_STRINGS

from services.chassis.files.cells import CellFault, Plain

BLOCK = 1 << 16  # bytes fed at a time
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384  # of any sheet
DEEPEST = 64  # elements within one another; a sheet has ten
DIGITS = "0123456789"
Cell = Plain | CellFault


class NotExcel(ValueError):
    """The package holds what no spreadsheet program writes."""


def excel_rows(content: bytes, most_columns: int = LAST_COLUMN) -> Iterator[tuple[int, list[Cell]]]:
    """Row number (from 1) and cells, from column A on, of the first sheet; rows without cells are left out.

    Of what stands beyond ``most_columns`` only the first cell of a row is given, in the column after the last.
    Formulas and calculation errors are CellFaults. Raises NotExcel, and whatever openpyxl and expat raise on a
    broken package.
    """
    book = ExcelReader(io.BytesIO(content), read_only=True, keep_links=False)
    with book.archive:
        _refuse_traps(book)
        book.read_manifest()
        book.read_workbook()
        apply_stylesheet(book.archive, book.wb)
        texts = _shared_texts(book, book.package)
        for _, place in book.parser.find_sheets():
            if "chartsheet" not in place.Type:
                with book.archive.open(place.target) as part:
                    yield from _SheetReader(texts, book.wb, most_columns).rows(part)
                return
    raise NotExcel("no sheet")


def _refuse_traps(book: Any) -> None:
    """Look through every part that openpyxl reads whole: what expands, or nests without end, is refused unread."""
    for part in book.archive.infolist():
        is_streamed = "worksheets/" in part.filename or "sharedStrings" in part.filename
        if part.filename.lower().endswith((".xml", ".rels")) and not is_streamed:
            with book.archive.open(part) as stream:
                for _ in _Inspector().parse(stream):
                    pass


def _shared_texts(book: Any, package: Manifest) -> list[str]:
    part = package.find(SHARED_STRINGS)
    if part is None:
        return []
    with book.archive.open(part.PartName[1:]) as stream:
        return _TextReader().texts(stream)


class _Names(dict[str, str]):
    """Element names without their prefix: each producer has its own."""

    def __missing__(self, name: str) -> str:
        self[name] = name.rpartition(":")[2]
        return self[name]


class _Reader(ABC):
    """Collects the text of ``t`` (and ``v``) elements; pronunciation hints are no text."""

    collected = frozenset({"t"})

    def __init__(self) -> None:
        self.names = _Names()
        self.text: list[str] = []
        self.collecting = False
        self.hints = 0
        self.depth = 0

    def parse(self, stream: IO[bytes]) -> Iterator[None]:
        """Feed the stream; yields after each block."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.StartDoctypeDeclHandler = self.doctype
        while block := stream.read(BLOCK):
            parser.Parse(block)
            yield
        parser.Parse(b"", True)
        yield

    def doctype(self, *_: Any) -> None:
        raise NotExcel("a document type")

    def characters(self, data: str) -> None:
        if self.collecting and not self.hints:
            self.text.append(data)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotExcel("elements without end")
        name = self.names[name]
        if name in self.collected:
            self.collecting = True
        elif name == "rPh":
            self.hints += 1
        else:
            self.opened(name, attributes)

    def end(self, name: str) -> None:
        self.depth -= 1
        name = self.names[name]
        if name in self.collected:
            self.collecting = False
        elif name == "rPh":
            self.hints -= 1
        else:
            self.closed(name)

    @abstractmethod
    def opened(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    @abstractmethod
    def closed(self, name: str) -> None:
        """An element ends."""


class _Inspector(_Reader):
    """Reads nothing; it only refuses."""

    collected = frozenset()

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        pass

    def closed(self, name: str) -> None:
        pass


class _TextReader(_Reader):
    """``sharedStrings.xml``: one text for each ``si``."""

    def texts(self, stream: IO[bytes]) -> list[str]:
        self.found: list[str] = []
        for _ in self.parse(stream):
            pass
        return self.found

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self.text.clear()

    def closed(self, name: str) -> None:
        if name == "si":
            self.found.append("".join(self.text))


class _SheetReader(_Reader):
    """``sheet1.xml``: rows of cells."""

    collected = frozenset({"t", "v"})

    def __init__(self, texts: Sequence[str], book: Any, most: int) -> None:
        super().__init__()
        self.most = most  # columns
        self.shared = texts
        self.dates: set[int] = book._date_formats
        self.spans: set[int] = book._timedelta_formats
        self.epoch = book.epoch
        self.columns: dict[str, int] = {}
        self.done: list[tuple[int, list[Cell]]] = []
        self.row: list[Cell] = []
        self.number = 0
        self.at = 0  # column, from 1
        self.last = 0  # the last one that held something
        self.type = "n"
        self.style = 0
        self.formula = False

    def rows(self, stream: IO[bytes]) -> Iterator[tuple[int, list[Cell]]]:
        for _ in self.parse(stream):
            yield from self.done
            self.done.clear()

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            place = attributes.get("r")
            self.at = self.column(place.rstrip(DIGITS)) if place else self.at + 1
            self.type = attributes.get("t", "n")
            self.style = int(attributes.get("s", 0))
            self.formula = False
            self.text.clear()
        elif name == "f":
            self.formula = True
        elif name == "row":
            number = int(attributes.get("r", self.number + 1))
            if not self.number < number <= LAST_ROW:
                raise NotExcel("rows out of order")
            self.number, self.row, self.at, self.last = number, [], 0, 0

    def closed(self, name: str) -> None:
        if name == "c":
            value = self.value()
            if value is not None:
                self.keep(value)
        elif name == "row" and self.row:
            self.done.append((self.number, self.row))

    def keep(self, value: Cell) -> None:
        if self.at <= self.last:
            raise NotExcel("cells out of order")
        self.last = self.at
        missing = min(self.at, self.most + 1) - 1 - len(self.row)
        if missing >= 0:
            self.row.extend([None] * missing)
            self.row.append(value)

    def column(self, letters: str) -> int:
        known = self.columns.get(letters)
        if known is None:
            known = self.columns[letters] = column_index_from_string(letters)
            if known > LAST_COLUMN:
                raise NotExcel("columns without end")
        return known

    def value(self) -> Cell:
        if self.formula:
            return CellFault("cell-formula")
        text = "".join(self.text)
        if not text:
            return None
        if self.type == "s":
            return self.shared[int(text)]
        if self.type in ("inlineStr", "str"):
            return text
        return self.number_of(text) if self.type == "n" else self.other(text)

    def number_of(self, text: str) -> Cell:
        number = float(text) if "." in text or "E" in text or "e" in text else int(text)
        if self.style not in self.dates:
            return number
        try:
            instant: Plain = from_excel(number, self.epoch, timedelta=self.style in self.spans)
        except (OverflowError, ValueError):
            return CellFault("cell-error")
        return instant

    def other(self, text: str) -> Cell:
        if self.type == "e":
            return CellFault("cell-error")
        if self.type == "b":
            return bool(int(text))
        instant: Plain = from_ISO8601(text)
        return instant
