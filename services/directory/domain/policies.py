"""Policies as the directory publishes them: one aggregate for each key and deciding unit, its versions dated."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from services.kernel.events import Event, Happened, Refused, State
from services.kernel.policy import Version, publish
from services.kernel.values import Day

HOUSEHOLDS_PER_WORKER = "householdsPerWorker"
VERIFY_EVERY_DAYS = "verifyEveryDays"
SMALL_GROUP = "smallGroup"
CONCERNS_DAY = "concernsDayWeekday"  # 1 is Monday


class Published(Event):
    """From a day on, ``value`` holds for ``unit`` and all below it that decide nothing nearer."""

    TYPE: ClassVar[str] = "policy.published"
    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)
    key: str
    unit: str
    value: Any = None
    since: Day = Field(alias="from")
    source: str
    by: str


class Policy(State):
    """State: every version of one key of one unit."""

    unit: str
    key: str
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True)
class Publish:
    """``today`` is that of the unit's district; ``undecided``: no unit above has this key set for that day."""

    key: str
    unit: str
    value: Any
    since: date
    source: str
    by: str
    today: date
    undecided: bool


def _positive(value: Any) -> bool:
    return type(value) is int and value > 0


SHAPES: dict[str, Callable[[Any], bool]] = {
    HOUSEHOLDS_PER_WORKER: _positive,
    VERIFY_EVERY_DAYS: _positive,
    SMALL_GROUP: _positive,
    CONCERNS_DAY: lambda value: _positive(value) and value <= 7,
}


def decide(state: Policy | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused, in particular for a day that is past."""
    if not isinstance(command, Publish):
        raise AssertionError(f"no such command: {type(command).__name__}")
    fits = SHAPES.get(command.key)
    if fits is not None and not fits(command.value):
        raise Refused("policy-value-malformed", "value", key=command.key)
    event = Published(
        key=command.key,
        unit=command.unit,
        value=command.value,
        since=command.since,
        source=command.source,
        by=command.by,
    )
    publish(state.versions if state else (), _version(event), command.today, founding=command.undecided)
    return [Happened(event)]


def evolve(state: Policy | None, event: Event, at: datetime) -> Policy:
    """The state after an event."""
    assert isinstance(event, Published)
    earlier = state.versions if state else ()
    versions = tuple(sorted((*earlier, _version(event)), key=lambda version: version.start))
    return Policy(unit=event.unit, key=event.key, versions=versions)


def _version(event: Published) -> Version:
    return Version(start=event.since, value=event.value, source=event.source, by=event.by)
