"""What may be asked of a service order."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.kernel.case.deadlines import Due
from services.volunteers.domain.order.state import Mode
from services.volunteers.domain.order.workflow import VOLUNTEER
from services.volunteers.domain.rules import Rules

DeclineReason = Literal["busy", "unwell", "too-far", "unsuited", "other"]
ReleaseReason = Literal["left", "consent-withdrawn"]  # the service's own, when the volunteer can be asked no more
CancelReason = Literal["not-needed", "mistaken", "duplicate", "other"]
WAIVED: Literal["waived"] = "waived"  # by the concern that had asked
Witness = Literal["resident", "callback"]
Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """Ask for a deed. ``task`` (what, where, for whom) is sealed; ``keys`` hold the hash of the resident's code."""

    rules: Rules
    unit: str
    mode: Mode
    line: str
    zone: str
    task: Words
    keys: dict[str, list[str]]
    case: str | None = None
    resident: str | None = None
    volunteer: str | None = None
    on: date | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """What is to be done, where and for whom; the last description holds."""

    task: Words


@dataclass(frozen=True, slots=True)
class Match:
    """Who may be asked now, best first, as matching ranked them."""

    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accept:
    """The volunteer takes it: who has the offer, or, on an activity day, whoever fits. ``unfit``: why not, if so."""

    volunteer: str
    unfit: tuple[str, ...] = ()
    role: str = VOLUNTEER


@dataclass(frozen=True, slots=True)
class Decline:
    """The volunteer does not take it, or cannot go after all. ``note`` is sealed."""

    volunteer: str
    reason: DeclineReason | ReleaseReason
    note: str = ""
    role: str = VOLUNTEER


@dataclass(frozen=True, slots=True)
class ReportDone:
    """Done, in ``minutes`` actually given."""

    volunteer: str
    minutes: int
    role: str = VOLUNTEER


@dataclass(frozen=True, slots=True)
class Confirm:
    """The resident agrees, or a worker asked. ``worker``: that worker's own entry as a volunteer, if there is one."""

    by: Witness
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Redo:
    """It is not done."""

    by: Witness
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Not wanted any more. ``note`` is sealed."""

    reason: CancelReason | Literal["waived"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A promised time has come."""

    due: Due


@dataclass(frozen=True, slots=True)
class Recompute:
    """Calendars may have been announced."""


Command = Request | Describe | Match | Accept | Decline | ReportDone | Confirm | Redo | Cancel | Overdue | Recompute
