"""Dated values of one key in one unit.

Invariants
* On any day at most one version is in force. An open version lasts until the next one begins.
* What was in force on a past day never changes: nothing is published or withdrawn for a day before today, except the
  first version of a key, which nobody can have decided by.
* Today is not past: whoever publishes from today on settles this whole day, what was begun this morning too. So a
  version that begins today or later may be replaced, and one that began before today may not.
* The nearest unit that has decided wins. An unset parameter stops the decision; it is never 0.
* Values hold no float: money is integer fen, a rate is numerator and denominator.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import field_validator

from services.kernel.events import Refused
from services.kernel.values import Code, Day, Part


class Version(Part):
    """State: ``value`` (JSON without floats) from ``start`` on, before ``end`` if one is given.

    ``source``: the article or decision it comes from; ``by``: who published it.
    """

    start: Day
    value: Any
    source: Code
    by: Code
    end: Day | None = None

    @field_validator("value")
    @classmethod
    def _exact(cls, value: Any) -> Any:
        if value is None:
            raise Refused("value-missing", "value")
        _refuse_floats(value, "value")
        return value


Versions = tuple[Version, ...]


def publish(
    versions: Versions, version: Version, today: date, founding: bool = False, replacing: bool = False
) -> Versions:
    """With one more version, in order of their days.

    ``founding``: the very first one may begin in the past; the caller makes sure that no unit above has the key set,
    else answers given by that one would change. ``replacing``: it takes the place of the one that begins the same day.
    Refused: ``policy-back-dated``, ``policy-empty-interval``, ``policy-overlaps``, ``policy-known`` for a day on which
    one begins already, ``policy-unknown`` when there is none to replace.
    """
    if version.end is not None and version.end <= version.start:
        raise Refused("policy-empty-interval", "end")
    if version.start < today and not (founding and not versions):
        raise Refused("policy-back-dated", "start", today=today.isoformat())
    others = [v for v in versions if v.start != version.start]
    if replacing != (len(others) < len(versions)):
        raise Refused("policy-unknown" if replacing else "policy-known", "start", start=version.start.isoformat())
    for other in others:
        if _reaches_into(other, version) or _reaches_into(version, other):
            raise Refused("policy-overlaps", "start", start=other.start.isoformat())
    return tuple(sorted((*others, version), key=lambda v: v.start))


def withdraw(versions: Versions, start: date, on: date, today: date) -> Versions:
    """The version that began on ``start`` ends on ``on``; one that would only begin then or later goes altogether.

    Refused: ``policy-unknown``, ``policy-back-dated``, ``policy-ended``.
    """
    found = next((v for v in versions if v.start == start), None)
    if found is None:
        raise Refused("policy-unknown", "start")
    if on < today:
        raise Refused("policy-back-dated", "on", today=today.isoformat())
    if found.start >= on:
        return tuple(v for v in versions if v is not found)
    if version_on(versions, on) is not found:
        raise Refused("policy-ended", "on")
    ended = found.model_copy(update={"end": on})
    return tuple(ended if v is found else v for v in versions)


def version_on(versions: Sequence[Version], day: date) -> Version | None:
    """The version in force on ``day``, or None."""
    begun = [v for v in versions if v.start <= day]
    last = max(begun, key=lambda v: v.start, default=None)
    return last if last and (last.end is None or day < last.end) else None


def value_on(versions: Sequence[Version], day: date, key: str = "") -> Any:
    """The value in force on ``day``. Refused: ``parameter-not-set``."""
    version = version_on(versions, day)
    if version is None:
        raise Refused("parameter-not-set", "key", key=key, day=day.isoformat())
    return version.value


def nearest(by_unit: Mapping[str, Sequence[Version]], path: Sequence[str], day: date, key: str = "") -> Version:
    """The version of the nearest unit on ``path`` (ids from the leaf to the root) that has one in force on ``day``.

    Refused: ``parameter-not-set``.
    """
    for unit in path:
        version = version_on(by_unit.get(unit, ()), day)
        if version is not None:
            return version
    raise Refused("parameter-not-set", "key", key=key, day=day.isoformat())


def _reaches_into(earlier: Version, later: Version) -> bool:
    """Whether a version with a declared end still runs when the other begins; an open one gives way."""
    return earlier.start < later.start and earlier.end is not None and earlier.end > later.start


def _refuse_floats(value: Any, path: str) -> None:
    if isinstance(value, float):
        raise Refused("float-refused", path)
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_floats(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            _refuse_floats(item, f"{path}.{number}")
