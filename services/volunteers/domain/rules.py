"""What a district has decided about volunteers, as the domain reads it.

Policies: ``volunteers.lines``, ``volunteers.limits`` and ``volunteers.matching``. What is not set stops the decision;
it is never a default.
"""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from services.kernel.case.deadlines import Limit
from services.kernel.events import Refused, Value
from services.kernel.matching import MOST_LOAD, Weights
from services.kernel.policy import Codes, Labelled
from services.kernel.values import Part

MOST_ORDERS = MOST_LOAD  # that a volunteer may be willing to have at once


class Line(Labelled):
    """One line of service (服务项目). ``skill``: whoever serves in it must have been trained for it."""

    skill: bool = False


class Limits(Part):
    """How long an answer, the service and its confirmation may take."""

    answer: Limit
    service: Limit
    confirmation: Limit


POLICIES: dict[str, TypeAdapter[Any]] = {
    "lines": TypeAdapter(Annotated[Codes[Line], Field(title="服务项目 · Lines of service")]),
    "limits": TypeAdapter(Annotated[Limits, Field(title="时限 · Times for answer, service and confirmation")]),
    "matching": TypeAdapter(Annotated[Weights, Field(title="匹配权重 · Weights by which candidates are ranked")]),
}
"""The type of each policy by its last name: what is published of its shape, and what it is read as."""


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
        raise Refused("line-unknown", "line", allowed=[line.code for line in self.lines])
