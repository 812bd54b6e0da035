"""What callers send. Lengths are bounded; every text is free text and therefore personal until somebody masked it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.complaints.domain.events import Kind
from services.kernel.events import Value
from services.kernel.phone import Phone
from services.kernel.values import Day, Flag

Id = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]
Choice = Annotated[str, StringConstraints(min_length=1, max_length=50)]  # a code of the district, which knows them
Subject = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Reporter(Value):
    """Who told it. Sealed; a telephone lets the resident follow the concern."""

    name: Name | None = None
    phone: Phone | None = None
    address: Address | None = None


class Recording(Value):
    """A concern as staff record it."""

    unit: Id
    kind: Kind
    category: Choice
    channel: Choice
    subject: Subject
    text: Text
    reporter: Reporter | None = None
    resident: Id | None = None
    visit: Id | None = None
    repeat_of: Id | None = None


class PublicRecording(Value):
    """A concern as a resident tells it, without an account."""

    unit: Id
    kind: Kind = "condition"
    category: Choice
    subject: Subject
    text: Text
    reporter: Reporter | None = None


class Dispatching(Value):
    """To a person of a unit, or to the unit itself when ``to`` is left out."""

    to: Id | None = None
    unit: Id
    ruling: Flag = False


class Reasoned(Value):
    """``reason`` is one of the district's codes, ``note`` says more and is sealed."""

    reason: Choice
    note: Note = ""


class Replying(Value):
    """The reply to what was put to one's level."""

    result: Literal["solved", "answered", "advised"]
    text: Text


class Settling(Value):
    """The reply to the resident that goes with an outcome."""

    reply: Text


class CallingBack(Value):
    """What the resident said when called back."""

    satisfied: Flag | None = None


class Objecting(Value):
    """``callback``: the resident said so when called back; otherwise a worker found it."""

    reason: Choice
    note: Note = ""
    callback: Flag = False


class Supplementing(Value):
    """What became known later."""

    text: Text


class Ordering(Value):
    """A service order asked of the volunteers."""

    line: Code
    mode: Literal["activity_day", "dispatch", "by_name"] = "dispatch"
    volunteer: Id | None = None
    on: Day | None = None
    must: Flag = True


class Hanging(Value):
    """The public text: a question and an answer in words of their own."""

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]
    answer: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=3000)]


class Erasing(Value):
    """Which sealed parts go."""

    purposes: tuple[Literal["text", "reporter", "reply", "note", "advice", "supplement"], ...] = Field(min_length=1)
