"""One shape for every import of a file, whichever service takes it.

The file is the body itself (.xlsx or .csv). ``POST /imports/check`` is the dry run: it tells what would become of the
records and keeps nothing. ``POST /imports`` takes a file whole or not at all, and ``GET /imports/{id}`` tells how far
it is. Both POSTs answer a file with faults by 422 ``file-has-errors``: one entry for each cell, and nothing was taken.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from services.chassis.files.sheets import Limits
from services.chassis.files.spreadsheets import CSV, EXCEL, FILE_SENT
from services.chassis.http.answers import Answer, answer
from services.chassis.texts import Texts

if TYPE_CHECKING:
    from services.chassis.storage.history import Written

LARGEST = Limits().file  # bytes
Form = Literal["xlsx", "csv"]
Language = Literal["zh", "en"]


class RowRefused(BaseModel):
    """A row that does not go in, by its number in the file, and why."""

    row: int
    code: str
    zh: str
    en: str


class Counts(BaseModel):
    """Records made new, changed, left as they were because the file says the same again, and refused."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0


class Checked(BaseModel):
    """A file without faults: how many rows it has, and what would become of its records now."""

    rows: int
    would: Counts
    failures: list[RowRefused]


class Accepted(BaseModel):
    """The import exists and goes on by itself; ``Location`` is its progress."""

    aggregate: str
    seq: int


class Progress(Counts):
    """How far an import is. ``done``: rows of ``rows`` whose turn has come; ``failures``: the first 100."""

    id: str
    version: int
    unit: str
    kind: str
    status: Literal["running", "done"]
    rows: int
    done: int
    failures: list[RowRefused]


CHECK: dict[str, Any] = {"max_body_size": LARGEST, "openapi_extra": FILE_SENT, "responses": {200: {"model": Checked}}}
TAKE: dict[str, Any] = {
    "status_code": 202,
    "max_body_size": LARGEST,
    "openapi_extra": FILE_SENT,
    "responses": {202: {"model": Accepted}},
}
FOLLOW: dict[str, Any] = {"responses": {200: {"model": Progress}}}
"""What the three routes declare: ``@router.post("/imports/check", **CHECK)`` and so on."""


def refusals(failures: Iterable[tuple[int, str]], texts: Texts) -> list[RowRefused]:
    """Rows and codes with their sentences."""
    return [
        RowRefused(row=row, code=code, zh=texts.detail(code, "zh", {}), en=texts.detail(code, "en", {}))
        for row, code in failures
    ]


def accepted(written: "Written") -> Answer:
    """202; the same again for a repeat."""
    return answer(written, status=202, location=f"/imports/{written.id}")


def file_answer(content: bytes, name: str, form: Form) -> Answer:
    """A made file to be saved under a name."""
    made = Answer(None)
    made.body = content
    made.raw_headers = [
        (b"content-type", (EXCEL if form == "xlsx" else CSV).encode()),
        (b"content-length", str(len(content)).encode()),
        (b"content-disposition", f'attachment; filename="{name}.{form}"'.encode()),
    ]
    return made
