"""What happens to a service order. Ids of units, volunteers and concerns, codes and figures; no word of the task."""

from typing import ClassVar, Literal

from services.kernel.case.deadlines import Limit
from services.kernel.events import Event
from services.kernel.values import Day, Instant
from services.volunteers.domain.order.state import Mode

TASK, NOTE = "task", "note"  # the purposes for which something of an order is sealed


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
    start: Instant | None = None
    end: Instant | None = None
    zone: str
    answer: Limit
    service: Limit
    confirmation: Limit


class OrderDescribed(Event):
    """What is to be done, where and for whom has been written down, or anew. The text is sealed."""

    TYPE: ClassVar[str] = "order.described"


class OrderMatched(Event):
    """``found`` may be asked; the best of them, best first, are ``candidates``."""

    TYPE: ClassVar[str] = "order.matched"
    candidates: tuple[str, ...]
    found: int


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
    """The volunteer does not go (any more). ``last``: nobody else will be asked, the order is over."""

    TYPE: ClassVar[str] = "order.declined"
    volunteer: str
    reason: str
    last: bool
    case: str | None = None


class OrderExpired(Event):
    """No answer in time, no (further) candidate, or its time has come. ``last``: the order is over."""

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
    by: Literal["resident", "callback"]
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
    """``name`` of what was promised (service, confirmation) has passed. ``provisional``: no calendar was announced."""

    TYPE: ClassVar[str] = "order.overdue"
    name: str
    due: Instant
    provisional: bool = False
    case: str | None = None


class OrderPromised(Event):
    """A provisional time is another one now that its calendar is known better."""

    TYPE: ClassVar[str] = "order.promised"
    name: str
    at: Instant
    provisional: bool


class OrderCancelled(Event):
    """Not wanted any more."""

    TYPE: ClassVar[str] = "order.cancelled"
    reason: str
    case: str | None = None


class OrderRedacted(Event):
    """What was sealed for these purposes has been erased."""

    TYPE: ClassVar[str] = "order.redacted"
    purposes: tuple[str, ...]


EVENTS = (
    OrderRequested, OrderDescribed, OrderMatched, OrderOffered, OrderAccepted, OrderDeclined, OrderExpired, OrderDone,
    OrderRedo, OrderConfirmed, OrderOverdue, OrderPromised, OrderCancelled, OrderRedacted,
)  # fmt: skip
