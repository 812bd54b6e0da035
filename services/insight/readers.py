"""What insight reads of the other services' events: only the fields that a figure needs."""

from services.chassis.contracts.wire import Reader
from services.kernel.values import Instant


class Bare(Reader):
    """An event whose occurrence is all that counts."""


class CaseRegistered(Reader):
    """A concern was recorded."""

    kind: str
    category: str
    channel: str
    recorded_at: Instant


class CaseSettled(Reader):
    """Solved or answered, on a business instant."""

    on: Instant


class OrderRequested(Reader):
    """A service order was asked for."""

    line: str
    mode: str


class HoursBooked(Reader):
    """Minutes actually given (LAW-32)."""

    volunteer: str
    minutes: int


class UnitRegistered(Reader):
    """A unit of the tree."""

    kind: str
    level: str | None = None
    layer: str | None = None


class StaffRegistered(Reader):
    """A post-holder."""

    post: str | None = None


class VisitRecorded(Reader):
    """A visit to a home."""

    purpose: str
    on: Instant
