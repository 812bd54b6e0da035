"""A district with its decisions, and a concern to do things to."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.complaints.domain import commands as c
from services.complaints.domain.decide import decide
from services.complaints.domain.evolve import evolve
from services.complaints.domain.rules import POLICIES as SHAPES
from services.complaints.domain.rules import Rules
from services.complaints.domain.state import Case
from services.kernel.case.custody import Party
from services.kernel.events import Event, Happened

POLICIES = Path(__file__).parents[3] / "deploy" / "local" / "demo_policies.json"
RAW: dict[str, Any] = {
    policy["key"].removeprefix("complaints."): policy["value"]
    for policy in json.loads(POLICIES.read_text("utf-8"))
    if policy["key"].startswith("complaints.")
}


def read(policies: dict[str, Any]) -> Rules:
    """The rules that a district's six policies make."""
    return Rules.of({name: shape.validate_python(policies[name]) for name, shape in SHAPES.items()})


RULES = read(RAW)
LADDER = (("community", "unit_c1"), ("street", "unit_s1"), ("district", "unit_d1"))
TUESDAY = datetime(2025, 5, 13, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai

WORKER = Party(id="staff_worker", unit="unit_c1")
COLLEAGUE = Party(id="staff_colleague", unit="unit_c1")
STRANGER = Party(id="staff_stranger", unit="unit_c2")
STREET = Party(id="staff_street", unit="unit_s1")
DISTRICT = Party(id="staff_district", unit="unit_d1")
STAFF = frozenset({"community-worker"})
OFFICER = frozenset({"street-officer"})
RESIDENT = frozenset({"resident"})


def recording(**changes: Any) -> c.Record:
    """A worker's visit to a resident with a leaking pipe."""
    given: dict[str, Any] = {
        "rules": RULES,
        "unit": "unit_c1",
        "kind": "condition",
        "category": "welfare",
        "channel": "visit",
        "subject": "家中水管漏水",
        "text": "王大妈反映厨房水管漏水",
        "ladder": LADDER,
        "zone": "Asia/Shanghai",
        "by": WORKER,
        "reporter": {"name": "王大妈", "phone": "13900001234"},
        "resident": "resident_1",
    }
    return c.Record(**(given | changes))


@dataclass
class Concern:
    """One concern and everything that happened to it."""

    now: datetime = TUESDAY
    state: Case | None = None
    happened: list[Happened] = field(default_factory=list)

    def do(self, command: Any) -> list[Event]:
        """The events of the command, applied."""
        decided = decide(self.state, command, self.now)
        for one in decided:
            self.state = evolve(self.state, one.event, self.now)
        self.happened += decided
        return [one.event for one in decided]

    def later(self, **span: float) -> "Concern":
        """Time passes; nothing else does."""
        self.now += timedelta(**span)
        return self

    def sweep(self) -> list[Event]:
        """Every deadline that has come, as the clock would."""
        events: list[Event] = []
        while due := [one for one in self.case.due if one.at <= self.now]:
            events += self.do(c.Overdue(due[0]))
        return events

    @property
    def case(self) -> Case:
        """The state, which must be there."""
        assert self.state is not None
        return self.state

    @property
    def names(self) -> list[str]:
        """What happened, by name."""
        return [one.event.TYPE.removeprefix("case.") for one in self.happened]

    def due(self, name: str) -> datetime:
        """When that promise is due."""
        return next(one.at for one in self.case.due if one.name == name)


def recorded(**changes: Any) -> Concern:
    """A recorded concern."""
    concern = Concern()
    concern.do(recording(**changes))
    return concern


def accepted(**changes: Any) -> Concern:
    """Taken up by its unit."""
    concern = recorded(**changes)
    concern.do(c.Accept(RULES, WORKER, STAFF))
    return concern


def in_hand(**changes: Any) -> Concern:
    """In the hands of the worker who recorded it."""
    concern = accepted(**changes)
    concern.do(c.Take(RULES, WORKER, STAFF))
    return concern


def solved(**changes: Any) -> Concern:
    """Solved, and the resident has not said anything yet."""
    concern = in_hand(**changes)
    concern.do(c.Settle(RULES, WORKER, STAFF, "solved", "水管已更换"))
    return concern
