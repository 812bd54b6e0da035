"""A file of concerns on its way in, in portions, each counted once.

A file is taken whole or not at all: every row is decided on before an import exists. From then on its rows lie sealed
in portions; each one that was applied moves the import on by an event, and that event asks for the next. So an import
goes on where it stopped, whatever stops.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from services.kernel.events import Event, Happened, Refused, State, Value
from services.kernel.values import Part

KEPT = 100  # rows that did not go in, kept by number and code


class Failure(Value):
    """A row that did not go in when its turn came."""

    row: int
    code: str


class ImportAccepted(Event):
    """A checked file begins to go in."""

    TYPE: ClassVar[str] = "import.accepted"
    unit: str
    by: str
    rows: int = Field(ge=1)
    portions: int = Field(ge=1)


class ImportAdvanced(Event):
    """Portion ``portion``, from 0, was applied: so many rows recorded, known already, or refused."""

    TYPE: ClassVar[str] = "import.advanced"
    portion: int
    recorded: int
    known: int
    failures: tuple[Failure, ...] = ()


class ImportCompleted(Event):
    """The last portion was applied."""

    TYPE: ClassVar[str] = "import.completed"
    recorded: int
    known: int
    refused: int


EVENTS: tuple[type[Event], ...] = (ImportAccepted, ImportAdvanced, ImportCompleted)


class NotTaken(Part):
    """As ``Failure``, in the state."""

    row: int
    code: str


class Import(State):
    """State; figures are rows so far."""

    unit: str
    by: str
    rows: int
    portions: int
    next: int = 0
    recorded: int = 0
    known: int = 0
    refused: int = 0
    failures: tuple[NotTaken, ...] = ()
    done: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """A checked file of ``rows`` rows in ``portions`` portions."""

    unit: str
    by: str
    rows: int
    portions: int


@dataclass(frozen=True, slots=True)
class Advance:
    """What became of one portion."""

    portion: int
    recorded: int
    known: int
    failures: tuple[Failure, ...] = ()


def decide(state: Import | None, command: Any, now: datetime) -> list[Happened]:
    """A portion that was counted already changes nothing."""
    if isinstance(command, Begin):
        if state is not None:
            raise Refused("already-exists")
        accepted = ImportAccepted(unit=command.unit, by=command.by, rows=command.rows, portions=command.portions)
        return [Happened(accepted)]
    assert state is not None and isinstance(command, Advance), "an import is begun, then advanced"
    if command.portion != state.next or state.done:
        return []
    advanced = ImportAdvanced(
        portion=command.portion, recorded=command.recorded, known=command.known, failures=command.failures
    )
    if command.portion + 1 < state.portions:
        return [Happened(advanced)]
    completed = ImportCompleted(
        recorded=state.recorded + command.recorded,
        known=state.known + command.known,
        refused=state.refused + len(command.failures),
    )
    return [Happened(advanced), Happened(completed)]


def evolve(state: Import | None, event: Event, now: datetime) -> Import:
    """The import after ``event``."""
    if isinstance(event, ImportAccepted):
        return Import(unit=event.unit, by=event.by, rows=event.rows, portions=event.portions)
    assert state is not None
    if isinstance(event, ImportCompleted):
        return state.model_copy(update={"done": True})
    assert isinstance(event, ImportAdvanced)
    kept = tuple(NotTaken(row=one.row, code=one.code) for one in event.failures)
    return state.model_copy(
        update={
            "next": event.portion + 1,
            "recorded": state.recorded + event.recorded,
            "known": state.known + event.known,
            "refused": state.refused + len(event.failures),
            "failures": (*state.failures, *kept)[:KEPT],
        }
    )
