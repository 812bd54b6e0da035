"""A small aggregate of the tests: a tally that may be added to, named and refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from services.chassis.aggregate import AggregateType
from services.kernel.events import Event, Happened, Refused, State


class Opened(Event):
    TYPE: ClassVar[str] = "tally.opened"
    unit: str
    limit: int


class Added(Event):
    TYPE: ClassVar[str] = "tally.added"
    amount: int


class Redacted(Event):
    TYPE: ClassVar[str] = "tally.redacted"


class Tally(State):
    unit: str
    limit: int
    total: int = 0
    additions: int = 0


@dataclass(frozen=True)
class Open:
    unit: str
    limit: int = 1_000_000
    name: str = ""
    keys: tuple[str, ...] = ("name",)


@dataclass(frozen=True)
class Add:
    amount: int
    note: str = ""


@dataclass(frozen=True)
class AddEach:
    """Several events in one write."""

    amounts: tuple[int, ...]


def decide(state: Tally | None, command: Any, now: datetime) -> list[Happened]:
    if state is None:
        private = {"owner": {"name": command.name}} if command.name else {}
        keys = {name: [f"{name}-of-{len(command.name)}"] for name in command.keys} if command.name else {}
        return [Happened(Opened(unit=command.unit, limit=command.limit), private, keys)]
    if isinstance(command, AddEach):
        return [Happened(Added(amount=amount)) for amount in command.amounts]
    if command.amount == 0:
        return []
    if state.total + command.amount > state.limit:
        raise Refused("over-limit", field="amount", limit=state.limit)
    return [Happened(Added(amount=command.amount), {"note": {"text": command.note}} if command.note else {})]


def evolve(state: Tally | None, event: Event, at: datetime) -> Tally:
    if isinstance(event, Opened):
        return Tally(unit=event.unit, limit=event.limit)
    assert state is not None
    if isinstance(event, Added):
        return state.model_copy(update={"total": state.total + event.amount, "additions": state.additions + 1})
    return state


TALLY = AggregateType(
    name="tally",
    state=Tally,
    events=(Opened, Added, Redacted),
    decide=decide,
    evolve=evolve,
    keys={"name": ("owner",), "number": ("owner", "note"), "code": ()},
)


class KnownUnits:
    """Two districts, known in advance."""

    tree: ClassVar[Mapping[str, list[str]]] = {"unit_a1": ["unit_a", "unit_a1"], "unit_b1": ["unit_b", "unit_b1"]}

    async def scope_of(self, unit: str) -> list[str]:
        return list(self.tree[unit])


class PlainSealing:
    """Marks what would be sealed."""

    async def seal(self, district: str, private: Mapping[str, Any]) -> dict[str, Any]:
        return {purpose: f"sealed for {district}".encode() for purpose in private}
