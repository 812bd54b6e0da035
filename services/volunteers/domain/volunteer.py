"""A volunteer (志愿者): known, skilled, available, and asked only with consent.

Invariants
* Nobody is registered without consent, and whoever withdraws it, or leaves, is asked no more (rules on records of
  volunteer service, 2021: no disclosure without consent).
* Training is for a line that the volunteer serves in; skilled work is only for the trained (the same rules).
* The public id is no resident's number: name, phone and the resident behind it are sealed, and hashed to be found.
* What marks a person (a party member, for one) is nowhere here: the register of residents owns it and is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from services.kernel.events import Event, Happened, Refused, State
from services.kernel.matching import Candidate, Window
from services.kernel.values import Code, Day
from services.volunteers.domain.rules import Rules

CloseReason = Literal["asked", "moved-away", "unreachable", "other"]
Keys = dict[str, list[str]]
PERSON, RESIDENT = "person", "resident"
KEYS: dict[str, tuple[str, ...]] = {"phone": (PERSON,), "account": (PERSON,), "resident": (RESIDENT,)}
"""By what a volunteer is found, and with what that is erased."""


class VolunteerRegistered(Event):
    """``grid`` is where the volunteer is fixed (志愿者落实到网格)."""

    TYPE: ClassVar[str] = "volunteer.registered"
    grid: str
    lines: tuple[str, ...]


class VolunteerChanged(Event):
    """Skills, availability or consent as they are now."""

    TYPE: ClassVar[str] = "volunteer.changed"
    lines: tuple[str, ...]
    trained: tuple[str, ...]
    capacity: int
    consent: bool
    after_hours: bool
    windows: tuple[Window, ...] = ()
    available_until: Day | None = None


class VolunteerMoved(Event):
    """Fixed to another grid."""

    TYPE: ClassVar[str] = "volunteer.moved"
    grid: str


class VolunteerPersonChanged(Event):
    """Name, phone or account are others. The data are sealed."""

    TYPE: ClassVar[str] = "volunteer.person_changed"


class VolunteerClosed(Event):
    """The volunteer has left and is asked no more."""

    TYPE: ClassVar[str] = "volunteer.closed"
    reason: str


class VolunteerRedacted(Event):
    """Personal data of this volunteer were erased."""

    TYPE: ClassVar[str] = "volunteer.redacted"
    purposes: tuple[str, ...]


EVENTS = (
    VolunteerRegistered,
    VolunteerChanged,
    VolunteerMoved,
    VolunteerPersonChanged,
    VolunteerClosed,
    VolunteerRedacted,
)


class Volunteer(State):
    """``unit`` is the grid (or community) of the volunteer; ``windows`` are weekly free times."""

    unit: str
    lines: tuple[Code, ...]
    trained: tuple[Code, ...] = ()
    capacity: int = 2
    windows: tuple[Window, ...] = ()
    after_hours: bool = False
    available_until: Day | None = None
    consent: bool
    closed: bool = False

    def candidate(self, volunteer: str, path: tuple[str, ...], load: int) -> Candidate:
        """As matching sees it; ``path`` from the grid up, ``load`` the orders he has now."""
        return Candidate(
            id=volunteer,
            path=path,
            lines=self.lines,
            trained=self.trained,
            load=load,
            capacity=self.capacity,
            windows=self.windows,
            after_hours=self.after_hours,
            available_until=self.available_until,
            consent=self.consent,
            closed=self.closed,
        )


@dataclass(frozen=True, slots=True)
class Skills:
    """What a volunteer can do; who registers him vouches for the training."""

    lines: tuple[str, ...]
    trained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """When a volunteer may be asked. ``consent``: may be asked, and be told to who asks for help."""

    consent: bool
    capacity: int = 2
    windows: tuple[Window, ...] = ()
    after_hours: bool = False
    available_until: date | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """Take a volunteer into the register. ``person`` (name, phone) and ``resident`` (the id of the file in the register
    of residents, if it is known) are sealed, ``keys`` find the volunteer again."""

    rules: Rules
    unit: str
    skills: Skills
    availability: Availability
    person: dict[str, str]
    keys: Keys = field(default_factory=dict)
    resident: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeSkills:
    """Other lines or training from now on."""

    rules: Rules
    skills: Skills


@dataclass(frozen=True, slots=True)
class ChangeAvailability:
    """Other times, or consent given or withdrawn."""

    availability: Availability


@dataclass(frozen=True, slots=True)
class Move:
    """Fixed to another grid of the district."""

    unit: str


@dataclass(frozen=True, slots=True)
class ChangePerson:
    """Another name, phone, account or resident's file; ``keys`` replace those of their names."""

    person: dict[str, str]
    keys: Keys
    resident: str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """The volunteer leaves."""

    reason: CloseReason


