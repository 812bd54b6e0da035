"""Register entry (登记项): a person, organisation, place or thing that is known, with facts that have dates.

Invariants
* A single-valued fact has one value on any day. A *change* is true from a day on and ends what was true before; a
  *correction* says that something was never true, and moves no other fact.
* A closed entry takes corrections only; so does a merged one.
* A merged id resolves for ever, without a cycle; nothing merges across kinds or districts, or into what is itself
  merged.
* A fact has a source; one that marks a person has a consent where the kind asks for it.
* Fresh is what was verified within the kind's days; never verified is stale.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from services.kernel.events import Refused, Value
from services.kernel.interval import Span, empty, holds, overlap
from services.kernel.values import Code, Day, Instant, Part


class FactKind(Value):
    """``single``: one value a day; else several may hold at once. ``consent``: not without the person's."""

    name: Code
    single: bool = True
    consent: bool = False


class EntryKind(Value):
    """What is known of a kind of entry. ``fresh_days``: how long a verification holds; None: unset."""

    name: Code
    facts: tuple[FactKind, ...]
    fresh_days: int | None = Field(default=None, ge=1)

    def fact(self, name: str) -> FactKind:
        """Refused: ``fact-unknown``."""
        for fact in self.facts:
            if fact.name == name:
                return fact
        raise Refused("fact-unknown", "name", name=name, allowed=[fact.name for fact in self.facts])


class Fact(Part):
    """``value`` was true from ``start`` on, before ``end``. ``source``: where it is known from."""

    name: Code
    value: Any
    start: Day
    source: Code
    end: Day | None = None
    consent: Code | None = None

    @property
    def span(self) -> Span:
        """Its days."""
        return self.start, self.end


class Entry(Part):
    """State."""

    id: Code
    kind: Code
    district: Code
    facts: tuple[Fact, ...] = ()
    verified_at: Instant | None = None
    stage: Literal["open", "closed", "merged"] = "open"
    closed_on: Day | None = None
    reason: Code | None = None
    merged_into: Code | None = None


def stated(entry: Entry, kind: EntryKind, fact: Fact) -> Entry:
    """Something is true from a day on; a single-valued fact ends what was true until then.

    Refused: ``entry-closed``, ``fact-unknown``, ``fact-empty-interval``, ``consent-missing``, ``fact-overlaps`` when
    it would cut off something later, ``fact-known`` for the same value twice.
    """
    _require_open(entry)
    _check(kind, fact)
    same = [f for f in entry.facts if f.name == fact.name and overlap(f.span, fact.span)]
    if not kind.fact(fact.name).single:
        if any(f.value == fact.value for f in same):
            raise Refused("fact-known", "value", name=fact.name)
        return _with(entry, facts=(*entry.facts, fact))
    for before in same:
        goes_on = fact.end is not None and (before.end is None or before.end > fact.end)
        if before.start >= fact.start or goes_on:
            raise Refused("fact-overlaps", "start", name=fact.name, start=before.start.isoformat())
    kept = tuple(f.model_copy(update={"end": fact.start}) if f in same else f for f in entry.facts)
    return _with(entry, facts=(*kept, fact))


def ceased(entry: Entry, name: str, value: Any, on: date) -> Entry:
    """What is true is no longer so from ``on`` on. Refused: ``entry-closed``, ``fact-not-there``."""
    _require_open(entry)
    found = next((f for f in entry.facts if f.name == name and f.value == value and holds(f.span, on)), None)
    if found is None or found.start == on:
        raise Refused("fact-not-there", "name", name=name)
    return _replaced(entry, found, found.model_copy(update={"end": on}))


