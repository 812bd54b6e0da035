from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.events import Refused
from services.kernel.register import (
    Entry,
    EntryKind,
    Fact,
    FactKind,
    ceased,
    closed,
    corrected,
    facts_on,
    fresh,
    merged,
    resolved,
    stated,
    verified,
)

TODAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 3, tzinfo=UTC)
HOUSEHOLD = EntryKind(
    name="household",
    facts=(
        FactKind(name="tenure"),
        FactKind(name="phone", single=False),
        FactKind(name="marker", single=False, consent=True),
    ),
    fresh_days=180,
)


def day(n):
    return TODAY + timedelta(n)


def entry(name="h1", **more):
    return Entry(**{"id": name, "kind": "household", "district": "d1", **more})


def fact(value, start=0, end=None, name="tenure", **more):
    last = None if end is None else day(end)
    return Fact(name=name, value=value, start=day(start), end=last, source="visit_1", **more)


def state(*facts, of=None):
    held = of or entry()
    for one in facts:
        held = stated(held, HOUSEHOLD, one)
    return held


def values(held, n, name="tenure"):
    return [f.value for f in facts_on(held, day(n), name)]


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code


@pytest.mark.mechanism("DIR-13")
def test_a_change_ends_what_was_true_before():
    held = state(fact("owned"), fact("rented", 10))
    assert [values(held, n) for n in (-1, 0, 9, 10)] == [[], ["owned"], ["owned"], ["rented"]]


@pytest.mark.mechanism("DIR-15")
def test_a_correction_is_not_a_change():
    held = state(fact("owned"))
    right = corrected(held, HOUSEHOLD, fact("owned"), fact("rented"))
    assert values(right, 0) == ["rented"]
    assert len(right.facts) == 1
    assert values(corrected(held, HOUSEHOLD, fact("owned"), None), 0) == []
    refusal("fact-not-there", lambda: corrected(held, HOUSEHOLD, fact("lent"), fact("rented")))
    refusal("fact-name-changed", lambda: corrected(held, HOUSEHOLD, fact("owned"), fact("1", name="phone")))


def test_a_correction_does_not_move_other_facts():
    held = state(fact("owned"), fact("rented", 10))
    refusal("fact-overlaps", lambda: corrected(held, HOUSEHOLD, fact("rented", 10), fact("rented", 9)))
    assert values(corrected(held, HOUSEHOLD, fact("rented", 10), fact("rented", 12)), 11) == []


def test_what_would_cut_off_a_later_fact_is_refused():
    held = state(fact("owned", 0), fact("rented", 10))
    refusal("fact-overlaps", lambda: state(fact("lent", 5), of=held))
    refusal("fact-overlaps", lambda: state(fact("lent", 10), of=held))
    refusal("fact-overlaps", lambda: state(fact("lent", 12, 20), of=held))
    assert values(state(fact("lent", 5, 10), of=held), 7) == ["lent"]


def test_only_facts_that_the_kind_knows_with_days_that_make_sense():
    refusal("fact-unknown", lambda: state(fact("x", name="salary")))
    refusal("fact-empty-interval", lambda: state(fact("owned", 3, 3)))
    refusal("fact-empty-interval", lambda: state(fact("owned", 3, 2)))


@pytest.mark.mechanism("DIR-16")
def test_a_marker_has_a_source_dates_and_consent():
    refusal("consent-missing", lambda: state(fact("alone", name="marker")))
    marked = fact("alone", name="marker", consent="form_9")
    held = state(marked, fact("migrant", 5, name="marker", consent="form_9"))
    assert values(held, 5, "marker") == ["alone", "migrant"]
    assert values(ceased(held, "marker", "alone", day(7)), 7, "marker") == ["migrant"]
    refusal("fact-known", lambda: state(marked, of=held))
    refusal("fact-not-there", lambda: ceased(held, "marker", "disabled", day(7)))
    refusal("fact-not-there", lambda: ceased(held, "marker", "alone", day(0)))


