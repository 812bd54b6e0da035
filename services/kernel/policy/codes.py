"""Code lists: what a district may choose from, each code with what people read for it."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.kernel.events import Value

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]
"""A code as requests can name it."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Labelled(Value):
    """A code with what people read for it, Chinese first."""

    code: Name
    zh: Label
    en: Label


def code_twice(rows: Sequence[Any]) -> int | None:
    """The place of the first row, from 0, whose code stands above it already; None when there is none."""
    seen: set[Any] = set()
    for place, row in enumerate(rows):
        code = row["code"] if isinstance(row, dict) else row.code
        if code in seen:
            return place
        seen.add(code)
    return None


def _each_once(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    if code_twice(rows) is not None:
        raise PydanticCustomError("code-twice", "a code stands twice")
    return rows


L = TypeVar("L", bound=Labelled)
Codes = Annotated[
    tuple[L, ...],
    Field(min_length=1),
    AfterValidator(_each_once),
    Field(json_schema_extra={"x-linli-unique": "code"}),
]
"""``Codes[Category]``: at least one row, and no code twice."""
