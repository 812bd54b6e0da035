"""Values below the ideas: instants, days, and the parts of which a state is composed.

What a part dumps in Python mode is what a document store holds: instants as UTC with millisecond precision (a store
that keeps no more would otherwise return another value than was decided on), days as ``YYYY-MM-DD``.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    Strict,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from services.kernel.events import Refused, Value

AnyDay = TypeVar("AnyDay", date, datetime)
DAY = re.compile(r"\d{4}-\d\d-\d\d")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")  # RFC 3339
EARLIEST, LATEST = 1900, 2199  # years: what is reckoned from a day beyond them may leave the calendar


def instant(at: datetime) -> datetime:
    """``at`` in UTC, cut to the millisecond. Raises ``ValueError`` for a time without a zone or beyond the calendar."""
    if at.tzinfo is None:
        raise ValueError("a time needs its zone")
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("not-a-time", "an instant is written 2026-01-31T08:00:00+08:00") from None
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _only_a_day(value: Any) -> Any:
    """No instant (in which zone?), and no number that could be read as seconds."""
    if isinstance(value, datetime) or not (isinstance(value, date) or _is_written(value, DAY)):
        raise PydanticCustomError("not-a-date", "a day is written 2026-01-31")
    return value


def _only_an_instant(value: Any) -> Any:
    if not (isinstance(value, datetime) or _is_written(value, INSTANT)):
        raise PydanticCustomError("not-a-time", "an instant is written 2026-01-31T08:00:00+08:00")
    return value


def _within_reach(value: AnyDay) -> AnyDay:
    if not EARLIEST <= value.year <= LATEST:
        raise PydanticCustomError("day-out-of-reach", "a day lies in the years 1900 to 2199")
    return value


def _only_whole(value: Any) -> Any:
    """JSON knows one kind of number: 7.0 is 7, whoever wrote it."""
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise PydanticCustomError("not-an-integer", "a whole number is needed")
    return value


def _is_written(value: Any, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


Instant = Annotated[
    AwareDatetime, BeforeValidator(_only_an_instant), AfterValidator(instant), AfterValidator(_within_reach)
]
Day = Annotated[
    date, BeforeValidator(_only_a_day), AfterValidator(_within_reach), PlainSerializer(date.isoformat, return_type=str)
]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Whole = Annotated[int, BeforeValidator(_only_whole)]  # of a request: no "7", no true
Flag = Annotated[bool, Strict()]  # of a request: no "yes", no 1


class Part(Value):
    """A part of an aggregate's state: frozen, and open on reading, as the state it stands in."""

    model_config = ConfigDict(extra="ignore")


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that IANA name. Refused: ``zone-unknown``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused("zone-unknown", "zone") from None


def day_at(at: datetime, zone: str) -> date:
    """The calendar day in ``zone`` at an instant."""
    return at.astimezone(zone_named(zone)).date()
