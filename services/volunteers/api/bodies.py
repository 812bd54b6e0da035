"""What callers send. Lengths are bounded; every text is free text and therefore personal: it is sealed."""

from typing import Annotated

from pydantic import Field, StringConstraints

from services.kernel.events import Value
from services.kernel.matching import Window
from services.kernel.phone import Phone
from services.kernel.values import Day, Flag, Instant, Whole
from services.volunteers.domain import hours, team, volunteer
from services.volunteers.domain.order.commands import CancelReason, DeclineReason
from services.volunteers.domain.order.state import Mode
from services.volunteers.domain.rules import MOST_ORDERS
from services.volunteers.domain.volunteer import Availability, Skills

Id = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
Minutes = Annotated[Whole, Field(ge=-(10**9), le=10**9)]  # what is sound, the domain says
Account = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Skilled(Value):
    """Lines of service, and those trained for."""

    lines: tuple[Code, ...] = Field(max_length=50)
    trained: tuple[Code, ...] = Field(default=(), max_length=50)

    def skills(self) -> Skills:
        """As the domain takes it."""
        return Skills(self.lines, self.trained)


class Available(Value):
    """When a volunteer may be asked, how many orders at once, and whether at all (``consent``)."""

    consent: Flag
    capacity: Whole = Field(default=2, ge=0, le=MOST_ORDERS)
    windows: tuple[Window, ...] = Field(default=(), max_length=50)
    after_hours: Flag = False
    available_until: Day | None = None

    def availability(self) -> Availability:
        """As the domain takes it."""
        return Availability(self.consent, self.capacity, self.windows, self.after_hours, self.available_until)


class Person(Value):
    """Who it is. Sealed. ``account``: the ``sub`` under which the volunteer signs in, if at all; ``resident``: the file
    in the register of residents, which alone tells whether it is a party volunteer (党员义工)."""

    name: Name
    phone: Phone
    account: Account | None = None
    resident: Id | None = None


class Registering(Value):
    """A volunteer to be registered."""

    unit: Id
    person: Person
    skills: Skilled
    availability: Available


class Moving(Value):
    """The grid to which the volunteer is fixed from now on."""

    unit: Id


class Leaving(Value):
    """Why the volunteer leaves."""

    reason: volunteer.CloseReason


class Forming(Value):
    """A team to be formed; ``leader`` is a volunteer's id. The name is public: a team's, no person's."""

    unit: Id
    kind: Code
    name: Name
    leader: Id


class Member(Value):
    """A volunteer's id."""

    volunteer: Id


class Ending(Value):
    """Why the team ends."""

    reason: team.CloseReason


class Task(Value):
    """What is to be done, where, and whom to ask for."""

    task: Text
    place: Note = ""
    contact: Note = ""

    def words(self) -> dict[str, str]:
        """What was given, to be sealed."""
        return {name: value for name, value in self if value}


class Requesting(Value):
    """A deed that is asked for. ``on``: the activity day. ``start`` and ``end``: a fixed time, within a day."""

    unit: Id
    mode: Mode = "dispatch"
    line: Code
    task: Task
    resident: Id | None = None
    volunteer: Id | None = None
    on: Day | None = None
    start: Instant | None = None
    end: Instant | None = None


class Declining(Value):
    """Why not. ``note`` says more and is sealed."""

    reason: DeclineReason
    note: Note = ""


class DecliningFor(Declining):
    """What a volunteer told the coordinator."""

    volunteer: Id


class Done(Value):
    """The minutes actually given (LAW-32)."""

    minutes: Minutes


class DoneFor(Done):
    """What a volunteer told the coordinator."""

    volunteer: Id


class Cancelling(Value):
    """Why it is not wanted any more. ``note`` says more and is sealed."""

    reason: CancelReason
    note: Note = ""


class Correcting(Value):
    """The right total in minutes, and why."""

    total: Minutes
    reason: hours.CorrectionReason
    note: Note = ""


class AskingCorrection(Value):
    """The total that would be right, and why."""

    total: Minutes
    note: Text


class Keeping(Value):
    """Why the total stays."""

    reason: hours.KeepReason
