"""What is known of a person, as it is sealed: one shape for each purpose it is read for.

``identity`` says who it is, ``contacts`` how to reach them and whether they agreed to it, ``markers`` what makes them
need care. Each is read under a permission of its own.
"""

import re
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from services.kernel.events import Refused, Value
from services.kernel.phone import E164
from services.kernel.values import Day, Flag

IDENTITY, CONTACTS, MARKERS = "identity", "contacts", "markers"
Purpose = Literal["identity", "contacts", "markers"]
PURPOSES: tuple[Purpose, ...] = ("identity", "contacts", "markers")
Relation = Literal["head", "spouse", "child", "parent", "grandchild", "grandparent", "sibling", "other"]
_NUMBER = re.compile(r"[0-9]{17}[0-9X]")


class Identity(Value):
    """Who a person is. ``number`` is a resident identity number; ``registered_address`` where the household
    registration (户籍) lies when that is not where the person lives."""

    name: str = Field(min_length=1, max_length=60)
    number: str | None = None
    birth: Day | None = None
    sex: Literal["female", "male"] | None = None
    relation: Relation | None = None
    registered_address: str | None = Field(default=None, max_length=200)

    @field_validator("name")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a name is needed")
        return value.strip()

    @property
    def born(self) -> date | None:
        """The day of birth: as given, or as the number tells."""
        return self.birth or (birth_of(self.number) if self.number else None)


class Contact(Value):
    """A way to reach a person. Without ``consent`` it is kept for emergencies only; ``of`` names somebody else's."""

    phone: E164
    of: str | None = Field(default=None, max_length=60)
    relation: str | None = Field(default=None, max_length=40)
    consent: Flag = False
    consent_on: Day | None = None

    @model_validator(mode="after")
    def _dated_consent(self) -> "Contact":
        if self.consent and self.consent_on is None:
            raise PydanticCustomError("consent-undated", "a consent needs its day")
        return self


class Marker(Value):
    """A special category of a person, with the source that says so and the days over which it holds."""

    code: str = Field(min_length=1, max_length=60)
    source: str = Field(min_length=1, max_length=120)
    since: Day
    until: Day | None = None

    @model_validator(mode="after")
    def _forward(self) -> "Marker":
        if self.until is not None and self.until <= self.since:
            raise PydanticCustomError("marker-backwards", "a marker ends after it begins")
        return self

    def holds(self, day: date) -> bool:
        """Whether the marker holds on that day; ``until`` is the first day it does not."""
        return self.since <= day and (self.until is None or day < self.until)


def checked_number(text: str) -> str:
    """A resident number in its written form.

    Refused: ``number-malformed``, ``number-checksum``. The region is not judged: real people carry numbers of regions
    that no list knows (new counties, residence permits); ``region_known`` gives the warning.
    """
    number = text.strip().replace(" ", "").upper()
    if not _NUMBER.fullmatch(number):
        raise Refused("number-malformed", "number")
    if ric.calc_check_digit(number) != number[-1]:
        raise Refused("number-checksum", "number")
    if birth_of(number) is None:
        raise Refused("number-malformed", "number")
    return number


def birth_of(number: str) -> date | None:
    """The day of birth in a resident number, or None when that is no day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def region_known(number: str) -> bool:
    """Whether the number's region stands in the published list; a warning only."""
    try:
        ric.get_birth_place(number)
    except ValidationError:
        return False
    return True


def checked_identity(identity: Identity) -> Identity:
    """With its number in written form. Refused as ``checked_number``, and ``birth-differs`` from what that says."""
    if identity.number is None:
        return identity
    try:
        number = checked_number(identity.number)
    except Refused as error:
        raise Refused(error.code, "identity.number") from None
    if identity.birth is not None and identity.birth != birth_of(number):
        raise Refused("birth-differs", "identity.birth")
    return identity.model_copy(update={"number": number})
