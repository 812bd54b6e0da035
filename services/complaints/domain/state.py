"""What is known of a concern. Open on reading; the sealed texts and the look-up hashes stand beside it."""

from typing import Literal

from services.complaints.domain.events import Kind, Outcome
from services.kernel.case.custody import Custody, Party
from services.kernel.case.deadlines import Deadlines, Due, Limit
from services.kernel.case.links import Links
from services.kernel.document import Document
from services.kernel.events import State
from services.kernel.values import Day, Instant, Part


class Rung(Part):
    """One unit through which the concern goes up."""

    level: str
    unit: str


class OnWall(Part):
    """The public text and its life. The texts are empty once it was withdrawn."""

    document: Document
    question: str
    answer: str
    at: Instant


class Case(State):
    """``stage`` and ``outcome`` stand side by side: solved, answered and closed are three things.

    ``work`` is open, done (has its outcome) or closed. ``matter`` counts the versions of what is asked, so that an
    offer is unchanged only while it has not moved. ``historic``: imported and not yet taken up. ``returned``: the
    last offer was given back and nobody has been offered it since. ``asked`` is the unit that owes the next reply.
    """

    unit: str
    kind: Kind
    category: str
    urgency: str
    channel: str
    subject: str
    recorded_at: Instant
    opened_on: Day
    stage: str
    work: Literal["open", "done", "closed"] = "open"
    outcome: Outcome | None = None
    settled_on: Instant | None = None
    custody: Custody
    ladder: tuple[Rung, ...]
    zone: str
    reply: Limit
    deadlines: Deadlines = ()
    due: tuple[Due, ...] = ()
    orders: Links = ()
    resident: str | None = None
    visit: str | None = None
    repeat_of: str | None = None
    askable: bool = False
    historic: bool = False
    matter: int = 1
    escalations: int = 0
    reopened: int = 0
    late: bool = False
    returned: bool = False
    asked: str | None = None
    wall: OnWall | None = None
    on_wall: bool = False

    @property
    def units(self) -> tuple[str, ...]:
        """The ladder as the kernel reads it."""
        return tuple(rung.unit for rung in self.ladder)

    @property
    def climb(self) -> tuple[str, ...]:
        """The ladder from the handler on. A handler beside it (a department) stands on the lowest rung."""
        handler = self.custody.handler.unit
        return self.units if handler in self.units else (handler, *self.units[1:])

    def level_of(self, unit: str) -> str:
        """The level at which a unit stands; the lowest for one below the ladder."""
        return next((rung.level for rung in self.ladder if rung.unit == unit), self.ladder[0].level)

    @property
    def level(self) -> str:
        """Where the matter lies now: with the level that owes a reply, else with its handler."""
        return self.level_of(self.asked or self.custody.handler.unit)

    @property
    def basis(self) -> str:
        """What is offered now, as it is known now."""
        return str(self.matter)

    def concerns(self, party: Party) -> bool:
        """Whether ``party`` handles it, answers for it, or works in the unit that does."""
        involved = (self.custody.handler, self.custody.answerable)
        return any(party.may_act_for(one) or party.unit == one.unit for one in involved)
