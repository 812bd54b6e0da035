from datetime import UTC, date, datetime
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.kernel.events import Refused
from services.kernel.matching import Candidate, Need, Rules, Window, assign, rank

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
RULES = Rules(near=100, free=10, after_hours=5, office_start=540, office_end=1020)
ALWAYS = tuple(Window(weekday=d, start=0, end=1440) for d in range(1, 8))
HOME = ("grid_1", "com", "street")


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def candidate(name="v1", **more):
    facts = {"path": HOME, "lines": ("repair",), "load": 0, "capacity": 3, "windows": ALWAYS, "consent": True}
    return Candidate(id=name, **{**facts, **more})


def need(start="2026-03-04T14:00", end="2026-03-04T16:00", **more):
    facts = {"id": "n1", "asker": "r1", "path": HOME, "line": "repair", "zone": "Asia/Shanghai"}
    time = {"start": local(start), "end": local(end)} if start else {}
    return Need(**{**facts, **time, **more})


def order(asked, *candidates):
    return [r.id for r in rank(asked, candidates, RULES, NOW).ranked]


def why_not(asked, one):
    ranking = rank(asked, [one], RULES, NOW)
    assert ranking.ranked == ()
    return ranking.passed_over[0].reasons


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("closed", {"closed": True}),
        ("consent-missing", {"consent": False}),
        ("line-missing", {"lines": ("medical",)}),
        ("load-full", {"load": 3}),
        ("availability-expired", {"available_until": date(2026, 3, 3)}),
        ("not-available", {"windows": ()}),
    ],
)
def test_a_filter_is_never_outweighed(code, facts):
    assert why_not(need(), candidate(**facts)) == (code,)


def test_nobody_is_matched_with_himself_or_asked_twice():
    assert why_not(need(asker="v1"), candidate()) == ("is-the-asker",)
    assert why_not(need(asked=("v1",)), candidate()) == ("already-asked",)


@pytest.mark.mechanism("LAW-38", "VOL-04")
def test_work_that_needs_a_skill_goes_to_the_trained_only():
    assert why_not(need(skill="electrician"), candidate()) == ("skill-untrained",)
    assert order(need(skill="electrician"), candidate(trained=("electrician",))) == ["v1"]


@pytest.mark.mechanism("VOL-36")
def test_the_radius_is_the_grid_unless_it_is_widened():
    neighbour = candidate("v2", path=("grid_2", "com", "street"))
    assert why_not(need(), neighbour) == ("outside-radius",)
    assert order(need(radius=2), neighbour, candidate(load=2)) == ["v1", "v2"]
    assert why_not(need(radius=9), candidate(path=("elsewhere",))) == ("outside-radius",)


@pytest.mark.mechanism("VOL-03")
def test_a_named_order_goes_to_the_named_only_wherever_he_lives():
    far = candidate("v2", path=("grid_9", "com_9"))
    assert order(need(named="v2"), candidate(), far) == ["v2"]
    assert why_not(need(named="v2"), candidate()) == ("not-the-named",)
    assert why_not(need(named="v2"), far.model_copy(update={"load": 3})) == ("load-full",)


@pytest.mark.mechanism("VOL-13")
def test_an_in_service_member_helps_in_the_evening_or_at_the_weekend_and_then_comes_first():
    member, other = candidate("v2", after_hours=True), candidate("v1")
    assert order(need(), member, other) == ["v1"]
    assert why_not(need("2026-03-04T16:59", "2026-03-04T18:00"), member) == ("office-hours",)
    assert order(need("2026-03-04T17:00", "2026-03-04T18:00"), member, other) == ["v2", "v1"]
    assert order(need("2026-03-07T10:00", "2026-03-07T11:00"), member, other) == ["v2", "v1"]


@pytest.mark.mechanism("VOL-13")
def test_a_swapped_saturday_is_a_working_day_and_a_holiday_monday_is_free():
    member = candidate(after_hours=True)
    assert why_not(need("2026-02-28T10:00", "2026-02-28T11:00"), member) == ("office-hours",)
    assert order(need("2026-02-16T10:00", "2026-02-16T11:00"), member) == ["v1"]


@pytest.mark.mechanism("VOL-13")
def test_windows_are_local_time_and_must_cover_the_whole_need():
    evenings = candidate(windows=(Window(weekday=3, start=1080, end=1200), Window(weekday=3, start=1200, end=1320)))
    assert order(need("2026-03-04T18:00", "2026-03-04T22:00"), evenings) == ["v1"]
    assert why_not(need("2026-03-04T18:00", "2026-03-04T22:01"), evenings) == ("not-available",)
    assert why_not(need("2026-03-05T18:00", "2026-03-05T19:00"), evenings) == ("not-available",)
    night = (Window(weekday=3, start=1380, end=1440), Window(weekday=4, start=0, end=60))
    assert order(need("2026-03-04T23:00", "2026-03-05T01:00"), candidate(windows=night)) == ["v1"]
    assert why_not(need("2026-03-04T23:00", "2026-03-05T01:01"), candidate(windows=night)) == ("not-available",)


