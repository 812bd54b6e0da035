"""Promised times: hours, calendar days and working days; paused, resumed, extended, missed.

Invariants
* ``at`` is a function of what was promised, when it began, its pauses and the calendar; nothing else moves it.
* Hours run on the clock. Days are those of the district's time zone: the first day is not counted, and the last one
  counts whole, so ``at`` is the midnight after it (Civil Code, articles 201 to 203). A thing is late from ``at`` on.
* Working days follow the State Council's calendar with its swapped weekends. Where it is not announced yet, weekdays
  stand in and the deadline is provisional: recomputed when the calendar is known, never an error, and final then.
* While paused nothing runs and nothing is due. Extending never passes the maximum. Missed stays missed.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Literal, Self

import chinese_calendar
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.kernel.events import Refused, Value
from services.kernel.values import Code, Instant, Part, day_at, instant, zone_named

Working = Callable[[date], bool | None]
"""Whether a day is a working day; None when the calendar of that day is not announced."""

ONE_DAY = timedelta(days=1)


class Limit(Value):
    """A time limit as a district decides it. ``extendable_to``: the most that ``n`` may become; None: not at all."""

    n: int = Field(ge=1, le=10_000)
    unit: Literal["hours", "calendar_days", "working_days"]
    extendable_to: int | None = Field(default=None, le=10_000)

    @model_validator(mode="after")
    def _extends_upwards(self) -> Self:
        if self.extendable_to is not None and self.extendable_to <= self.n:
            raise PydanticCustomError("extendable-below-limit", "extendable_to must be more than n")
        return self


class Pause(Part):
    """From, and until when the clock stood still; ``end`` is None while it does."""

    start: Instant
    end: Instant | None = None


class Deadline(Part):
    """State: one running promise. ``n`` is what the limit has become by extension."""

    name: Code
    limit: Limit
    n: int
    zone: Code
    started: Instant
    at: Instant
    provisional: bool = False
    pauses: tuple[Pause, ...] = ()
    missed: bool = False

    @property
    def paused(self) -> bool:
        """Whether the clock stands still."""
        return bool(self.pauses) and self.pauses[-1].end is None


class Due(Part):
    """An entry of the due list, which a sweep turns into a command when its time has come."""

    name: Code
    at: Instant
    provisional: bool = False


Deadlines = tuple[Deadline, ...]


def state_council(day: date) -> bool | None:
    """The announced calendar. The last week of a year is known only with the next year's, whose New Year swaps
    days with it (29 December 2018 was a working Saturday by the notice for 2019)."""
    try:
        if (day.month, day.day) >= (12, 25):
            chinese_calendar.is_workday(date(day.year + 1, 1, 1))
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def promised(name: str, limit: Limit, start: datetime, zone: str, working: Working = state_council) -> Deadline:
    """A deadline that runs from ``start``. Refused: ``zone-unknown``."""
    start = instant(start)
    draft = Deadline(name=name, limit=limit, n=limit.n, zone=zone, started=start, at=start)
    return _computed(draft, working)


def paused(deadline: Deadline, at: datetime) -> Deadline:
    """The clock stops. Refused: ``deadline-paused``, ``deadline-passed``, ``deadline-before-start``."""
    _refuse_unless_running(deadline, at)
    if deadline.pauses and at < (deadline.pauses[-1].end or at):
        raise Refused("deadline-before-start", "at")
    return deadline.model_copy(update={"pauses": (*deadline.pauses, Pause(start=at))})


def resumed(deadline: Deadline, at: datetime, working: Working = state_council) -> Deadline:
    """The clock runs on; what was left is left. Refused: ``deadline-not-paused``, ``deadline-before-start``."""
    if not deadline.paused:
        raise Refused("deadline-not-paused", "at")
    begun = deadline.pauses[-1].start
    if at < begun:
        raise Refused("deadline-before-start", "at")
    pauses = (*deadline.pauses[:-1], Pause(start=begun, end=at))
    return _computed(deadline.model_copy(update={"pauses": pauses}), working)


def extended(deadline: Deadline, to: int, at: datetime, working: Working = state_council) -> Deadline:
    """The limit becomes ``to`` of its unit, counted from the start.

    Refused: ``deadline-passed``, ``deadline-paused``, ``extension-not-longer``, ``extension-too-long``.
    """
    _refuse_unless_running(deadline, at)
    if to <= deadline.n:
        raise Refused("extension-not-longer", "to", n=deadline.n)
    if to > (deadline.limit.extendable_to or deadline.limit.n):
        raise Refused("extension-too-long", "to", maximum=deadline.limit.extendable_to or deadline.limit.n)
    return _computed(deadline.model_copy(update={"n": to}), working)


def recomputed(deadline: Deadline, working: Working = state_council) -> Deadline:
    """A provisional deadline by the calendar as it is known now; any other one unchanged. What is due while
    provisional is recomputed before it counts as missed."""
    if not deadline.provisional or deadline.missed or deadline.paused:
        return deadline
    return _computed(deadline, working)


def missed(deadline: Deadline, now: datetime) -> Deadline:
    """It has passed, for good. Refused: ``deadline-not-passed``, ``deadline-missed``, ``deadline-paused``."""
    if deadline.missed:
        raise Refused("deadline-missed", "name", name=deadline.name)
    if deadline.paused:
        raise Refused("deadline-paused", "name", name=deadline.name)
    if now < deadline.at:
        raise Refused("deadline-not-passed", "name", name=deadline.name)
    return deadline.model_copy(update={"missed": True})


def named(deadlines: Deadlines, name: str) -> Deadline:
    """Refused: ``deadline-unknown``."""
    for deadline in deadlines:
        if deadline.name == name:
            return deadline
    raise Refused("deadline-unknown", "name", name=name)


def with_deadline(deadlines: Deadlines, deadline: Deadline) -> Deadlines:
    """With this one in the place of any other of its name."""
    return (*without(deadlines, deadline.name), deadline)


def without(deadlines: Deadlines, name: str) -> Deadlines:
    """Without the one of that name, since what was promised is done or no longer asked."""
    return tuple(d for d in deadlines if d.name != name)


def due_list(deadlines: Deadlines) -> tuple[Due, ...]:
    """What a clock must still watch, the earliest first: neither paused nor missed."""
    watched = (Due(name=d.name, at=d.at, provisional=d.provisional) for d in deadlines if not d.paused and not d.missed)
    return tuple(sorted(watched, key=lambda due: (due.at, due.name)))


def next_overdue(due: tuple[Due, ...], now: datetime) -> Due | None:
    """The earliest entry whose time has come, or None."""
    return min((d for d in due if d.at <= now), key=lambda d: (d.at, d.name), default=None)


def _refuse_unless_running(deadline: Deadline, at: datetime) -> None:
    if deadline.paused:
        raise Refused("deadline-paused", "name", name=deadline.name)
    if at < deadline.started:
        raise Refused("deadline-before-start", "at")
    if deadline.missed or at >= deadline.at:
        raise Refused("deadline-passed", "name", name=deadline.name)


def _computed(deadline: Deadline, working: Working) -> Deadline:
    if deadline.limit.unit == "hours":
        stood = sum((p.end - p.start for p in deadline.pauses if p.end), timedelta())
        return deadline.model_copy(update={"at": deadline.started + timedelta(hours=deadline.n) + stood})
    last, provisional = _last_day(deadline, working)
    midnight = datetime.combine(last + ONE_DAY, time(), zone_named(deadline.zone))
    return deadline.model_copy(update={"at": instant(midnight), "provisional": provisional})


def _last_day(deadline: Deadline, working: Working) -> tuple[date, bool]:
    """The last day that counts. Days of a pause do not: what was left when it began is counted from its end."""
    counter = _Counter(working if deadline.limit.unit == "working_days" else _every_day)
    day, left = day_at(deadline.started, deadline.zone), deadline.n
    for pause in deadline.pauses:
        if pause.end is not None:
            left -= counter.between(day, day_at(pause.start, deadline.zone), at_most=left)
            day = day_at(pause.end, deadline.zone)
    return counter.after(day, left), counter.provisional


def _every_day(day: date) -> bool | None:
    return True


class _Counter:
    """Counts days, and notes when it had to guess."""

    def __init__(self, working: Working) -> None:
        self._working = working
        self.provisional = False

    def _counts(self, day: date) -> bool:
        known = self._working(day)
        if known is None:
            self.provisional = True
            return day.weekday() < 5
        return known

    def between(self, day: date, until: date, at_most: int) -> int:
        """Counted days after ``day`` up to and including ``until``."""
        counted = 0
        while day < until and counted < at_most:
            day += ONE_DAY
            counted += self._counts(day)
        return counted

    def after(self, day: date, n: int) -> date:
        """The ``n``-th counted day after ``day``; ``day`` itself for 0."""
        while n > 0:
            day += ONE_DAY
            n -= self._counts(day)
        return day
