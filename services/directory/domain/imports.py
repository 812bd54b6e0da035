"""Imports: a checked file on its way into the register, in portions, each applied once.

A file is taken whole or not at all: every row is checked before an import exists. From then on the rows lie sealed in
portions; each portion that has been applied moves the import on by one event, and that event asks for the next. So an
import goes on where it stopped, whatever stops.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from services.kernel.events import Event, Happened, State, Value
from services.kernel.values import Part

Kind = Literal["units", "households"]
SHOWN = 100  # refused rows that are kept by number and code


class Failure(Value):
    """A row that the register refused when its turn came, by its number in the file."""

    row: int
    code: str


class Accepted(Event):
    """A file with so many good rows will be applied, in so many portions."""

    TYPE: ClassVar[str] = "import.accepted"
    unit: str
    kind: Kind
    rows: int = Field(ge=1)
    portions: int = Field(ge=1)


class Advanced(Event):
    """Portion ``portion`` (from 0) has been applied: so many rows made new, changed, left as they were, refused."""

    TYPE: ClassVar[str] = "import.advanced"
    portion: int
    rows: int
    created: int
    changed: int
    unchanged: int
    refused: int = 0
    failures: tuple[Failure, ...] = ()


class Completed(Event):
    """The last portion has been applied."""

    TYPE: ClassVar[str] = "import.completed"


class FailureKept(Part):
    """As ``Failure``, in the state."""

    row: int
    code: str


class Import(State):
    """State of an import; figures are rows so far."""

    unit: str
    kind: Kind
    rows: int
    portions: int
    next: int = 0
    done: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    failures: tuple[FailureKept, ...] = ()
    status: Literal["running", "done"] = "running"


@dataclass(frozen=True)
class Accept:
    unit: str
    kind: Kind
    rows: int
    portions: int


@dataclass(frozen=True)
class Advance:
    portion: int
    rows: int
    created: int
    changed: int
    unchanged: int
    failures: tuple[Failure, ...] = ()


def decide(state: Import | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command. A portion that has been counted already changes nothing."""
    if isinstance(command, Accept):
        event = Accepted(unit=command.unit, kind=command.kind, rows=command.rows, portions=command.portions)
        return [Happened(event)]
    assert state is not None
    if not isinstance(command, Advance):
        raise AssertionError(f"no such command: {type(command).__name__}")
    if command.portion != state.next or state.status == "done":
        return []
    advanced = Advanced(
        portion=command.portion,
        rows=command.rows,
        created=command.created,
        changed=command.changed,
        unchanged=command.unchanged,
        refused=len(command.failures),
        failures=command.failures[:SHOWN],
    )
    last = command.portion + 1 == state.portions
    return [Happened(advanced), Happened(Completed())] if last else [Happened(advanced)]


def evolve(state: Import | None, event: Event, at: datetime) -> Import:
    """The state after an event."""
    if isinstance(event, Accepted):
        return Import(unit=event.unit, kind=event.kind, rows=event.rows, portions=event.portions)
    assert state is not None
    if isinstance(event, Completed):
        return state.model_copy(update={"status": "done"})
    assert isinstance(event, Advanced)
    kept = tuple(FailureKept(row=failure.row, code=failure.code) for failure in event.failures)
    return state.model_copy(
        update={
            "next": event.portion + 1,
            "done": state.done + event.rows,
            "created": state.created + event.created,
            "changed": state.changed + event.changed,
            "unchanged": state.unchanged + event.unchanged,
            "refused": state.refused + event.refused,
            "failures": (*state.failures, *kept)[:SHOWN],
        }
    )
