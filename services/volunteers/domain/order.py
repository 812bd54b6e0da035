"""Service orders (服务订单): three ways of service on one aggregate, and who may do what to it when.

``dispatch`` (派单服务): the community sends it to the best match. ``by_name`` (点名服务): the resident named a
volunteer, and it goes to nobody else. ``activity_day`` (活动日服务): it stands on the list of a fixed day, and any
fitting volunteer takes it.
"""

from typing import ClassVar, Literal

from services.kernel.case.deadlines import Deadlines, Due, Limit
from services.kernel.events import Event, State
from services.kernel.values import Code, Day, Instant, Part

Mode = Literal["activity_day", "dispatch", "by_name"]


class OrderRequested(Event):
    """``case`` is the concern behind it, ``volunteer`` the named one, ``on`` the activity day."""

    TYPE: ClassVar[str] = "order.requested"
    line: str
    mode: Mode
    unit: str
    case: str | None = None
    resident: str | None = None
    volunteer: str | None = None
    on: Day | None = None
    zone: str
    answer: Limit
    service: Limit
    confirmation: Limit


class OrderMatched(Event):
    """How many may be asked, best first; each has reasons, shown to the coordinator."""

    TYPE: ClassVar[str] = "order.matched"
    candidates: tuple[str, ...]


class OrderOffered(Event):
    """Offered to one volunteer, who answers until ``until``."""

    TYPE: ClassVar[str] = "order.offered"
    volunteer: str
    until: Instant
    case: str | None = None


class OrderAccepted(Event):
    """The volunteer goes."""

    TYPE: ClassVar[str] = "order.accepted"
    volunteer: str
    case: str | None = None


class OrderDeclined(Event):
    """The volunteer does not go. ``last``: nobody else is left, the order is over."""

    TYPE: ClassVar[str] = "order.declined"
    volunteer: str
    reason: str
    last: bool
    case: str | None = None


class OrderExpired(Event):
    """No answer in time (or no candidate at all, or nobody took it on its day). ``last``: the order is over."""

    TYPE: ClassVar[str] = "order.expired"
    volunteer: str | None = None
    last: bool
    case: str | None = None


class OrderDone(Event):
    """The volunteer says it is done, with the minutes actually given."""

    TYPE: ClassVar[str] = "order.done"
    volunteer: str
    minutes: int
    case: str | None = None


class OrderRedo(Event):
    """The resident says it is not done."""

    TYPE: ClassVar[str] = "order.redo_asked"
    volunteer: str
    case: str | None = None


class OrderConfirmed(Event):
    """The deed is confirmed: by the resident with the code, or by a worker who asked."""

    TYPE: ClassVar[str] = "order.confirmed"
    volunteer: str
    minutes: int
    line: str
    by: Literal["resident", "callback"]
    case: str | None = None


class OrderOverdue(Event):
    """``name`` of what was promised (service, confirmation) has passed."""

    TYPE: ClassVar[str] = "order.overdue"
    name: str
    due: Instant
    case: str | None = None


class OrderCancelled(Event):
    """Not wanted any more."""

    TYPE: ClassVar[str] = "order.cancelled"
    reason: str
    case: str | None = None


class OrderRedacted(Event):
    """Personal data of this order were erased."""

    TYPE: ClassVar[str] = "order.redacted"
    purposes: tuple[str, ...]


EVENTS = (
    OrderRequested, OrderMatched, OrderOffered, OrderAccepted, OrderDeclined, OrderExpired, OrderDone, OrderRedo,
    OrderConfirmed, OrderOverdue, OrderCancelled, OrderRedacted,
)  # fmt: skip


class Limits(Part):
    """How long an answer, the service and its confirmation may take."""

    answer: Limit
    service: Limit
    confirmation: Limit


class Order(State):
    """``candidates``: who may still be asked, best first; ``asked``: who was. ``volunteer``: offered to, or goes."""

    unit: str
    stage: str
    outcome: str | None = None
    mode: Mode
    line: Code
    case: Code | None = None
    resident: Code | None = None
    named: Code | None = None
    on: Day | None = None
    zone: Code
    limits: Limits
    candidates: tuple[Code, ...] = ()
    asked: tuple[Code, ...] = ()
    volunteer: Code | None = None
    minutes: int | None = None
    late: bool = False
    deadlines: Deadlines = ()
    due: tuple[Due, ...] = ()
