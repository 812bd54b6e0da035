"""Decision tables: from facts to an outcome, each row with the article it follows.

A condition is written as plain data: a value (equality), a list (one of), ``{"from": 0, "until": 60}`` (a half-open
range of integers, either side open), or left out (any). Each fact names its domain: codes, integers, or open text.

Invariants, checked on load: every combination of facts meets at least one row (no gap), and all rows that it meets
have the same outcome (no contradiction). The check is complete: integers are cut where a row cuts them, and of open
text only the values that rows name differ. A decision names its row and article; the same facts give the same.
"""

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from services.kernel.events import Refused, Value
from services.kernel.values import Code

Scalar = StrictBool | StrictInt | StrictStr

MOST_COMBINATIONS = 200_000
_OTHER_TEXT = object()


class Range(Value):
    """Integers ``from`` on and before ``until``."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    start: StrictInt | None = Field(default=None, alias="from")
    until: StrictInt | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.start is not None and self.until is not None and self.until <= self.start:
            raise ValueError("the range is empty")
        return self

    def holds(self, number: Any) -> bool:
        """Whether an integer lies in it; nothing else does."""
        if type(number) is not int:
            return False
        return (self.start is None or self.start <= number) and (self.until is None or number < self.until)


Condition = Scalar | tuple[Scalar, ...] | Range


class Domain(Value):
    """What a fact can be: one of ``codes``, an integer in ``range``, or ``text``."""

    codes: tuple[Scalar, ...] | None = None
    range: Range | None = None
    text: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(x is not None for x in (self.codes, self.range, self.text)) != 1:
            raise ValueError("a domain is codes, range or text")
        return self

    def holds(self, value: Any) -> bool:
        """Whether ``value`` can be."""
        if self.codes is not None:
            return any(_same(value, code) for code in self.codes)
        return self.range.holds(value) if self.range else type(value) is str


class Row(Value):
    """When all conditions hold, then ``then`` (any JSON without floats), by ``article``."""

    when: dict[Code, Condition]
    then: Any
    article: Code


class Table(Value):
    """Raises ``Refused`` with a ``table-…`` code when it has a gap, a contradiction, or a condition that can never
    hold; ``params`` shows the combination or row."""

    name: Code
    facts: dict[Code, Domain] = Field(min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for number, row in enumerate(self.rows):
            _check_row(self, number, row)
        points = {name: _points(self, name) for name in self.facts}
        if prod(map(len, points.values())) > MOST_COMBINATIONS:
            raise Refused("table-too-wide", "facts", most=MOST_COMBINATIONS)
        for values in product(*points.values()):
            _check_combination(self, dict(zip(points, values, strict=True)))
        return self


class Decision(Value):
    """What was decided, and why: the index of the row in its table, from 0, and its article."""

    outcome: Any
    row: int
    article: Code


def decide(table: Table, facts: Mapping[str, Any]) -> Decision:
    """Refused: ``fact-missing`` (``params["missing"]`` lists all), ``fact-unknown``, ``fact-outside-domain``."""
    missing = [name for name in table.facts if facts.get(name) is None]
    if missing:
        raise Refused("fact-missing", f"facts.{missing[0]}", missing=missing)
    for name, value in facts.items():
        if name not in table.facts:
            raise Refused("fact-unknown", f"facts.{name}", allowed=list(table.facts))
        if not table.facts[name].holds(value):
            raise Refused("fact-outside-domain", f"facts.{name}")
    row = _meeting(table, facts)[0]
    return Decision(outcome=table.rows[row].then, row=row, article=table.rows[row].article)


def _meeting(table: Table, facts: Mapping[str, Any]) -> list[int]:
    rows = enumerate(table.rows)
    return [n for n, row in rows if all(_met(row.when[name], facts[name]) for name in row.when)]


def _met(condition: Condition, value: Any) -> bool:
    if isinstance(condition, Range):
        return condition.holds(value)
    if isinstance(condition, tuple):
        return any(_same(value, one) for one in condition)
    return _same(value, condition)


def _same(one: Any, other: Any) -> bool:
    """Equal and of one type: True is not 1."""
    return type(one) is type(other) and bool(one == other)


def _check_row(table: Table, number: int, row: Row) -> None:
    _refuse_inexact(row.then, number)
    for name, condition in row.when.items():
        domain = table.facts.get(name)
        if domain is None:
            raise Refused("table-fact-unknown", f"rows.{number}.when.{name}", allowed=list(table.facts))
        named = condition if isinstance(condition, tuple) else (condition,)
        for one in named:
            fits = domain.range is not None if isinstance(one, Range) else domain.holds(one)
            if not fits:
                raise Refused("table-condition-never-met", f"rows.{number}.when.{name}")
        if not any(_met(condition, point) for point in _points(table, name)):
            raise Refused("table-condition-never-met", f"rows.{number}.when.{name}")


def _points(table: Table, name: str) -> list[Any]:
    """One value for each class of values of a fact that no row tells apart."""
    domain = table.facts[name]
    if domain.codes is not None:
        return list(domain.codes)
    conditions = [row.when[name] for row in table.rows if name in row.when]
    mentioned = [v for c in conditions if not isinstance(c, Range) for v in (c if isinstance(c, tuple) else (c,))]
    if domain.range is None:
        return [*dict.fromkeys(mentioned), _OTHER_TEXT]
    ranges = [c for c in conditions if isinstance(c, Range)]
    cuts = {cut for r in (*ranges, domain.range) for cut in (r.start, r.until) if cut is not None}
    cuts |= {edge for value in mentioned if type(value) is int for edge in (value, value + 1)}
    return [p for p in sorted({*cuts, min(cuts, default=0) - 1}) if domain.range.holds(p)]


def _check_combination(table: Table, facts: dict[str, Any]) -> None:
    rows = _meeting(table, facts)
    shown = {name: "…" if value is _OTHER_TEXT else value for name, value in facts.items()}
    if not rows:
        raise Refused("table-gap", "rows", facts=shown)
    other = next((n for n in rows if table.rows[n].then != table.rows[rows[0]].then), None)
    if other is not None:
        raise Refused("table-contradiction", "rows", rows=[rows[0], other], facts=shown)


def _refuse_inexact(value: Any, row: int) -> None:
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    if isinstance(value, float):
        raise Refused("float-refused", f"rows.{row}.then")
    for item in items:
        _refuse_inexact(item, row)
