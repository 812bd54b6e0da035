"""A district with its decisions, and an order to do things to."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.kernel.events import Event, Happened
from services.volunteers.domain.order import commands as c
from services.volunteers.domain.order.decide import decide
from services.volunteers.domain.order.evolve import evolve
from services.volunteers.domain.order.state import Order
from services.volunteers.domain.rules import POLICIES as SHAPES
from services.volunteers.domain.rules import Rules

POLICIES = Path(__file__).parents[3] / "deploy" / "local" / "demo_policies" / "volunteers.json"
RAW: dict[str, Any] = {
    policy["key"].removeprefix("volunteers."): policy["value"] for policy in json.loads(POLICIES.read_text("utf-8"))
}


def read(policies: dict[str, Any]) -> Rules:
    """The rules that a district's three policies make."""
    return Rules(**{name: shape.validate_python(policies[name]) for name, shape in SHAPES.items()})


RULES = read(RAW)
ZONE = "Asia/Shanghai"
TUESDAY = datetime(2025, 5, 13, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANN, BEA, CAI = "volunteer_ann", "volunteer_bea", "volunteer_cai"
TASK = {"task": "给李奶奶换灯泡", "place": "3号楼2单元501室"}


def asking(**changes: Any) -> c.Request:
    """A worker asks for a small repair."""
    given: dict[str, Any] = {
        "rules": RULES,
        "unit": "unit_g1",
        "mode": "dispatch",
        "line": "maintenance",
        "zone": ZONE,
        "task": TASK,
        "keys": {"code": ["hash"]},
        "case": "case_1",
        "resident": "resident_1",
    }
    return c.Request(**(given | changes))


@dataclass
class Deed:
    """One order and everything that happened to it."""

    now: datetime = TUESDAY
    order: Order | None = None
    events: list[Event] = field(default_factory=list)

    def do(self, command: c.Command, *, after: timedelta = timedelta(0)) -> list[Event]:
        """Decide and evolve; returns what happened."""
        self.now += after
        return [one.event for one in self.keep(decide(self.order, command, self.now))]

    def keep(self, happened: list[Happened]) -> list[Happened]:
        """Evolve by what was decided."""
        for one in happened:
            self.order = evolve(self.order, one.event, self.now)
            self.events.append(one.event)
        return happened

    def until_due(self, name: str) -> list[Event]:
        """Time passes until that promise is due, and the clock says so."""
        due = next(one for one in self.state.due if one.name == name)
        self.now = due.at
        return self.do(c.Overdue(due))

    @property
    def state(self) -> Order:
        """The order, which exists."""
        assert self.order is not None
        return self.order


def requested(**changes: Any) -> Deed:
    """Asked for."""
    deed = Deed()
    deed.do(asking(**changes))
    return deed


def offered(*candidates: str, **changes: Any) -> Deed:
    """Offered to the first of the candidates."""
    deed = requested(**changes)
    deed.do(c.Match(candidates or (ANN, BEA)))
    return deed


def accepted(**changes: Any) -> Deed:
    """Ann goes."""
    deed = offered(**changes)
    deed.do(c.Accept(ANN))
    return deed


def done(**changes: Any) -> Deed:
    """Ann says it is done, in 45 minutes."""
    deed = accepted(**changes)
    deed.do(c.ReportDone(ANN, 45), after=HOUR)
    return deed
