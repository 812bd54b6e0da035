"""A volunteer team (志愿者服务队): a kind, a community, a leader and members.

Invariants: the leader is a member; nobody is in a team twice; a leader who leaves the register leaves the team without
one, which is shown until there is another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Code

MOST_MEMBERS = 500
CloseReason = Literal["finished", "merged", "too-few", "other"]


class TeamFormed(Event):
    """``kind`` is a code of the district's own: party, league, retired cadres … ``name`` is a team's, no person's."""

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


class TeamLeaderNamed(Event):
    """Another member leads."""

    TYPE: ClassVar[str] = "team.leader_named"
    leader: str


class TeamClosed(Event):
    """The team is no more."""

    TYPE: ClassVar[str] = "team.closed"
    reason: str


EVENTS = (TeamFormed, TeamMemberJoined, TeamMemberLeft, TeamLeaderNamed, TeamClosed)


class Team(State):
    """``leader`` is one of the members, or None while the team has none."""

    unit: str
    kind: Code
    name: str
    leader: Code | None
    members: tuple[Code, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """Form a team; ``leader`` is a volunteer's id. ``left``: that volunteer has left the register."""

    unit: str
    kind: str
    name: str
    leader: str
    left: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """Take a volunteer in. ``left``: the volunteer has left the register."""

    volunteer: str
    left: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """Let a member go. ``left``: because the volunteer has left the register; then the leader goes too."""

    volunteer: str
    left: bool = False


@dataclass(frozen=True, slots=True)
class Lead:
    """A member leads from now on."""

    volunteer: str


@dataclass(frozen=True, slots=True)
class Close:
    """The team ends."""

    reason: CloseReason


def decide(state: Team | None, command: Any, now: datetime) -> list[Happened]:
    """Refused: ``volunteer-closed``, ``team-closed``, ``team-full``, ``member-already``, ``member-unknown``,
    ``leader-stays``."""
    if isinstance(command, Form):
        return _form(command)
    if state is None:
        raise Refused("not-found")
    if state.closed:
        raise Refused("team-closed")
    return _DECIDED[type(command)](state, command)


def _form(command: Form) -> list[Happened]:
    if command.left:
        raise Refused("volunteer-closed", "leader")
    formed = TeamFormed(kind=command.kind, name=command.name, leader=command.leader, unit=command.unit)
    return [Happened(formed), Happened(TeamMemberJoined(volunteer=command.leader))]


def _join(state: Team, command: Join) -> list[Happened]:
    if command.left:
        raise Refused("volunteer-closed", "volunteer")
    if command.volunteer in state.members:
        raise Refused("member-already", "volunteer")
    if len(state.members) >= MOST_MEMBERS:
        raise Refused("team-full", most=MOST_MEMBERS)
    return [Happened(TeamMemberJoined(volunteer=command.volunteer))]


def _leave(state: Team, command: Leave) -> list[Happened]:
    _refuse_stranger(state, command.volunteer)
    if command.volunteer == state.leader and not command.left:
        raise Refused("leader-stays", "volunteer")
    return [Happened(TeamMemberLeft(volunteer=command.volunteer))]


def _lead(state: Team, command: Lead) -> list[Happened]:
    _refuse_stranger(state, command.volunteer)
    return [] if command.volunteer == state.leader else [Happened(TeamLeaderNamed(leader=command.volunteer))]


def _close(state: Team, command: Close) -> list[Happened]:
    return [Happened(TeamClosed(reason=command.reason))]


def _refuse_stranger(state: Team, volunteer: str) -> None:
    if volunteer not in state.members:
        raise Refused("member-unknown", "volunteer")


def evolve(state: Team | None, event: Event, at: datetime) -> Team:
    """The state after the event."""
    if isinstance(event, TeamFormed):
        return Team(unit=event.unit, kind=event.kind, name=event.name, leader=event.leader)
    assert state is not None
    return state.model_copy(update=_changes(state, event))


def _changes(state: Team, event: Event) -> dict[str, Any]:
    match event:
        case TeamMemberJoined():
            return {"members": (*state.members, event.volunteer)}
        case TeamMemberLeft():
            rest = tuple(member for member in state.members if member != event.volunteer)
            return {"members": rest, "leader": None if event.volunteer == state.leader else state.leader}
        case TeamLeaderNamed():
            return {"leader": event.leader}
        case TeamClosed():
            return {"closed": True}
    return {}


_DECIDED: dict[type, Callable[[Team, Any], list[Happened]]] = {
    Join: _join,
    Leave: _leave,
    Lead: _lead,
    Close: _close,
}
