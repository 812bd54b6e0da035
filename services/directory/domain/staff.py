"""Staff: persons in posts, from a day until a day, at units that may have such a post.

Invariants
* A post is held at a unit of a kind that has it; nobody holds one post at one unit twice on any day.
* Who is registered holds a post from the first day; when the last one ends, the person has left.
* Who has left takes nothing more; who comes back is registered anew.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from services.directory.domain.households import NOTHING, Sealed
from services.kernel.events import Event, Happened, Refused, State
from services.kernel.values import Day, Part

POSTS: dict[str, tuple[str, ...]] = {
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
SERVES_GRID = ("community-worker", "grid-worker")  # the posts that make a grid manned
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


class Ended(Held):
    """The last post ends on the day given: the person has left."""

    TYPE: ClassVar[str] = "staff.ended"


class Corrected(Event):
    """Something sealed was corrected."""

    TYPE: ClassVar[str] = "staff.corrected"


class Redacted(Event):
    """What was sealed has been erased."""

    TYPE: ClassVar[str] = "staff.redacted"


class Post(Part):
    """A post at a unit; ``until`` is the first day it is not held any more."""

    post: str
    unit: str
    since: Day
    until: Day | None = None


class Staff(State):
    """State of a person on the staff; ``unit`` is that of the first post, ``held`` the units of the present ones."""

    unit: str
    person: str
    posts: tuple[Post, ...]
    held: tuple[str, ...]
    status: Literal["active", "ended"] = "active"

    def has(self, post: str, unit: str) -> bool:
        """Whether the post is held there now."""
        return any((one.post, one.unit, one.until) == (post, unit, None) for one in self.posts)


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


@dataclass(frozen=True)
class Correct:
    sealed: Sealed


def decide(state: Staff | None, command: Any, now: datetime) -> list[Happened]:
    """What follows from a command; raises Refused."""
    if isinstance(command, Register):
        _refuse_foreign(command.post, command.unit_kind)
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


def _refuse_foreign(post: str, kind: str) -> None:
    if post not in POSTS:
        raise Refused("post-unknown", "post")
    if kind not in POSTS[post]:
        raise Refused("post-not-at-this-kind", "unit", kind=kind)


def _assigned(state: Staff, command: Assign) -> list[Happened]:
    _refuse_foreign(command.post, command.unit_kind)
    if state.has(command.post, command.unit):
        raise Refused("post-already-held", "post")
    if any((p.post, p.unit) == (command.post, command.unit) and command.since < (p.until or p.since)
           for p in state.posts):
        raise Refused("post-already-held", "from")
    return [Happened(Assigned(person=state.person, post=command.post, unit=command.unit, since=command.since))]


def _ended(state: Staff, command: End) -> list[Happened]:
    held = [one for one in state.posts if one.until is None]
    found = next((one for one in held if (one.post, one.unit) == (command.post, command.unit)), None)
    if found is None:
        raise Refused("post-not-held", "post")
    if command.on < found.since:
        raise Refused("from-before-present", "on")
    kind = Ended if len(held) == 1 else Relieved
    return [Happened(kind(person=state.person, post=command.post, unit=command.unit, since=command.on))]


def evolve(state: Staff | None, event: Event, at: datetime) -> Staff:
    """The state after an event."""
    if isinstance(event, Registered):
        post = Post(post=event.post, unit=event.unit, since=event.since)
        return Staff(unit=event.unit, person=event.person, posts=(post,), held=(event.unit,))
    assert state is not None
    if isinstance(event, Assigned):
        post = Post(post=event.post, unit=event.unit, since=event.since)
        return _with(state, (*state.posts, post))
    if isinstance(event, (Relieved, Ended)):
        kept = tuple(
            one.model_copy(update={"until": event.since})
            if (one.post, one.unit, one.until) == (event.post, event.unit, None)
            else one
            for one in state.posts
        )
        left = _with(state, kept)
        return left.model_copy(update={"status": "ended"}) if isinstance(event, Ended) else left
    return state


def _with(state: Staff, posts: tuple[Post, ...]) -> Staff:
    held = tuple(sorted({one.unit for one in posts if one.until is None}))
    return state.model_copy(update={"posts": posts, "held": held})
