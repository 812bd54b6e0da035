"""Policies as the directory publishes them: one aggregate for each key and deciding unit, its versions dated.

A value is held against the shape that the owner of its key has published. A version that begins today or later may be
replaced, which must be said; one that began before today is past and stays (see the kernel's ``policy``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from services.kernel.events import Event, Happened, Refused, RefusedAll, State
from services.kernel.policy import Version, publish
from services.kernel.policy.shape import Shape
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
    """``today`` is that of the unit's district; ``undecided``: no unit above has this key set for that day.

    ``shapes``: of every key that some service reads. ``replace``: the version that begins the same day goes.
    """

    key: str
    unit: str
    value: Any
    since: date
    source: str
    by: str
    today: date
    undecided: bool
    shapes: Mapping[str, Shape]
    replace: bool = False


def _whole(title: str, most: int) -> TypeAdapter[int]:
    return TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=most, title=title)])


OWN: dict[str, TypeAdapter[int]] = {
    HOUSEHOLDS_PER_WORKER: _whole("每名社区工作者服务户数 · Households for each community worker", 1_000_000),
    VERIFY_EVERY_DAYS: _whole("核实周期(天) · Days within which a record is verified again", 36_500),
    SMALL_GROUP: _whole("小群体下限 · Groups smaller than this are hidden", 10_000),
    CONCERNS_DAY: _whole("民情走访日,1 为周一 · Weekday of visits, 1 is Monday", 7),
}
"""What the directory itself reads, by key."""


def decide(state: Policy | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command.

    Refused: ``policy-key-unknown``, ``policy-value-malformed`` with every fault by its path, and as ``publish``.
    """
    if not isinstance(command, Publish):
        raise AssertionError(f"no such command: {type(command).__name__}")
    event = _published(command)
    version = _version(event)
    faults = shape_of(command.key, command.shapes).faults(version.value)
    if faults:
        raise RefusedAll("policy-value-malformed", faults, key=command.key)
    try:
        publish(state.versions if state else (), version, command.today, command.undecided, command.replace)
    except Refused as refused:
        field = "from" if refused.field == "start" else refused.field
        raise Refused(refused.code, field, **refused.params) from None
    return [Happened(event)]


def shape_of(key: str, shapes: Mapping[str, Shape]) -> Shape:
    """Refused: ``policy-key-unknown``."""
    if key not in shapes:
        raise Refused("policy-key-unknown", "key", allowed=sorted(shapes))
    return shapes[key]


def _published(command: Publish) -> Published:
    return Published(
        key=command.key,
        unit=command.unit,
        value=command.value,
        since=command.since,
        source=command.source,
        by=command.by,
    )


def evolve(state: Policy | None, event: Event, at: datetime) -> Policy:
    """The state after an event."""
    assert isinstance(event, Published)
    others = [version for version in state.versions if version.start != event.since] if state else []
    versions = tuple(sorted((*others, _version(event)), key=lambda version: version.start))
    return Policy(unit=event.unit, key=event.key, versions=versions)


def _version(event: Published) -> Version:
    return Version(start=event.since, value=event.value, source=event.source, by=event.by)
