"""What volunteers reads of events."""

from typing import Literal

from services.chassis.contracts.wire import Reader
from services.kernel.values import Day


class OrderWanted(Reader):
    """``linli.complaints.case.order_requested.v1``: ``order`` is the id that the order shall have."""

    order: str
    line: str
    mode: Literal["activity_day", "dispatch", "by_name"]
    unit: str
    volunteer: str | None = None
    on: Day | None = None
    resident: str | None = None


class OrderNotWanted(Reader):
    """``linli.complaints.case.order_waived.v1``."""

    order: str


class OrderRequested(Reader):
    """Our own event, come back over Kafka: time to look for candidates."""


class OrderTurnedDown(Reader):
    """Our own ``order.declined.v1`` and ``order.expired.v1``. ``last``: nobody else will be asked."""

    last: bool


class OrderConfirmed(Reader):
    """Our own event: time to book the minutes."""

    volunteer: str
    minutes: int
    line: str
    case: str | None = None


class VolunteerChanged(Reader):
    """Our own event: ``consent`` may have been withdrawn."""

    consent: bool


class VolunteerClosed(Reader):
    """Our own event: who has left holds no order and no place in a team."""
