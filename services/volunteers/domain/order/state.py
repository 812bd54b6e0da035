"""The state of a service order."""

from datetime import datetime, time, timedelta
from typing import Literal

from services.kernel.case.deadlines import Deadlines, Due
from services.kernel.events import State
from services.kernel.values import Code, Day, Instant, instant, zone_named
from services.volunteers.domain.rules import Limits

Mode = Literal["activity_day", "dispatch", "by_name"]
WAITING = ("requested", "offered")  # nobody has taken it yet


class Order(State):
    """``candidates``: whom the last matching found, best first; ``asked``: who had an offer before.

    ``volunteer`` has the offer, or goes, or went. ``on`` is the activity day; ``start`` and ``end`` bound a deed at a
    fixed time. ``described``: what is to be done has been written down, sealed.
    """

    unit: str
    stage: str
    outcome: str | None = None
    mode: Mode
    line: Code
    case: Code | None = None
    resident: Code | None = None
    named: Code | None = None
    on: Day | None = None
    start: Instant | None = None
    end: Instant | None = None
    zone: Code
    requested: Instant
    described: bool = False
    limits: Limits
    candidates: tuple[Code, ...] = ()
    asked: tuple[Code, ...] = ()
    volunteer: Code | None = None
    minutes: int | None = None
    late: bool = False
    deadlines: Deadlines = ()
    due: tuple[Due, ...] = ()

    @property
    def begins(self) -> datetime | None:
        """When the deed can begin: of an activity day its midnight; None for one at no fixed time."""
        return _midnight(self, 0) if self.on else self.start

    @property
    def until(self) -> datetime | None:
        """When it is too late to take it: at the fixed time, or with the end of the activity day."""
        return _midnight(self, 1) if self.on else self.start

    @property
    def ends(self) -> datetime | None:
        """When the deed should be over."""
        return _midnight(self, 1) if self.on else self.end

    def hopeless(self, now: datetime) -> bool:
        """Whether nobody else will be asked: only one was named, or its time has come."""
        return self.mode == "by_name" or (self.until is not None and self.until <= now)


def _midnight(order: Order, days: int) -> datetime:
    assert order.on is not None
    return instant(datetime.combine(order.on + timedelta(days=days), time(), zone_named(order.zone)))
