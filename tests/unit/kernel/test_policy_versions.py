from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.events import Refused
from services.kernel.policy import Version, nearest, publish, value_on, version_on, withdraw

TODAY = date(2026, 3, 3)


def day(n):
    return TODAY + timedelta(n)


def version(start, value=300, end=None):
    return Version(
        start=day(start), value=value, source="notice 7", by="staff_1", end=None if end is None else day(end)
    )


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code


def founded(*versions):
    held = publish((), versions[0], TODAY, founding=True)
    for one in versions[1:]:
        held = publish(held, one, TODAY)
    return held


@pytest.mark.mechanism("DIR-09")
def test_an_unset_parameter_stops_the_decision_and_is_never_zero():
    refusal("parameter-not-set", lambda: value_on((), TODAY, "households_per_worker"))
    refusal("parameter-not-set", lambda: value_on(founded(version(1)), TODAY))
    refusal("parameter-not-set", lambda: nearest({"street": founded(version(1))}, ["grid", "street"], TODAY))


def test_money_is_never_a_float_however_deep():
    for value in (1.5, {"a": [1, {"b": 2.0}]}, [float("nan")]):
        refusal("float-refused", lambda value=value: version(0, value))
    refusal("value-missing", lambda: version(0, None))
    assert version(0, {"numerator": 3, "denominator": 2}).value["numerator"] == 3


def test_what_was_in_force_cannot_be_changed_afterwards():
    held = founded(version(-100))
    refusal("policy-back-dated", lambda: publish(held, version(-1), TODAY))
    refusal("policy-back-dated", lambda: publish((), version(-1), TODAY))
    refusal("policy-back-dated", lambda: publish(held, version(-1), TODAY, founding=True))
    refusal("policy-back-dated", lambda: withdraw(held, day(-100), day(-1), TODAY))


def test_dates_that_overlap_are_refused():
    held = founded(version(0, end=10))
    refusal("policy-overlaps", lambda: publish(held, version(9), TODAY))
    refusal("policy-overlaps", lambda: publish(founded(version(5)), version(0, end=6), TODAY))
    refusal("policy-empty-interval", lambda: publish((), version(3, end=3), TODAY))
    assert value_on(publish(held, version(10, 400), TODAY), day(10)) == 400


def test_nobody_replaces_a_version_unawares_nor_one_that_is_not_there():
    held = founded(version(-10), version(0), version(5))
    refusal("policy-known", lambda: publish(held, version(0, 400), TODAY))
    refusal("policy-known", lambda: publish(held, version(5, 400), TODAY))
    refusal("policy-unknown", lambda: publish(held, version(6, 400), TODAY, replacing=True))


def test_a_version_in_force_since_before_today_is_past_and_stays():
    held = founded(version(-10), version(0))
    refusal("policy-back-dated", lambda: publish(held, version(-10, 400), TODAY, replacing=True))
    refusal("policy-back-dated", lambda: publish(held, version(0, 400), day(1), replacing=True))


def test_a_version_that_begins_today_or_later_is_corrected_and_its_neighbours_stay():
    held = founded(version(-10, 300), version(0, 350), version(5, 360))
    held = publish(held, version(0, 340), TODAY, replacing=True)
    held = publish(held, version(5, 370, end=9), TODAY, replacing=True)
    assert [value_on(held, day(n)) for n in (-1, 0, 4, 5)] == [300, 340, 340, 370]
    refusal("policy-overlaps", lambda: publish(held, version(0, 340, end=6), TODAY, replacing=True))


def test_an_open_version_gives_way_to_the_next_one():
    held = founded(version(-10, 300), version(5, 350))
    assert [value_on(held, day(n)) for n in (-10, 4, 5, 999)] == [300, 300, 350, 350]


def test_a_version_that_has_not_begun_is_withdrawn_altogether_and_the_one_before_it_goes_on():
    held = withdraw(founded(version(-10, 300), version(5, 350)), day(5), TODAY, TODAY)
    assert value_on(held, day(6)) == 300


def test_a_version_in_force_is_ended_and_nothing_stands_in_for_it():
    held = withdraw(founded(version(-10, 300), version(0, 350)), TODAY, day(1), TODAY)
    assert value_on(held, TODAY) == 350
    refusal("parameter-not-set", lambda: value_on(held, day(1)))
    refusal("policy-unknown", lambda: withdraw(held, day(7), day(9), TODAY))
    refusal("policy-ended", lambda: withdraw(held, TODAY, day(2), TODAY))


@pytest.mark.mechanism("DIR-09")
def test_the_nearest_unit_that_has_decided_wins_on_that_day():
    by_unit = {"community": founded(version(5, 250)), "district": founded(version(-10, 300))}
    path = ["grid", "community", "street", "district"]
    assert nearest(by_unit, path, TODAY).value == 300
    assert nearest(by_unit, path, day(5)).value == 250


plans = st.lists(
    st.tuples(
        st.sampled_from(["publish", "replace", "withdraw"]),
        st.integers(-5, 40),
        st.none() | st.integers(-5, 40),
        st.integers(0, 30),
    ),
    max_size=12,
)


@given(plans)
def test_nothing_that_is_done_today_changes_what_was_in_force_before(plan):
    held, now = (), 0
    for what, start, end, later in plan:
        now = max(now, later)
        before = [version_on(held, day(n)) for n in range(-10, now)]
        try:
            if what != "withdraw":
                held = publish(held, version(start, start + later, end), day(now), replacing=what == "replace")
            else:
                held = withdraw(held, day(start), day(end or 0), day(now))
        except Refused:
            continue
        after = [version_on(held, day(n)) for n in range(-10, now)]
        assert [v and v.value for v in after] == [v and v.value for v in before]


@given(plans, st.integers(-10, 60))
def test_on_any_day_one_version_at_most_is_in_force(plan, probe):
    held = ()
    for what, start, end, _ in plan:
        try:
            held = publish(held, version(start, start, end), day(-5), replacing=what == "replace")
        except Refused:
            continue
    begun = [v for v in held if v.start <= day(probe)]
    declared = [v for v in begun if v.end is not None and day(probe) < v.end]
    assert len(declared) <= 1
    last = begun[-1] if begun else None
    ended = last is None or (last.end is not None and last.end <= day(probe))
    assert version_on(held, day(probe)) == (None if ended else last)


def test_it_comes_back_from_its_document_unchanged():
    one = version(0, {"n": 2, "list": ["a"]}, end=9)
    document = one.model_dump(mode="python")
    assert document["start"] == "2026-03-03"
    assert Version.model_validate(document) == one
