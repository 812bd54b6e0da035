"""What a district has decided about volunteers, read from its policies for the day."""

from dataclasses import dataclass
from datetime import date

from services.chassis.runtime import Runtime
from services.kernel.case.deadlines import Limit
from services.kernel.events import Refused, Value
from services.kernel.matching import Rules
from services.volunteers.domain.order import Limits

LINES, LIMITS, MATCHING = "volunteers.lines", "volunteers.limits", "volunteers.matching"


class Line(Value):
    """One line of service (服务项目). ``skill``: whoever serves in it must have been trained for it."""

    code: str
    zh: str
    en: str
    skill: bool = False


class Weights(Rules):
    """How candidates are ranked, and how far around its grid an order looks for them, in levels of units."""

    radius: int


@dataclass(frozen=True)
class District:
    """What holds for one unit on one day."""

    lines: dict[str, Line]
    limits: Limits
    weights: Weights

    def line(self, code: str) -> Line:
        """Refused: ``line-unknown``."""
        if code not in self.lines:
            raise Refused("line-unknown", "line", known=sorted(self.lines))
        return self.lines[code]


async def decided(runtime: Runtime, unit: str, day: date) -> District:
    """Refused: ``parameter-not-set`` for what the district has not decided."""
    lines = [Line.model_validate(line) for line in await runtime.policies.value(LINES, unit, day)]
    limits = await runtime.policies.value(LIMITS, unit, day)
    weights = await runtime.policies.value(MATCHING, unit, day)
    return District(
        lines={line.code: line for line in lines},
        limits=Limits(**{name: Limit.model_validate(limits[name]) for name in Limits.model_fields}),
        weights=Weights.model_validate(weights),
    )
