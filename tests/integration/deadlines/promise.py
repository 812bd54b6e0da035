"""A small aggregate of the tests: a promise with deadlines, some of which it handles badly on purpose."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from services.chassis.aggregate import AggregateType, Service
from services.kernel.case.deadlines import Due
from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Instant

REMINDED_AFTER = timedelta(hours=24)


class Given(Event):
    TYPE: ClassVar[str] = "promise.given"
    unit: str
    at: Instant
    provisional: bool = False


class Missed(Event):
    TYPE: ClassVar[str] = "promise.missed"
    name: str
    at: Instant
    remind_at: Instant | None = None


class Reckoned(Event):
    TYPE: ClassVar[str] = "promise.reckoned"
    at: Instant


class Noted(Event):
    TYPE: ClassVar[str] = "promise.noted"


class Promise(State):
    unit: str
    due: tuple[Due, ...] = ()
    missed: tuple[str, ...] = ()
    broken: str = ""


@dataclass(frozen=True)
class Give:
    unit: str
    at: datetime
    provisional: bool = False


@dataclass(frozen=True)
class ComeDue:
    due: Due


@dataclass(frozen=True)
class Reckon:
    at: datetime


@dataclass(frozen=True)
class Note:
    pass


class Faults:
    """What the domain does wrong at present: "refuses", "raises", "does-nothing" or "keeps-it"."""

    present: str = ""


def decide(state: Promise | None, command: Any, now: datetime) -> list[Happened]:
    if isinstance(command, Give):
        return [Happened(Given(unit=command.unit, at=command.at, provisional=command.provisional))]
    if isinstance(command, Reckon):
        return [Happened(Reckoned(at=command.at))]
    if isinstance(command, Note):
        return [Happened(Noted())]
    assert isinstance(command, ComeDue)
    return _come_due(command.due)


def _come_due(due: Due) -> list[Happened]:
    if Faults.present == "refuses":
        raise Refused("not-while-paused")
    if Faults.present == "raises":
        raise ZeroDivisionError
    if Faults.present == "does-nothing":
        return []
    if Faults.present == "keeps-it":
        return [Happened(Noted())]
    remind = due.at + REMINDED_AFTER if due.name == "answer" else None
    return [Happened(Missed(name=due.name, at=due.at, remind_at=remind))]


def evolve(state: Promise | None, event: Event, at: datetime) -> Promise:
    if isinstance(event, Given):
        return Promise(unit=event.unit, due=(Due(name="answer", at=event.at, provisional=event.provisional),))
    assert state is not None
    if isinstance(event, Missed):
        left = tuple(due for due in state.due if due.name != event.name)
        reminder = (Due(name="reminder", at=event.remind_at),) if event.remind_at else ()
        return state.model_copy(update={"due": (*left, *reminder), "missed": (*state.missed, event.name)})
    if isinstance(event, Reckoned):
        return state.model_copy(update={"due": (Due(name="answer", at=event.at),)})
    return state


PROMISE = AggregateType(
    name="promise",
    state=Promise,
    events=(Given, Missed, Reckoned, Noted),
    decide=decide,
    evolve=evolve,
    on_due=lambda state, due: ComeDue(due),
    on_calendar=lambda state: Reckon(state.due[0].at + timedelta(days=1)),
)
SERVICE = Service("sample", (PROMISE,), (), {}, {})