def test_without_a_time_yet_only_an_expired_availability_counts():
    assert order(need(start=None), candidate(windows=())) == ["v1"]
    assert why_not(need(start=None), candidate(available_until=date(2026, 3, 1))) == ("availability-expired",)


def test_every_rank_has_its_reasons_and_they_add_up():
    (one,) = rank(need(radius=2), [candidate(load=1)], RULES, NOW).ranked
    assert [(r.code, r.points) for r in one.reasons] == [("near", 200), ("free", 20)]
    assert one.score == 220


def test_nonsense_is_refused():
    for bad in ({"start": "2026-03-04T16:00", "end": "2026-03-04T16:00"}, {"end": "2026-03-24T16:00"}):
        with pytest.raises(ValidationError):
            need(**bad)
    with pytest.raises(ValidationError):
        Window(weekday=3, start=60, end=60)
    with pytest.raises(Refused):
        assign([need(), need()], [candidate()], RULES, NOW)


candidates = st.lists(
    st.builds(
        candidate,
        st.sampled_from([f"v{n}" for n in range(8)]),
        path=st.sampled_from([HOME, ("grid_2", "com", "street"), ("grid_3", "com_3", "street")]),
        load=st.integers(0, 3),
        after_hours=st.booleans(),
        closed=st.booleans(),
        consent=st.booleans(),
        trained=st.sampled_from([(), ("electrician",)]),
    ),
    max_size=6,
    unique_by=lambda c: c.id,
)
needs = st.builds(
    need,
    radius=st.integers(1, 3),
    skill=st.sampled_from([None, "electrician"]),
    named=st.sampled_from([None, None, "v1"]),
    asker=st.sampled_from(["r1", "v2"]),
)


@given(needs, candidates, st.randoms())
def test_the_same_input_gives_the_same_order_in_whatever_order_it_comes(asked, given_candidates, random):
    shuffled = random.sample(given_candidates, len(given_candidates))
    ranking = rank(asked, given_candidates, RULES, NOW)
    assert ranking == rank(asked, shuffled, RULES, NOW)
    assert {r.id for r in (*ranking.ranked, *ranking.passed_over)} == {c.id for c in given_candidates}
    assert all(p.reasons for p in ranking.passed_over)
    assert all(r.reasons and r.score == sum(x.points for x in r.reasons) for r in ranking.ranked)


@given(needs, candidates, st.integers(0, 10**6), st.integers(0, 10**6))
def test_no_weight_brings_back_who_was_filtered(asked, given_candidates, near, free):
    heavy = RULES.model_copy(update={"near": near, "free": free})
    expected = {r.id for r in rank(asked, given_candidates, RULES, NOW).ranked}
    assert {r.id for r in rank(asked, given_candidates, heavy, NOW).ranked} == expected
    by_id = {c.id: c for c in given_candidates}
    for name in expected:
        one = by_id[name]
        assert one.consent and not one.closed and one.load < one.capacity and name != asked.asker
        assert asked.named in (None, name)
        assert asked.skill is None or asked.skill in one.trained


@settings(deadline=None)
@given(st.lists(needs, max_size=4), candidates.filter(lambda c: len(c) <= 4))
def test_in_bulk_as_many_as_possible_are_served_and_then_the_best_sum(asked, given_candidates):
    """Against trying every assignment."""
    asked = [n.model_copy(update={"id": f"n{i}"}) for i, n in enumerate(asked)]
    scores = [{r.id: r.score for r in rank(n, given_candidates, RULES, NOW).ranked} for n in asked]
    slots = [c.id for c in given_candidates] + [None] * len(asked)
    best = (0, 0)
    for choice in set(permutations(slots, len(asked))):
        pairs = [(n, c) for n, c in enumerate(choice) if c in scores[n]]
        best = max(best, (len(pairs), sum(scores[n][c] for n, c in pairs)))
    found = assign(asked, given_candidates, RULES, NOW)
    assert (len(found), sum(a.score for a in found)) == best
    assert len({a.candidate for a in found}) == len({a.need for a in found}) == len(found)
    assert found == assign(asked[::-1], given_candidates[::-1], RULES, NOW)


def test_a_hundred_needs_and_two_hundred_candidates_are_assigned_at_once():
    found = assign([need(id=f"n{n:03}") for n in range(100)], [candidate(f"v{n:03}") for n in range(200)], RULES, NOW)
    assert [a.need for a in found] == [f"n{n:03}" for n in range(100)]
