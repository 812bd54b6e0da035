"""Post, membership, pairing, agreement (责任关系): a party stands in a role towards another, from–to.

Invariants
* The kinds of both sides fit the type. Nobody stands so to himself, or twice at once, or once closed.
* Never more at once than the maximum, on any day; an open proposal keeps its place. Fewer than the minimum is no
  error but a gap, which is reported.
* Excluded pairs never fall on one day in one scope (who keeps the money does not spend it).
* A type that binds both sides starts after every consent; an end has a day and a reason.
* Where a party has one superior only, it has one on every day, and nobody is above himself.
Intervals are half-open: the day of the end is no longer in it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from services.kernel.events import Refused, Value
from services.kernel.interval import Span, empty, holds, most_at_once, overlap
from services.kernel.values import Code, Day, Instant, Part

Side = Literal["party", "scope"]


class TieType(Value):
    """``kinds``, ``scope_kinds``: what may stand on either side. ``least``, ``most``: how many at once in a scope.

    ``one_scope``: a party has one such tie at a time. ``term_days``: the longest it may last. ``consents``: which
    sides must agree before it starts. ``excludes``: types that the same party may not hold in the same scope.
    """

    name: Code
    kinds: tuple[Code, ...] = Field(min_length=1)
    scope_kinds: tuple[Code, ...] = Field(min_length=1)
    least: int = Field(default=0, ge=0)
    most: int | None = Field(default=None, ge=1)
    one_scope: bool = False
    term_days: int | None = Field(default=None, ge=1)
    consents: tuple[Side, ...] = ()
    excludes: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _least_fits_most(self) -> Self:
        if self.most is not None and self.least > self.most:
            raise ValueError("least is more than most")
        return self


class Party(Value):
    """One side, as the caller knows it on that day."""

    id: Code
    kind: Code
    closed: bool = False


class Consent(Part):
    """Who agreed for a side, and when."""

    side: Side
    by: Code
    at: Instant


class Tie(Part):
    """State."""

    id: Code
    type: Code
    party: Code
    scope: Code
    start: Day
    basis: Code
    end: Day | None = None
    stage: Literal["proposed", "running", "declined", "ended"] = "proposed"
    consents: tuple[Consent, ...] = ()
    reason: Code | None = None

    @property
    def span(self) -> Span:
        """Its days."""
        return self.start, self.end

    @property
    def counts(self) -> bool:
        """Whether it takes a place on its days; one that ended does on those that it lasted."""
        return self.stage != "declined"


class Gap(Value):
    """A scope with fewer than it should have."""

    scope: Code
    type: Code
    have: int
    least: int


Ties = tuple[Tie, ...]


def proposed(ties: Ties, types: Mapping[str, TieType], tie: Tie, party: Party, scope: Party) -> Ties:
    """With one more tie, which waits for its consents, or runs when its type asks for none.

    ``ties`` holds those of the scope, and for ``one_scope`` those of the party too. Refused: ``tie-type-unknown``,
    ``tie-known``, ``tie-kind-unfit``, ``tie-to-self``, ``party-closed``, ``tie-empty-interval``, ``tie-over-term``,
    ``tie-duplicate``, ``tie-second-scope``, ``tie-excluded``, ``tie-over-most``.
    """
    kind = _kind(types, tie)
    if any(known.id == tie.id for known in ties):
        raise Refused("tie-known", "id", id=tie.id)
    _check_sides(kind, tie, party, scope)
    _check_interval(kind, tie)
    _check_others(ties, types, kind, tie)
    stage = "proposed" if kind.consents else "running"
    return (*ties, tie.model_copy(update={"stage": stage, "consents": (), "reason": None}))


def consented(ties: Ties, types: Mapping[str, TieType], id: str, side: Side, by: str, at: datetime) -> Ties:
    """One side agrees. Refused: ``tie-unknown``, ``tie-not-proposed``, ``consent-not-asked``, ``consent-given``."""
    tie = _proposed(ties, id)
    if side not in _kind(types, tie).consents:
        raise Refused("consent-not-asked", "side", side=side)
    if any(c.side == side for c in tie.consents):
        raise Refused("consent-given", "side", side=side)
    return _with(ties, tie, consents=(*tie.consents, Consent(side=side, by=by, at=at)))


def declined(ties: Ties, id: str, reason: str) -> Ties:
    """A side does not agree. Refused: ``tie-unknown``, ``tie-not-proposed``, ``reason-missing``."""
    tie = _proposed(ties, id)
    if not reason:
        raise Refused("reason-missing", "reason")
    return _with(ties, tie, stage="declined", reason=reason)


def started(ties: Ties, types: Mapping[str, TieType], id: str) -> Ties:
    """It runs, from its own day. Refused: ``tie-unknown``, ``tie-not-proposed``, ``consent-missing``."""
    tie = _proposed(ties, id)
    missing = sorted(set(_kind(types, tie).consents) - {c.side for c in tie.consents})
    if missing:
        raise Refused("consent-missing", "consents", missing=missing)
    return _with(ties, tie, stage="running")


def ended(ties: Ties, id: str, on: date, reason: str) -> Ties:
    """It no longer holds from ``on`` on. Refused: ``tie-unknown``, ``tie-not-running``, ``reason-missing``,
    ``tie-end-outside`` for a day before its start or after its end."""
    tie = _known(ties, id)
    if tie.stage != "running":
        raise Refused("tie-not-running", "id", stage=tie.stage)
    if not reason:
        raise Refused("reason-missing", "reason")
    if on < tie.start or (tie.end is not None and on > tie.end):
        raise Refused("tie-end-outside", "on")
    return _with(ties, tie, stage="ended", end=on, reason=reason)


def held_on(ties: Iterable[Tie], day: date, type: str | None = None) -> Ties:
    """Those in force on ``day``, of one type or of all."""
    in_force = (t for t in ties if t.stage in ("running", "ended") and holds(t.span, day))
    return tuple(t for t in in_force if type in (None, t.type))


def gaps(type: TieType, scopes: Iterable[str], ties: Iterable[Tie], day: date) -> tuple[Gap, ...]:
    """The scopes that have fewer than the least on ``day``, in the order given."""
    have: dict[str, int] = {}
    for tie in held_on(ties, day, type.name):
        have[tie.scope] = have.get(tie.scope, 0) + 1
    counted = ((scope, have.get(scope, 0)) for scope in scopes)
    return tuple(Gap(scope=s, type=type.name, have=n, least=type.least) for s, n in counted if n < type.least)


def refuse_cycle(superiors: Mapping[str, str], child: str, superior: str) -> None:
    """``superiors`` on one day, by child. Refused: ``tie-cycle`` when ``child`` would stand above itself."""
    seen = {child}
    at: str | None = superior
    while at is not None:
        if at in seen:
            raise Refused("tie-cycle", "superior", child=child, superior=superior)
        seen.add(at)
        at = superiors.get(at)


def _kind(types: Mapping[str, TieType], tie: Tie) -> TieType:
    if tie.type not in types:
        raise Refused("tie-type-unknown", "type", type=tie.type, allowed=sorted(types))
    return types[tie.type]


def _check_sides(kind: TieType, tie: Tie, party: Party, scope: Party) -> None:
    if (tie.party, tie.scope) != (party.id, scope.id):
        raise Refused("tie-kind-unfit", "party")
    if party.id == scope.id:
        raise Refused("tie-to-self", "scope")
    if party.kind not in kind.kinds:
        raise Refused("tie-kind-unfit", "party", kind=party.kind)
    if scope.kind not in kind.scope_kinds:
        raise Refused("tie-kind-unfit", "scope", kind=scope.kind)
    if party.closed or scope.closed:
        raise Refused("party-closed", "party" if party.closed else "scope")


def _check_interval(kind: TieType, tie: Tie) -> None:
    if empty(tie.span):
        raise Refused("tie-empty-interval", "end")
    if kind.term_days is not None and (tie.end is None or tie.end - tie.start > timedelta(days=kind.term_days)):
        raise Refused("tie-over-term", "end", days=kind.term_days)


def _check_others(ties: Ties, types: Mapping[str, TieType], kind: TieType, tie: Tie) -> None:
    beside = [t for t in ties if t.counts and overlap(t.span, tie.span)]
    own = [t for t in beside if t.party == tie.party]
    if any(t.type == tie.type and t.scope == tie.scope for t in own):
        raise Refused("tie-duplicate", "party")
    if kind.one_scope and any(t.type == tie.type for t in own):
        raise Refused("tie-second-scope", "scope")
    for other in own:
        excluded = other.type in kind.excludes or (other.type in types and kind.name in types[other.type].excludes)
        if other.scope == tie.scope and excluded:
            raise Refused("tie-excluded", "type", type=other.type)
    peers = [t.span for t in beside if t.type == tie.type and t.scope == tie.scope]
    if kind.most is not None and most_at_once(peers, tie.span) >= kind.most:
        raise Refused("tie-over-most", "scope", most=kind.most)


def _known(ties: Ties, id: str) -> Tie:
    for tie in ties:
        if tie.id == id:
            return tie
    raise Refused("tie-unknown", "id", id=id)


def _proposed(ties: Ties, id: str) -> Tie:
    tie = _known(ties, id)
    if tie.stage != "proposed":
        raise Refused("tie-not-proposed", "id", stage=tie.stage)
    return tie


def _with(ties: Ties, tie: Tie, **changes: object) -> Ties:
    changed = tie.model_copy(update=changes)
    return tuple(changed if known.id == tie.id else known for known in ties)
