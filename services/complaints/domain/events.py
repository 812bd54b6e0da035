"""What happens to a concern, in public form: ids, codes and figures only.

Texts that the state must show (the masked subject, a released answer) ride along as private attributes: ``evolve``
reads them, nothing dumps them, so they reach neither the history nor a topic.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import PrivateAttr

from services.kernel.case.deadlines import Limit
from services.kernel.events import Event, Value
from services.kernel.values import Day, Instant

Kind = Literal["condition", "voice", "view"]
Outcome = Literal["solved", "answered"]
Objector = Literal["resident", "callback", "worker"]
Acceptance = Literal["intake", "handling", "up"]


TEXT, REPORTER, REPLY, NOTE, ADVICE, SUPPLEMENT = "text", "reporter", "reply", "note", "advice", "supplement"
"""The purposes for which something of a concern is sealed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``subject`` is masked; ``ladder``: (level, unit), lowest first; ``askable``: there is somebody to call back."""

    subject: str
    unit: str
    ladder: tuple[tuple[str, str], ...]
    zone: str
    reply: Limit
    askable: bool


class CaseRegistered(Event):
    """``level`` and ``answerable`` are where it begins; ``recorded_at`` the business instant, which for an imported
    concern lies before the event's own time."""

    TYPE: ClassVar[str] = "case.registered"
    kind: Kind
    category: str
    urgency: str
    channel: str
    level: str
    answerable: str
    answerable_unit: str
    reporter_known: bool
    resident: str | None = None
    visit: str | None = None
    repeat_of: str | None = None
    recorded_at: Instant
    imported: bool = False
    stage: str
    _kept: "Kept | None" = PrivateAttr(None)

    def keeping(self, kept: "Kept") -> "CaseRegistered":
        """With what the state keeps and nobody publishes."""
        self._kept = kept
        return self

    @property
    def kept(self) -> "Kept":
        """What the state keeps."""
        assert self._kept is not None, "a registration is decided with what the state keeps"
        return self._kept


class CasePromised(Event):
    """A promised time began to run. ``name``: accept, dispatch, feedback, callback, or reply-<level>."""

    TYPE: ClassVar[str] = "case.promised"
    name: str
    at: Instant
    provisional: bool
    started: Instant
    limit: Limit


class Moving(Event):
    """Base of the steps that may change the stage. ``promise`` names the promise that runs there, if any."""

    TYPE: ClassVar[str] = ""
    stage: str
    promise: str | None = None
    level: str


class CaseAccepted(Moving):
    """``what``: the unit takes the concern up (intake), a handler takes it over or begins (handling), or the level
    above takes over what was put to it (up)."""

    TYPE: ClassVar[str] = "case.accepted"
    party: str
    party_unit: str
    what: Acceptance


class CaseOffered(Moving):
    """The handling is offered to ``to``; ``ruling`` settles disputed duty and cannot be returned."""

    TYPE: ClassVar[str] = "case.offered"
    to: str
    to_unit: str
    by: str
    by_unit: str
    basis: str
    ruling: bool = False


class CaseReturned(Moving):
    """Who was offered it gave it back; ``up``: it had been put to a higher level, and the reason is its reply."""

    TYPE: ClassVar[str] = "case.returned"
    party: str
    party_unit: str
    reason: str
    up: bool = False
    asker: str | None = None


class CaseEscalated(Event):
    """Put to the level above, which owes ``asker`` a reply. ``automatic``: a clock did it, counted from ``since``."""

    TYPE: ClassVar[str] = "case.escalated"
    from_level: str
    level: str
    to: str
    asker: str
    by: str | None = None
    by_unit: str | None = None
    automatic: bool
    reason: str
    basis: str
    since: Instant


class CaseReplied(Event):
    """The reply came down from ``from_level`` to ``asker``, who is at ``level``."""

    TYPE: ClassVar[str] = "case.replied"
    by: str
    by_unit: str
    asker: str
    asker_unit: str
    from_level: str
    level: str
    result: Literal["solved", "answered", "advised"]


class CaseOverdue(Event):
    """``due`` passed without what was promised under ``name``."""

    TYPE: ClassVar[str] = "case.overdue"
    name: str
    due: Instant
    level: str
    category: str
    provisional: bool = False


class Settled(Moving):
    """Base of the two outcomes. ``on``: the business instant; ``level``: who settled it; ``escalated``: whether it ever
    went up, so that the share solved at the base can be counted."""

    TYPE: ClassVar[str] = ""
    on: Instant
    by_unit: str
    category: str
    kind: Kind
    escalated: bool
    reopened: int
    imported: bool = False


