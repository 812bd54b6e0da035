"""A volunteer team (志愿者服务队): a kind, a community, a leader and members."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Code


class TeamFormed(Event):
    """``kind`` is a line of the district's list: party, league, retired cadres …"""

    TYPE: ClassVar[str] = "team.formed"
    kind: str
    name: str
    leader: str
    unit: str


class TeamMemberJoined(Event):
    """A volunteer belongs to the team from now on."""

    TYPE: ClassVar[str] = "team.member_joined"
    volunteer: str


class TeamMemberLeft(Event):
    """A volunteer belongs to the team no more."""

    TYPE: ClassVar[str] = "team.member_left"
    volunteer: str


EVENTS = (TeamFormed, TeamMemberJoined, TeamMemberLeft)


class Team(State):
    """The leader is a member. ``name`` is public: the name of a team, not of a person."""

    unit: str
    kind: Code
    name: str
    leader: Code
    members: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Form a team; ``leader`` is a volunteer's id."""

    unit: str
    kind: str
    name: str
    leader: str


@dataclass(frozen=True, slots=True)
class Join:
    """Take a volunteer in."""

    volunteer: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Let a member go."""

    volunteer: str


def decide(state: Team | None, command: Any, now: datetime) -> list[Happened]:
    """Refused: ``member-already``, ``member-unknown``, ``leader-stays``."""
    if isinstance(command, Form):
        return [
            Happened(_formed(command)),
            Happened(TeamMemberJoined(volunteer=command.leader)),
        ]
    if state is None:
        raise Refused("not-found")
    if isinstance(command, Join):
        if command.volunteer in state.members:
            raise Refused("member-already", "volunteer")
        return [Happened(TeamMemberJoined(volunteer=command.volunteer))]
    if command.volunteer not in state.members:
        raise Refused("member-unknown", "volunteer")
    if command.volunteer == state.leader:
        raise Refused("leader-stays", "volunteer")
    return [Happened(TeamMemberLeft(volunteer=command.volunteer))]


def _formed(command: Form) -> TeamFormed:
    return TeamFormed(kind=command.kind, leader=command.leader, unit=command.unit, name=command.name)


def evolve(state: Team | None, event: Event, at: datetime) -> Team:
    """The state after the event."""
    if isinstance(event, TeamFormed):
        return Team(unit=event.unit, kind=event.kind, name=event.name, leader=event.leader)
    assert state is not None
    if isinstance(event, TeamMemberJoined):
        return state.model_copy(update={"members": (*state.members, event.volunteer)})
    assert isinstance(event, TeamMemberLeft)
    return state.model_copy(update={"members": tuple(m for m in state.members if m != event.volunteer)})