def decide(state: Volunteer | None, command: Any, now: datetime) -> list[Happened]:
    """Refused: ``lines-missing``, ``line-unknown``, ``training-without-line``, ``consent-missing``,
    ``volunteer-closed``."""
    if isinstance(command, Register):
        return _register(command)
    if state is None:
        raise Refused("not-found")
    if state.closed:
        raise Refused("volunteer-closed")
    return _DECIDED[type(command)](state, command)


def _register(command: Register) -> list[Happened]:
    _refuse_incomplete(command.skills, command.rules)
    if not command.availability.consent:
        raise Refused("consent-missing", "consent")
    skills = command.skills
    registered = VolunteerRegistered(grid=command.unit, lines=skills.lines)
    changed = VolunteerChanged(**_fields(skills), **_fields(command.availability))
    private = {PERSON: command.person} | (_link(command.resident) if command.resident else {})
    return [Happened(registered, private, command.keys), Happened(changed)]


def _change_skills(state: Volunteer, command: ChangeSkills) -> list[Happened]:
    _refuse_incomplete(command.skills, command.rules)
    return _changed(state, command.skills)


def _change_availability(state: Volunteer, command: ChangeAvailability) -> list[Happened]:
    return _changed(state, command.availability)


def _move(state: Volunteer, command: Move) -> list[Happened]:
    return [] if command.unit == state.unit else [Happened(VolunteerMoved(grid=command.unit))]


def _change_person(state: Volunteer, command: ChangePerson) -> list[Happened]:
    private = {PERSON: command.person} | _link(command.resident)
    return [Happened(VolunteerPersonChanged(), private, command.keys)]


def _link(resident: str | None) -> dict[str, dict[str, str]]:
    """To the file in the register of residents; an empty one takes the place of an earlier one."""
    return {RESIDENT: {"id": resident} if resident else {}}


def _close(state: Volunteer, command: Close) -> list[Happened]:
    return [Happened(VolunteerClosed(reason=command.reason))]


def _changed(state: Volunteer, given: Skills | Availability) -> list[Happened]:
    present = {name: getattr(state, name) for name in VolunteerChanged.model_fields}
    changed = VolunteerChanged(**(present | _fields(given)))
    return [] if changed == VolunteerChanged(**present) else [Happened(changed)]


def _fields(given: Skills | Availability) -> dict[str, Any]:
    return {one.name: getattr(given, one.name) for one in fields(given)}


def _refuse_incomplete(skills: Skills, rules: Rules) -> None:
    if not skills.lines:
        raise Refused("lines-missing", "lines")
    for line in skills.lines:
        rules.line(line)
    if not set(skills.trained) <= set(skills.lines):
        raise Refused("training-without-line", "trained")


def evolve(state: Volunteer | None, event: Event, at: datetime) -> Volunteer:
    """The state after the event."""
    if isinstance(event, VolunteerRegistered):
        return Volunteer(unit=event.grid, lines=event.lines, consent=True)
    assert state is not None
    if isinstance(event, VolunteerChanged):
        return state.model_copy(update={name: getattr(event, name) for name in VolunteerChanged.model_fields})
    if isinstance(event, VolunteerMoved):
        return state.model_copy(update={"unit": event.grid})
    if isinstance(event, VolunteerClosed):
        return state.model_copy(update={"closed": True})
    return state


_DECIDED: dict[type, Callable[[Volunteer, Any], list[Happened]]] = {
    ChangeSkills: _change_skills,
    ChangeAvailability: _change_availability,
    Move: _move,
    ChangePerson: _change_person,
    Close: _close,
}