class CaseSolved(Settled):
    """The matter itself was put right."""

    TYPE: ClassVar[str] = "case.solved"


class CaseAnswered(Settled):
    """The matter could not be put right, or needed only words; the resident has a reply."""

    TYPE: ClassVar[str] = "case.answered"


class CaseConfirmed(Moving):
    """The resident agrees; ``by``: resident (with the code) or callback (a worker asked)."""

    TYPE: ClassVar[str] = "case.confirmed"
    by: Literal["resident", "callback"]
    category: str
    outcome: Outcome
    satisfied: bool | None = None


class CaseReopened(Moving):
    """The resident objects, or a worker found it undone. ``times`` counts from 1: re-done cases are a figure."""

    TYPE: ClassVar[str] = "case.reopened"
    by: Objector
    reason: str
    category: str
    outcome: Outcome
    times: int


class CaseClosed(Moving):
    """Nothing more is to come. ``confirmed``: the resident agreed."""

    TYPE: ClassVar[str] = "case.closed"
    category: str
    outcome: Outcome
    confirmed: bool
    reason: str | None = None


class CaseSupplemented(Event):
    """Something new became known; ``matter`` counts the versions of what is asked."""

    TYPE: ClassVar[str] = "case.supplemented"
    matter: int


class CaseAnswerableNamed(Event):
    """Somebody else answers for it from now: only when the party who did has ended."""

    TYPE: ClassVar[str] = "case.answerable_named"
    answerable: str
    answerable_unit: str
    handler: str
    handler_unit: str
    reason: str


class Step(Value):
    """One level of the ladder and the unit that stands there."""

    level: str
    unit: str


class CaseMoved(Event):
    """The unit tree changed above it: these units stand over it from now, the lowest first. What lay with a unit that
    no longer does lies with the one in its place."""

    TYPE: ClassVar[str] = "case.moved"
    ladder: tuple[Step, ...]


class CaseOrderRequested(Event):
    """Volunteers are asked for a service order. ``order`` is the id that order shall have."""

    TYPE: ClassVar[str] = "case.order_requested"
    order: str
    line: str
    mode: Literal["activity_day", "dispatch", "by_name"]
    unit: str
    volunteer: str | None = None
    on: Day | None = None
    resident: str | None = None
    must: bool = True


class CaseOrderEnded(Event):
    """The order came to its end. ``how``: confirmed by the resident, declined or expired for good, or cancelled."""

    TYPE: ClassVar[str] = "case.order_ended"
    order: str
    how: Literal["confirmed", "declined", "expired", "cancelled"]


class CaseOrderWaived(Event):
    """Somebody answers for going on without the order."""

    TYPE: ClassVar[str] = "case.order_waived"
    order: str
    reason: str
    by: str


class CaseAnswerReleased(Event):
    """A public text stands on the echo wall of ``unit`` and of all above it. The text itself is never in an event."""

    TYPE: ClassVar[str] = "case.answer_released"
    category: str
    level: str
    hash: str
    released_by: str
    _question: str = PrivateAttr("")
    _answer: str = PrivateAttr("")

    def showing(self, question: str, answer: str) -> "CaseAnswerReleased":
        """With the released texts."""
        self._question, self._answer = question, answer
        return self


class CaseAnswerWithdrawn(Event):
    """The text was taken off the wall."""

    TYPE: ClassVar[str] = "case.answer_withdrawn"
    reason: str


class CaseRedacted(Event):
    """What was sealed for these purposes has been erased: with the text the masked subject made from it, with the
    reporter who that is (the resident's id, the telephone) and so whether anybody can be asked."""

    TYPE: ClassVar[str] = "case.redacted"
    purposes: tuple[str, ...]


EVENTS: tuple[type[Event], ...] = (
    CaseRegistered, CasePromised, CaseAccepted, CaseOffered, CaseReturned, CaseEscalated, CaseReplied, CaseOverdue,
    CaseSolved, CaseAnswered, CaseConfirmed, CaseReopened, CaseClosed, CaseSupplemented, CaseAnswerableNamed, CaseMoved,
    CaseOrderRequested, CaseOrderEnded, CaseOrderWaived, CaseAnswerReleased, CaseAnswerWithdrawn, CaseRedacted,
)  # fmt: skip
