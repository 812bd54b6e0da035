"""Matching (匹配): a need and candidates give a ranked list with reasons; many needs give an assignment.

Invariants
* Hard filters come first and no score outweighs them: closed, consent, the asker himself, already asked, the line, the
  training its skill wants (rules on volunteer service: skilled work needs training first), load, availability, radius.
* The default radius is the grid of the need. A named order goes to the named one only, wherever he lives.
* An in-service member gives his free time: never in office hours of a working day, swapped weekends included.
* The same input gives the same order, in whatever order it comes. Every rank and every refusal has its reasons.
* It never decides a right: whom a need is offered to may say no.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.kernel.case.deadlines import Working, state_council
from services.kernel.events import Refused, Value
from services.kernel.values import Code, Day, Instant, Whole, day_at, zone_named

DAY_MINUTES = 24 * 60
MOST_LOAD = 50  # open orders that somebody may be willing to have at once


class Window(Value):
    """Free every week on ``weekday`` (1 is Monday) from minute ``start`` of the day on, before minute ``end``."""

    weekday: Whole = Field(ge=1, le=7)
    start: Whole = Field(ge=0, lt=DAY_MINUTES)
    end: Whole = Field(gt=0, le=DAY_MINUTES)

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.end <= self.start:
            raise PydanticCustomError("window-backwards", "a window ends after it begins")
        return self


class Candidate(Value):
    """``path``: ids of his units from the grid up. ``capacity``: open orders he takes at most, ``load``: has now.

    ``after_hours``: serves outside office hours only. ``available_until``: the last day his windows hold.
    """

    id: Code
    path: tuple[Code, ...] = Field(min_length=1)
    lines: tuple[Code, ...]
    trained: tuple[Code, ...] = ()
    load: int = Field(ge=0)
    capacity: int = Field(ge=0)
    windows: tuple[Window, ...] = ()
    after_hours: bool = False
    available_until: Day | None = None
    consent: bool
    closed: bool = False


class Need(Value):
    """``path``: ids of its units from the grid up; ``radius``: how many of them, from the grid, a candidate may share.

    ``skill``: what the helper must have been trained in. ``asked``: candidates who had their offer already.
    """

    id: Code
    asker: Code
    path: tuple[Code, ...] = Field(min_length=1)
    line: Code
    zone: Code
    radius: int = Field(default=1, ge=1)
    skill: Code | None = None
    start: Instant | None = None
    end: Instant | None = None
    named: Code | None = None
    asked: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end go together")
        if self.start and self.end and not self.start < self.end <= self.start + timedelta(days=7):
            raise ValueError("end must be after start, within a week")
        return self


class Rules(Value):
    """What a district decided: points per level of nearness, per free order, for free time; its office hours."""

    near: int = Field(ge=0, le=10**6)
    free: int = Field(ge=0, le=10**6)
    after_hours: int = Field(ge=0, le=10**6)
    office_start: int = Field(ge=0, lt=DAY_MINUTES)
    office_end: int = Field(gt=0, le=DAY_MINUTES)


class Weights(Rules):
    """The same as a policy, with the radius: how far around its grid a need is asked for, in levels of units.

    The grid comes first: one level nearer outweighs all that a free candidate can gather elsewhere.
    """

    radius: int = Field(default=1, ge=1, le=10)

    @model_validator(mode="after")
    def _grid_first(self) -> Self:
        if self.near <= self.free * MOST_LOAD + self.after_hours:
            raise PydanticCustomError("near-outweighed", "near must outweigh free and after_hours together")
        return self


class Reason(Value):
    """A part of a score."""

    code: Code
    points: int


class Ranked(Value):
    """A candidate who may be asked; the score is the sum of its reasons."""

    id: Code
    score: int
    reasons: tuple[Reason, ...]


class PassedOver(Value):
    """A candidate who may not, with every filter that he failed."""

    id: Code
    reasons: tuple[Code, ...]


class Ranking(Value):
    """Best first."""

    ranked: tuple[Ranked, ...]
    passed_over: tuple[PassedOver, ...]


class Assigned(Value):
    """One need to one candidate."""

    need: Code
    candidate: Code
    score: int


def rank(
    need: Need, candidates: Iterable[Candidate], rules: Rules, now: datetime, working: Working = state_council
) -> Ranking:
    """Who may be asked, best first, and who may not and why. Refused: ``zone-unknown``."""
    ranked, passed_over = [], []
    for candidate in candidates:
        failed = _failed(need, candidate, rules, now, working)
        if failed:
            passed_over.append(PassedOver(id=candidate.id, reasons=failed))
        else:
            reasons = _reasons(need, candidate, rules, working)
            ranked.append(Ranked(id=candidate.id, score=sum(r.points for r in reasons), reasons=reasons))
    ranked.sort(key=lambda r: (-r.score, r.id))
    passed_over.sort(key=lambda p: p.id)
    return Ranking(ranked=tuple(ranked), passed_over=tuple(passed_over))


def assign(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    rules: Rules,
    now: datetime,
    working: Working = state_council,
) -> tuple[Assigned, ...]:
    """At most one candidate per need and one need per candidate: as many as possible, then the best sum of scores.

    By ids, so the order of the input does not matter. Refused: ``twice-given`` for an id that comes twice.
    """
    import numpy  # both take a second and much memory, and most who import this module only rank
    from scipy.optimize import linear_sum_assignment

    needs, candidates = sorted(needs, key=lambda n: n.id), sorted(candidates, key=lambda c: c.id)
    for ids in ([n.id for n in needs], [c.id for c in candidates]):
        if len(set(ids)) < len(ids):
            raise Refused("twice-given", "id")
    if not needs or not candidates:
        return ()
    scores = [{r.id: r.score for r in rank(need, candidates, rules, now, working).ranked} for need in needs]
    highest = max((s for row in scores for s in row.values()), default=0)
    one_more = (highest + 1) * (min(len(needs), len(candidates)) + 1)  # another match beats any gain in scores
    gain = numpy.array(
        [[one_more + row[c.id] if c.id in row else 0 for c in candidates] for row in scores], dtype=float
    )
    pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return tuple(
        Assigned(need=needs[n].id, candidate=candidates[c].id, score=scores[n][candidates[c].id])
        for n, c in pairs
        if candidates[c].id in scores[n]
    )


def _failed(need: Need, candidate: Candidate, rules: Rules, now: datetime, working: Working) -> tuple[str, ...]:
    named = need.named is not None
    day = day_at(need.start or now, need.zone)
    last = day_at(need.end - timedelta(milliseconds=1), need.zone) if need.end else day
    checks = {
        "not-the-named": named and need.named != candidate.id,
        "closed": candidate.closed,
        "consent-missing": not candidate.consent,
        "is-the-asker": candidate.id == need.asker,
        "already-asked": candidate.id in need.asked,
        "outside-radius": not named and _distance(need, candidate) >= min(need.radius, len(need.path)),
        "line-missing": need.line not in candidate.lines,
        "skill-untrained": need.skill is not None and need.skill not in candidate.trained,
        "load-full": candidate.load >= candidate.capacity,
        "availability-expired": candidate.available_until is not None and candidate.available_until < last,
        "not-available": not _free(need, candidate),
        "office-hours": candidate.after_hours and _in_office_hours(need, rules, working),
    }
    return tuple(code for code, holds in checks.items() if holds)


def _reasons(need: Need, candidate: Candidate, rules: Rules, working: Working) -> tuple[Reason, ...]:
    levels = max(0, min(need.radius, len(need.path)) - _distance(need, candidate))
    reasons = [Reason(code="near", points=rules.near * levels)]
    reasons.append(Reason(code="free", points=rules.free * (candidate.capacity - candidate.load)))
    if need.start and candidate.after_hours and not _in_office_hours(need, rules, working):
        reasons.append(Reason(code="after-hours", points=rules.after_hours))
    if need.named == candidate.id:
        reasons.append(Reason(code="named", points=0))
    return tuple(reasons)


def _distance(need: Need, candidate: Candidate) -> int:
    """How many levels up from the need's grid the two meet; the length of the path when they do not."""
    return next((n for n, unit in enumerate(need.path) if unit in candidate.path), len(need.path))


def _spans(need: Need) -> list[tuple[date, int, int]]:
    """The need's time by local day: the day, from minute, before minute."""
    if need.start is None or need.end is None:
        return []
    zone = zone_named(need.zone)
    start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (need.start, need.end))
    spans, day = [], start.date()
    while datetime.combine(day, time()) < end:
        midnight = datetime.combine(day, time())
        first = max(0, int((start - midnight) / timedelta(minutes=1)))
        last = min(DAY_MINUTES, -int((midnight - end) // timedelta(minutes=1)))
        spans.append((day, first, last))
        day += timedelta(days=1)
    return spans


def _free(need: Need, candidate: Candidate) -> bool:
    """Whether his windows cover all of the need's time; adjoining windows count as one."""
    for day, first, last in _spans(need):
        for window in sorted(candidate.windows, key=lambda w: w.start):
            if window.weekday == day.isoweekday() and window.start <= first:
                first = max(first, window.end)
        if first < last:
            return False
    return True


def _in_office_hours(need: Need, rules: Rules, working: Working) -> bool:
    for day, first, last in _spans(need):
        known = working(day)
        works = day.weekday() < 5 if known is None else known
        if works and first < rules.office_end and rules.office_start < last:
            return True
    return False
