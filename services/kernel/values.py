"""Values below the ideas: instants, days, and the parts of which a state is composed.

What a part dumps in Python mode is what a document store holds: instants as UTC with millisecond precision (a store
that keeps no more would otherwise return another value than was decided on), days as ``YYYY-MM-DD``.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints

from services.kernel.events import Refused, Value


def instant(at: datetime) -> datetime:
    """``at`` in UTC, cut to the millisecond. Raises ``ValueError`` for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time needs its zone")
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _only_a_day(value: Any) -> Any:
    if isinstance(value, datetime):
        raise ValueError("a day is not an instant: say in which zone")
    return value


Instant = Annotated[AwareDatetime, AfterValidator(instant)]
Day = Annotated[date, BeforeValidator(_only_a_day), PlainSerializer(date.isoformat, return_type=str)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200)]


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