@pytest.mark.mechanism("DIR-14")
def test_a_verification_holds_for_the_days_of_the_kind():
    held = entry()
    assert not fresh(held, HOUSEHOLD, NOW)
    held = verified(held, NOW)
    assert fresh(held, HOUSEHOLD, NOW + timedelta(days=180, milliseconds=-1))
    assert not fresh(held, HOUSEHOLD, NOW + timedelta(days=180))
    refusal("verified-later", lambda: verified(held, NOW - timedelta(days=1)))
    unset = HOUSEHOLD.model_copy(update={"fresh_days": None})
    refusal("parameter-not-set", lambda: fresh(held, unset, NOW))


@pytest.mark.mechanism("DIR-15")
def test_a_closed_entry_takes_corrections_only():
    shut = closed(state(fact("owned")), TODAY, "moved_away")
    for act in (
        lambda: state(fact("rented", 9), of=shut),
        lambda: ceased(shut, "tenure", "owned", day(3)),
        lambda: verified(shut, NOW),
        lambda: closed(shut, TODAY, "again"),
        lambda: merged(shut, entry("h2")),
    ):
        refusal("entry-closed", act)
    assert values(corrected(shut, HOUSEHOLD, fact("owned"), fact("rented")), 0) == ["rented"]
    refusal("reason-missing", lambda: closed(entry(), TODAY, ""))


def test_entries_merge_within_one_kind_and_district_and_never_in_a_circle():
    gone = merged(entry("h1"), entry("h2"))
    assert (gone.stage, gone.merged_into) == ("merged", "h2")
    refusal("merge-into-merged", lambda: merged(entry("h3"), gone))
    refusal("merge-into-self", lambda: merged(entry("h1"), entry("h1")))
    refusal("merge-across-kinds", lambda: merged(entry("h1"), entry("h2", kind="person")))
    refusal("merge-across-districts", lambda: merged(entry("h1"), entry("h2", district="d2")))
    refusal("merge-cycle", lambda: resolved("a", {"a": "b", "b": "a"}))


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=15))
def test_a_merged_id_resolves_for_ever(pairs):
    entries = {f"h{n}": entry(f"h{n}") for n in range(8)}
    into = {}
    for loser, winner in pairs:
        before = {name: resolved(name, into) for name in entries}
        try:
            gone = merged(entries[f"h{loser}"], entries[f"h{winner}"])
        except Refused:
            continue
        entries[gone.id] = gone
        into[gone.id] = gone.merged_into
        for name, end in before.items():
            assert resolved(name, into) == resolved(end, into)
            assert entries[resolved(name, into)].stage == "open"


attempts = st.lists(
    st.tuples(
        st.sampled_from(["state", "cease", "correct", "remove"]),
        st.sampled_from(["tenure", "phone"]),
        st.sampled_from("abc"),
        st.integers(0, 30),
        st.none() | st.integers(0, 30),
        st.integers(0, 5),
    ),
    max_size=14,
)


@given(attempts)
def test_on_no_day_has_a_single_valued_fact_two_values(tried):
    held = entry()
    for what, name, value, start, end, which in tried:
        one = fact(value, start, end, name)
        old = held.facts[which % len(held.facts)] if held.facts else one
        before = held
        try:
            if what == "state":
                held = stated(held, HOUSEHOLD, one)
                assert all(values(before, n, name) == values(held, n, name) for n in range(start))
            elif what == "cease":
                held = ceased(held, name, value, day(start))
            else:
                held = corrected(held, HOUSEHOLD, old, one if what == "correct" else None)
        except Refused:
            continue
        for n in range(31):
            assert len(values(held, n, "tenure")) <= 1
            assert len(values(held, n, "phone")) == len(set(values(held, n, "phone")))
    assert Entry.model_validate(held.model_dump(mode="python")) == held