def corrected(entry: Entry, kind: EntryKind, wrong: Fact, right: Fact | None) -> Entry:
    """``wrong`` was never true: ``right`` was, or nothing. Closed entries take it too.

    Refused: ``fact-not-there``, ``fact-name-changed``, ``fact-empty-interval``, ``consent-missing``,
    ``fact-overlaps``, ``fact-known``.
    """
    if wrong not in entry.facts:
        raise Refused("fact-not-there", "name", name=wrong.name)
    if right is None:
        return _with(entry, facts=tuple(f for f in entry.facts if f != wrong))
    if right.name != wrong.name:
        raise Refused("fact-name-changed", "name", name=wrong.name)
    _check(kind, right)
    others = [f for f in entry.facts if f != wrong and f.name == right.name and overlap(f.span, right.span)]
    if others and kind.fact(right.name).single:
        raise Refused("fact-overlaps", "start", name=right.name, start=others[0].start.isoformat())
    if any(f.value == right.value for f in others):
        raise Refused("fact-known", "value", name=right.name)
    return _replaced(entry, wrong, right)


def facts_on(entry: Entry, day: date, name: str | None = None) -> tuple[Fact, ...]:
    """What is known to be true on ``day``, of one name or of all."""
    return tuple(f for f in entry.facts if holds(f.span, day) and name in (None, f.name))


def verified(entry: Entry, at: datetime) -> Entry:
    """Somebody has looked. Refused: ``entry-closed``, ``verified-later`` when a later look is known."""
    _require_open(entry)
    if entry.verified_at is not None and at < entry.verified_at:
        raise Refused("verified-later", "at")
    return Entry.model_validate({**entry.model_dump(), "verified_at": at})


def fresh(entry: Entry, kind: EntryKind, now: datetime) -> bool:
    """Whether its last verification still holds. Refused: ``parameter-not-set`` when no district said how long."""
    if kind.fresh_days is None:
        raise Refused("parameter-not-set", "fresh_days", kind=kind.name)
    return entry.verified_at is not None and now < entry.verified_at + timedelta(days=kind.fresh_days)


def closed(entry: Entry, on: date, reason: str) -> Entry:
    """Moved away, died, dissolved, demolished. Refused: ``entry-closed``, ``reason-missing``."""
    _require_open(entry)
    if not reason:
        raise Refused("reason-missing", "reason")
    return _with(entry, stage="closed", closed_on=on, reason=reason)


def merged(entry: Entry, into: Entry) -> Entry:
    """``entry`` was the same as ``into`` all along; its id stands for it from now on.

    Refused: ``entry-closed``, ``merge-into-self``, ``merge-across-kinds``, ``merge-across-districts``,
    ``merge-into-merged``.
    """
    _require_open(entry)
    if entry.id == into.id:
        raise Refused("merge-into-self", "into")
    if entry.kind != into.kind:
        raise Refused("merge-across-kinds", "into")
    if entry.district != into.district:
        raise Refused("merge-across-districts", "into")
    if into.stage == "merged":
        raise Refused("merge-into-merged", "into", into=into.merged_into)
    return _with(entry, stage="merged", merged_into=into.id)


def resolved(id: str, merged_into: Mapping[str, str]) -> str:
    """The id that stands for ``id`` today. Refused: ``merge-cycle``, which two merges at once could make."""
    seen = {id}
    while id in merged_into:
        id = merged_into[id]
        if id in seen:
            raise Refused("merge-cycle", "id", id=id)
        seen.add(id)
    return id


def _check(kind: EntryKind, fact: Fact) -> None:
    wanted = kind.fact(fact.name)
    if empty(fact.span):
        raise Refused("fact-empty-interval", "end", name=fact.name)
    if wanted.consent and fact.consent is None:
        raise Refused("consent-missing", "consent", name=fact.name)


def _require_open(entry: Entry) -> None:
    if entry.stage != "open":
        raise Refused("entry-closed", "id", stage=entry.stage)


def _replaced(entry: Entry, old: Fact, new: Fact) -> Entry:
    return _with(entry, facts=tuple(new if f == old else f for f in entry.facts))


def _with(entry: Entry, **changes: object) -> Entry:
    return entry.model_copy(update=changes)
