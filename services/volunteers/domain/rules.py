"""What a district has decided about volunteers, as the domain reads it.

Policies: ``volunteers.lines``, ``volunteers.limits`` and ``volunteers.matching``. What is not set stops the decision;
it is never a default.
"""

from typing import Self

from pydantic import Field, model_validator

from services.kernel.case.deadlines import Limit
from services.kernel.events import Refused, Value
from services.kernel.matching import Rules as Points
from services.kernel.values import Code, Part

MOST_ORDERS = 50  # that a volunteer may be willing to have at once


class Line(Value):
    """One line of service (服务项目). ``skill``: whoever serves in it must have been trained for it."""

    code: Code
    zh: str
    en: str
    skill: bool = False


class Limits(Part):
    """How long an answer, the service and its confirmation may take."""

    answer: Limit
    service: Limit
    confirmation: Limit


class Weights(Points):
    """How candidates are ranked, and how far around its grid an order looks for them, in levels of units.

    The grid comes first: one level nearer outweighs all that a free volunteer can gather elsewhere.
    """

    radius: int = Field(default=1, ge=1, le=10)

    @model_validator(mode="after")
    def _grid_first(self) -> Self:
        if self.near <= self.free * MOST_ORDERS + self.after_hours:
            raise ValueError("near must outweigh free and after_hours together")
        return self


class Rules(Value):
    """What holds for one unit on one day. The fields are the last names of the policies."""

    lines: tuple[Line, ...]
    limits: Limits
    matching: Weights

    def line(self, code: str) -> Line:
        """Refused: ``line-unknown``."""
        for line in self.lines:
            if line.code == code:
                return line
        raise Refused("line-unknown", "line")
