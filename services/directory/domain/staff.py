"""Staff: persons in posts, from a day until a day, at units that may have such a post.

A post is a tie between the person and the unit, so what holds of ties holds of posts: the unit is of a kind that has
such a post, nobody holds one post at one unit twice on any day, an end has its day and reason; and a unit with fewer
than it should have is a gap, which is reported.

Invariants besides
* Who is registered holds a post from the first day; when the last one ends, the person has left.
* Who has left takes nothing more; who comes back is registered anew.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from services.directory.domain.households import NOTHING, Sealed
from services.kernel.accountability import Party, Tie, TieType, ended, proposed
from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Day

_AT: dict[str, tuple[str, ...]] = {
    "community-worker": ("community", "grid"),
    "grid-worker": ("grid",),
    "building-head": ("building", "entrance"),
    "activist": ("grid", "compound", "building"),
    "secretary": ("community", "street", "grid"),
    "committee-member": ("community",),
    "police-officer": ("community", "street"),
    "street-officer": ("street",),
    "hotline-clerk": ("street", "district"),
    "volunteer-coordinator": ("community", "street", "district"),
    "in-service-member": ("grid", "community"),
    "cadre": ("grid", "community", "street"),
    "data-officer": ("district",),
    "district-admin": ("district",),
}
PERSON = "person"
POSTS = {name: TieType(name=name, kinds=(PERSON,), scope_kinds=kinds) for name, kinds in _AT.items()}
SERVES_GRID = ("community-worker", "grid-worker")  # the posts that make a grid manned
MANNED = TieType(name="manned", kinds=(PERSON,), scope_kinds=("grid",), least=1)  # DIR-05: a grid has a worker
IDENTITY = "identity"


class Held(Event):
    """Base of what is said of one post. ``person`` is the id by which tokens name the person, else this record's."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)
    person: str
    post: str
    unit: str
    since: Day = Field(alias="from")


class Registered(Held):
    """A person begins in a first post."""

    TYPE: ClassVar[str] = "staff.registered"


class Assigned(Held):
    """A further post."""

    TYPE: ClassVar[str] = "staff.assigned"


class Relieved(Held):
    """A post ends on the day given; the person stays in others."""

    TYPE: ClassVar[str] = "staff.relieved"
    reason: str


class Ended(Held):
    """The last post ends on the day given: the person has left."""

    TYPE: ClassVar[str] = "staff.ended"
    reason: str


class Corrected(Event):
    """Something sealed was corrected."""

    TYPE: ClassVar[str] = "staff.corrected"


class Redacted(Event):
    """What was sealed has been erased."""

    TYPE: ClassVar[str] = "staff.redacted"


class Staff(State):
    """State of a person on the staff; ``unit`` is that of the first post, ``held`` the units of the present ones."""

    unit: str
    person: str
    posts: tuple[Tie, ...]
    held: tuple[str, ...]
    status: Literal["active", "ended"] = "active"


@dataclass(frozen=True)
class Register:
    person: str
    post: str
    unit: str
    unit_kind: str
    since: date
    sealed: Sealed = NOTHING


@dataclass(frozen=True)
class Assign:
    post: str
    unit: str
    unit_kind: str
    since: date


@dataclass(frozen=True)
class End:
    """End one post; of the last one, the person's time on the staff."""

    post: str
    unit: str
    on: date
    reason: str = "left"


@dataclass(frozen=True)
class Correct:
    sealed: Sealed


def decide(state: Staff | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused."""
    if isinstance(command, Register):
        _with_post((), command.person, command)
        event = Registered(person=command.person, post=command.post, unit=command.unit, since=command.since)
        return [command.sealed.beside(event)]
    assert state is not None
    if state.status == "ended":
        raise Refused("staff-ended")
    match command:
        case Assign():
            return _assigned(state, command)
        case End():
            return _ended(state, command)
        case Correct():
            return [command.sealed.beside(Corrected())]
    raise AssertionError(f"no such command: {type(command).__name__}")


def _with_post(posts: tuple[Tie, ...], person: str, command: Register | Assign) -> tuple[Tie, ...]:
    tie = _tie(person, command.post, command.unit, command.since)
    return proposed(posts, POSTS, tie, Party(id=person, kind=PERSON), Party(id=command.unit, kind=command.unit_kind))


def _tie(person: str, post: str, unit: str, since: date) -> Tie:
    return Tie(id=f"{post}|{unit}|{since}", type=post, party=person, scope=unit, start=since, basis="appointment")


def _assigned(state: Staff, command: Assign) -> list[Happened]:
    _with_post(state.posts, state.person, command)
    return [Happened(Assigned(person=state.person, post=command.post, unit=command.unit, since=command.since))]


def _ended(state: Staff, command: End) -> list[Happened]:
    tie = _running(state, command.post, command.unit)
    ended(state.posts, tie.id, command.on, command.reason)
    kind = Ended if sum(one.stage == "running" for one in state.posts) == 1 else Relieved
    event = kind(
        person=state.person, post=command.post, unit=command.unit, since=command.on, reason=command.reason
    )
    return [Happened(event)]


def _running(state: Staff, post: str, unit: str) -> Tie:
    found = (one for one in state.posts if (one.type, one.scope, one.stage) == (post, unit, "running"))
    tie = next(found, None)
    if tie is None:
        raise Refused("post-not-held", "post")
    return tie


def evolve(state: Staff | None, event: Event, at: datetime) -> Staff:
    """The state after an event."""
    if isinstance(event, Registered):
        return Staff(unit=event.unit, person=event.person, posts=(_begun(event),), held=(event.unit,))
    assert state is not None
    if isinstance(event, Assigned):
        return _with(state, (*state.posts, _begun(event)))
    if isinstance(event, (Relieved, Ended)):
        tie = _running(state, event.post, event.unit)
        left = _with(state, ended(state.posts, tie.id, event.since, event.reason))
        return left.model_copy(update={"status": "ended"}) if isinstance(event, Ended) else left
    return state


def _begun(event: Held) -> Tie:
    return _tie(event.person, event.post, event.unit, event.since).model_copy(update={"stage": "running"})


def _with(state: Staff, posts: tuple[Tie, ...]) -> Staff:
    held = tuple(sorted({one.scope for one in posts if one.stage == "running"}))
    return state.model_copy(update={"posts": posts, "held": held})
