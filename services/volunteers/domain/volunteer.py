"""A volunteer (志愿者): known, skilled, available, and asked only with consent.

Rules on records of volunteer service (2021): no disclosure without consent, skilled work only after training, a public
id that is not the resident's number. Name and phone are sealed; the account is found by its keyed hash.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from services.kernel.events import Event, Happened, Refused, State
from services.kernel.matching import Candidate, Window
from services.kernel.values import Code, Day


class VolunteerRegistered(Event):
    """``grid`` is where the volunteer is fixed (志愿者落实到网格); ``party``: declared to be a party volunteer."""

    TYPE: ClassVar[str] = "volunteer.registered"
    grid: str
    lines: tuple[str, ...]
    party: bool


class VolunteerChanged(Event):
    """Skills, availability or consent are others now."""

    TYPE: ClassVar[str] = "volunteer.changed"
    lines: tuple[str, ...]
    trained: tuple[str, ...]
    capacity: int
    consent: bool
    after_hours: bool
    windows: tuple[Window, ...] = ()
    available_until: Day | None = None


class VolunteerClosed(Event):
    """The volunteer has left and is asked no more."""

    TYPE: ClassVar[str] = "volunteer.closed"
    reason: str


class VolunteerRedacted(Event):
    """Personal data of this volunteer were erased."""

    TYPE: ClassVar[str] = "volunteer.redacted"
    purposes: tuple[str, ...]


EVENTS = (VolunteerRegistered, VolunteerChanged, VolunteerClosed, VolunteerRedacted)


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
    party: bool = False
    closed: bool = False

    def candidate(self, volunteer: str, path: tuple[str, ...], load: int) -> Candidate:
        """As matching sees it; ``path`` from the grid up, ``load`` the orders he has now."""
        return Candidate(
            id=volunteer, path=path, lines=self.lines, trained=self.trained, load=load, capacity=self.capacity,
            windows=self.windows, after_hours=self.after_hours, available_until=self.available_until,
            consent=self.consent, closed=self.closed,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Skills:
    """What a volunteer offers. ``consent``: may be asked and be told to who asks for help."""

    lines: tuple[str, ...]
    trained: tuple[str, ...] = ()
    capacity: int = 2
    windows: tuple[Window, ...] = ()
    after_hours: bool = False
    available_until: Any = None
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """Take a volunteer into the register. ``person`` (name, phone) is sealed, ``keys`` find the volunteer again."""

    unit: str
    skills: Skills
    party: bool
    person: dict[str, str]
    keys: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """Other skills, times or consent from now on."""

    skills: Skills


@dataclass(frozen=True, slots=True)
class Close:
    """The volunteer leaves."""

    reason: str


def decide(state: Volunteer | None, command: Any, now: datetime) -> list[Happened]:
    """Refused: ``lines-missing``, ``training-without-line``, ``consent-missing``, ``volunteer-closed``."""
    if isinstance(command, Register):
        _refuse_incomplete(command.skills)
        if not command.skills.consent:
            raise Refused("consent-missing", "consent")
        registered = VolunteerRegistered(grid=command.unit, lines=command.skills.lines, party=command.party)
        first = Happened(registered, {"person": command.person}, command.keys)
        return [first, Happened(_changed(command.skills))]
    if state is None:
        raise Refused("not-found")
    if state.closed:
        raise Refused("volunteer-closed")
    if isinstance(command, Close):
        return [Happened(VolunteerClosed(reason=command.reason))]
    _refuse_incomplete(command.skills)
    return [Happened(_changed(command.skills))]


def evolve(state: Volunteer | None, event: Event, at: datetime) -> Volunteer:
    """The state after the event."""
    if isinstance(event, VolunteerRegistered):
        return Volunteer(unit=event.grid, lines=event.lines, party=event.party, consent=True)
    assert state is not None
    if isinstance(event, VolunteerChanged):
        return state.model_copy(update={name: getattr(event, name) for name in VolunteerChanged.model_fields})
    if isinstance(event, VolunteerClosed):
        return state.model_copy(update={"closed": True})
    return state


def _changed(skills: Skills) -> VolunteerChanged:
    return VolunteerChanged(
        lines=skills.lines, trained=skills.trained, capacity=skills.capacity, consent=skills.consent,
        after_hours=skills.after_hours, windows=skills.windows, available_until=skills.available_until,
    )  # fmt: skip


def _refuse_incomplete(skills: Skills) -> None:
    if not skills.lines:
        raise Refused("lines-missing", "lines")
    unknown = sorted(set(skills.trained) - set(skills.lines))
    if unknown:
        raise Refused("training-without-line", "trained", lines=unknown)
