"""What may be asked of a concern. ``rules`` are the district's decisions for the day it was opened; ``by`` who asks."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from services.complaints.domain.events import Kind, Outcome
from services.complaints.domain.rules import Rules
from services.kernel.case.custody import Party
from services.kernel.case.deadlines import Due

Roles = frozenset[str]
OrderEnd = Literal["confirmed", "declined", "expired", "cancelled"]


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcome that an imported concern already had."""

    outcome: Outcome
    on: datetime
    reply: str


@dataclass(frozen=True, slots=True)
class Record:
    """``ladder``: (level, unit), lowest first. ``by`` is None when nobody of the ladder received it first: then the
    lowest unit did. ``reporter`` holds name, phone and address, sealed; ``keys`` the hashes to find it by."""

    rules: Rules
    unit: str
    kind: Kind
    category: str
    channel: str
    subject: str
    text: str
    ladder: tuple[tuple[str, str], ...]
    zone: str
    by: Party | None = None
    reporter: dict[str, str] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    resident: str | None = None
    visit: str | None = None
    repeat_of: str | None = None
    recorded_at: datetime | None = None
    imported: bool = False
    settled: Settlement | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """Take the concern up (受理)."""

    rules: Rules
    by: Party
    roles: Roles


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Offer the handling (派单). ``ruling`` settles disputed duty."""

    rules: Rules
    by: Party
    roles: Roles
    to: Party
    ruling: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """Take over what was offered, or begin with what is one's own already."""

    rules: Rules
    by: Party
    roles: Roles


@dataclass(frozen=True, slots=True)
class Return:
    """Give back what was offered; to a level above, this is its reply."""

    rules: Rules
    by: Party
    roles: Roles
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Escalate:
    """Put it to the level above."""

    rules: Rules
    by: Party
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer what was put to one's level; the reply goes down to the asker."""

    by: Party
    result: Literal["solved", "answered", "advised"]
    text: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Record the outcome with the reply to the resident."""

    rules: Rules
    by: Party
    roles: Roles
    outcome: Outcome
    reply: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """The resident agrees; ``by`` is None when the resident says so with the code."""

    rules: Rules
    roles: Roles
    by: Party | None = None
    satisfied: bool | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    """The resident objects, or a worker found it undone."""

    rules: Rules
    roles: Roles
    reason: str
    by: Party | None = None
    callback: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Close:
    """Close a settled concern whose resident cannot be asked."""

    rules: Rules
    by: Party
    roles: Roles
    reason: str


@dataclass(frozen=True, slots=True)
class Supplement:
    """Add what became known."""

    by: Party | None
    text: str


@dataclass(frozen=True, slots=True)
class RequestOrder:
    """Ask the volunteers. ``order`` is the id that the order shall have."""

    by: Party
    order: str
    line: str
    mode: Literal["activity_day", "dispatch", "by_name"]
    volunteer: str | None = None
    on: date | None = None
    must: bool = True


@dataclass(frozen=True, slots=True)
class EndOrder:
    """The volunteers say how an order ended."""

    order: str
    how: OrderEnd


@dataclass(frozen=True, slots=True)
class Waive:
    """Go on without an open order, with a reason."""

    rules: Rules
    by: Party
    order: str
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Put a text of its own on the echo wall."""

    by: Party
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the text off the wall."""

    rules: Rules
    by: Party
    reason: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """A promised time has come."""

    due: Due


@dataclass(frozen=True, slots=True)
class Recompute:
    """The calendar may have been announced: provisional times are counted again."""


@dataclass(frozen=True, slots=True)
class Move:
    """The unit tree changed; ``ladder`` is as at registration."""

    ladder: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PartyEnded:
    """A person who answers for it, handles it or was offered it has left; the unit stands in."""

    party: str
    reason: str


Command = Any
