"""Indicators (指标): figures computed from facts over unit and period, as of a moment.

A definition is data (``indicators.json``), checked on load. It says which subjects count; how to count is code.
Follows Observation (Fowler) and SDMX: every figure keeps its numerator, denominator, unit, period and as-of.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from pydantic import Field, model_validator

from services.kernel.events import Value

OUTCOMES = ("solved", "answered")  # both close a concern; they are counted apart and may be added (CMP-02)


class Indicator(Value):
    """One definition.

    ``measure``: ``count`` of subjects that began in the period; ``level`` of subjects that exist at the as-of;
    ``sum`` of amounts, ``distinct`` values of a dimension; ``ratio`` of two others. ``outcome`` holds those that
    count, ``open`` standing for none. ``with_step`` and ``without_step`` name steps that must or must not be there.
    ``hide_below``: a figure over fewer persons than this, but not none, is not shown.
    """

    key: str
    zh: str
    en: str
    measure: Literal["count", "level", "sum", "distinct", "ratio"]
    subject: str = ""
    where: dict[str, str] = Field(default_factory=dict)
    outcome: tuple[Literal["solved", "answered", "open"], ...] = ()
    with_step: tuple[str, ...] = ()
    without_step: tuple[str, ...] = ()
    dimension: str = ""
    numerator: str = ""
    denominator: str = ""
    hide_below: int = 0

    @model_validator(mode="after")
    def _complete(self) -> "Indicator":
        if self.measure == "ratio":
            if not (self.numerator and self.denominator):
                raise ValueError(f"{self.key}: a ratio needs numerator and denominator")
        elif not self.subject:
            raise ValueError(f"{self.key}: names no subject")
        if self.measure == "distinct" and not self.dimension:
            raise ValueError(f"{self.key}: distinct needs a dimension")
        return self


class Template(Value):
    """A report template (INF-08): the figures that a report of this name must have, in order."""

    key: str
    zh: str
    en: str
    figures: tuple[str, ...]


class Catalogue(Value):
    """All definitions. Refuses a key told twice, and a ratio or template over figures that are not defined."""

    indicators: tuple[Indicator, ...]
    templates: tuple[Template, ...]

    @model_validator(mode="after")
    def _closed(self) -> "Catalogue":
        keys = [indicator.key for indicator in self.indicators]
        if len(set(keys)) != len(keys):
            raise ValueError("an indicator is defined twice")
        countable = {indicator.key for indicator in self.indicators if indicator.measure != "ratio"}
        for indicator in self.indicators:
            if indicator.measure == "ratio" and not {indicator.numerator, indicator.denominator} <= countable:
                raise ValueError(f"{indicator.key}: ratio over what is not counted")
        for template in self.templates:
            if not set(template.figures) <= set(keys):
                raise ValueError(f"{template.key}: names a figure that is not defined")
        return self

    def indicator(self, key: str) -> Indicator | None:
        """The definition of this key."""
        return next((indicator for indicator in self.indicators if indicator.key == key), None)

    def template(self, key: str) -> Template | None:
        """The report template of this key."""
        return next((template for template in self.templates if template.key == key), None)


def ratio(numerator: int, denominator: int) -> float | None:
    """The quotient; None ("no value") when nothing was counted below the line."""
    return numerator / denominator if denominator else None


def printed_percentage(numerator: int, denominator: int, digits: int = 1) -> str | None:
    """``85.3 %``: exact division, rounded half up only here, in print."""
    if not denominator:
        return None
    exact = Decimal(numerator) * 100 / Decimal(denominator)
    return f"{exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)} %"


def shown(count: int, hide_below: int) -> int | None:
    """The count, or None when it is over too few persons to be shown."""
    return None if 0 < count < hide_below else count


def ancestors(code: str) -> list[str]:
    """A category code with those above it: ``property.lift`` gives ``["property", "property.lift"]``."""
    parts = code.split(".")
    return [".".join(parts[: size + 1]) for size in range(len(parts))]


def outcome_at(steps: dict[str, Any], as_of: Any) -> str | None:
    """The outcome that a concern had at a moment: the last of solved, answered and reopened up to then.

    ``steps``: sequence number to ``{what, on, seq}``. The order in which steps became known does not matter.
    """
    known = [step for step in steps.values() if step["what"] in (*OUTCOMES, "reopened") and step["on"] <= as_of]
    last = max(known, key=lambda step: (step["on"], step["seq"]), default=None)
    return last["what"] if last is not None and last["what"] in OUTCOMES else None
