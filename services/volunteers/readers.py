"""What volunteers reads of others' events."""

from typing import Literal

from services.chassis.contracts import Reader


class OrderWanted(Reader):
    """``linli.complaints.case.order_requested.v1``: ``order`` is the id that the order shall have."""

    order: str
    line: str
    mode: Literal["activity_day", "dispatch", "by_name"]
    unit: str
    volunteer: str | None = None
    resident: str | None = None


class OrderNotWanted(Reader):
    """``linli.complaints.case.order_waived.v1``."""

    order: str


class OrderRequested(Reader):
    """Our own event, come back over Kafka: time to look for candidates."""

    mode: str


class OrderConfirmed(Reader):
    """Our own event: time to book the minutes."""

    volunteer: str
    minutes: int
    line: str
    case: str | None = None
