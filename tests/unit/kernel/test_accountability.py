from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.accountability import (
    Gap,
    Party,
    Tie,
    TieType,
    consented,
    declined,
    ended,
    gaps,
    held_on,
    proposed,
    refuse_cycle,
    started,
)
from services.kernel.events import Refused
from services.kernel.interval import empty, holds, most_at_once, overlap

TODAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 3, tzinfo=UTC)
TYPES = {
    kind.name: kind
    for kind in (
        TieType(name="grid_worker", kinds=("person",), scope_kinds=("grid",), least=1, most=2),
        TieType(name="seat", kinds=("person",), scope_kinds=("unit",), most=1, term_days=365),
        TieType(name="custodian", kinds=("person",), scope_kinds=("unit",), excludes=("spender",)),
        TieType(name="spender", kinds=("person",), scope_kinds=("unit",)),
        TieType(name="pairing", kinds=("person",), scope_kinds=("person",), consents=("party", "scope")),
        TieType(name="superior", kinds=("unit",), scope_kinds=("unit",), one_scope=True),
    )
}


def day(n):
    return TODAY + timedelta(n)


def with_tie(ties, kind="grid_worker", party="p1", scope="g1", start=0, end=None, **sides):
    last = None if end is None else day(end)
    tie = Tie(
        id=f"{kind} {party} {scope} {start}", type=kind, party=party, scope=scope, start=day(start), end=last, basis="b"
    )
    known = TYPES.get(kind, TYPES["seat"])
    one = Party(**{"id": party, "kind": known.kinds[0], **sides.get("party_is", {})})
    other = Party(**{"id": scope, "kind": known.scope_kinds[0], **sides.get("scope_is", {})})
    return proposed(ties, TYPES, tie, one, other)


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code


def test_the_kinds_of_both_sides_fit_the_type():
    refusal("tie-kind-unfit", lambda: with_tie((), party_is={"kind": "unit"}))
    refusal("tie-kind-unfit", lambda: with_tie((), scope_is={"kind": "unit"}))
    refusal("tie-kind-unfit", lambda: with_tie((), scope_is={"id": "another"}))
    refusal("tie-type-unknown", lambda: with_tie((), kind="king"))


def test_nobody_stands_so_to_himself_or_when_closed_or_for_no_day():
    refusal("tie-to-self", lambda: with_tie((), kind="pairing", party="p1", scope="p1"))
    refusal("party-closed", lambda: with_tie((), party_is={"closed": True}))
    refusal("party-closed", lambda: with_tie((), scope_is={"closed": True}))
    refusal("tie-empty-interval", lambda: with_tie((), end=0))


def test_a_term_is_not_exceeded():
    refusal("tie-over-term", lambda: with_tie((), kind="seat", end=366))
    refusal("tie-over-term", lambda: with_tie((), kind="seat"))
    assert len(with_tie((), kind="seat", end=365)) == 1


@pytest.mark.mechanism("DIR-05")
def test_the_same_worker_is_not_fixed_twice_to_a_grid_at_once():
    ties = with_tie((), end=10)
    refusal("tie-duplicate", lambda: with_tie(ties, start=9))
    refusal("tie-known", lambda: with_tie(ties))
    assert len(with_tie(ties, start=10)) == 2


@pytest.mark.mechanism("DIR-05")
def test_the_maximum_is_refused_on_any_day_and_free_again_after_an_end():
    ties = with_tie(with_tie((), party="p1"), party="p2", start=5)
    refusal("tie-over-most", lambda: with_tie(ties, party="p3", start=0, end=6))
    assert len(with_tie(ties, party="p3", start=0, end=5)) == 3
    ties = ended(ties, "grid_worker p1 g1 0", day(8), "transferred")
    assert len(with_tie(ties, party="p3", start=8)) == 3
    assert len(with_tie(ties, party="p3", scope="g2")) == 3


@pytest.mark.mechanism("DIR-05")
def test_a_grid_without_a_worker_is_a_gap_on_that_day():
    ties = with_tie((), start=3, end=9)
    assert gaps(TYPES["grid_worker"], ["g1", "g2"], ties, day(5)) == (
        Gap(scope="g2", type="grid_worker", have=0, least=1),
    )
    assert [g.scope for g in gaps(TYPES["grid_worker"], ["g1"], ties, day(9))] == ["g1"]
    assert gaps(TYPES["seat"], ["u1"], (), day(0)) == ()


def test_who_keeps_the_money_does_not_spend_it_in_whatever_order_they_are_named():
    for first, second in (("custodian", "spender"), ("spender", "custodian")):
        ties = with_tie((), kind=first, scope="u1", end=10)
        refusal("tie-excluded", lambda ties=ties, second=second: with_tie(ties, kind=second, scope="u1", start=9))
        assert len(with_tie(ties, kind=second, scope="u1", start=10)) == 2
        assert len(with_tie(ties, kind=second, scope="u2")) == 2


def test_what_binds_both_starts_after_every_consent():
    ties = with_tie((), kind="pairing", scope="p2")
    name = ties[0].id
    refusal("consent-missing", lambda: started(ties, TYPES, name))
    refusal("tie-not-running", lambda: ended(ties, name, day(3), "x"))
    half = consented(ties, TYPES, name, "party", "p1", NOW)
    refusal("consent-given", lambda: consented(half, TYPES, name, "party", "p1", NOW))
    refusal("consent-missing", lambda: started(half, TYPES, name))
    assert held_on(half, day(0)) == ()
    both = started(consented(half, TYPES, name, "scope", "p2", NOW), TYPES, name)
    assert [t.party for t in held_on(both, day(0))] == ["p1"]
    refusal("tie-not-proposed", lambda: declined(both, name, "late"))


def test_a_side_may_decline_with_a_reason_and_its_place_is_free():
    ties = with_tie((), kind="pairing", scope="p2")
    refusal("reason-missing", lambda: declined(ties, ties[0].id, ""))
    left = declined(ties, ties[0].id, "too_far")
    refusal("tie-not-proposed", lambda: started(left, TYPES, ties[0].id))
    again = left[0].model_copy(update={"id": "second"})
    sides = Party(id="p1", kind="person"), Party(id="p2", kind="person")
    assert len(proposed(left, TYPES, again, *sides)) == 2


def test_an_end_has_a_day_inside_and_a_reason():
    ties = with_tie((), end=10)
    name = ties[0].id
    refusal("reason-missing", lambda: ended(ties, name, day(3), ""))
    refusal("tie-end-outside", lambda: ended(ties, name, day(-1), "x"))
    refusal("tie-end-outside", lambda: ended(ties, name, day(11), "x"))
    refusal("tie-unknown", lambda: ended(ties, "nobody", day(3), "x"))
    done = ended(ties, name, day(3), "moved")
    assert held_on(done, day(2)) != ()
    assert held_on(done, day(3)) == ()
    refusal("tie-not-running", lambda: ended(done, name, day(2), "again"))


@pytest.mark.mechanism("DIR-01")
def test_a_unit_has_one_superior_on_a_day_and_is_never_above_itself():
    ties = with_tie((), kind="superior", party="com", scope="street", end=10)
    refusal("tie-second-scope", lambda: with_tie(ties, kind="superior", party="com", scope="street2", start=9))
    assert len(with_tie(ties, kind="superior", party="com", scope="street2", start=10)) == 2
    superiors = {"com": "street", "street": "district"}
    refusal("tie-cycle", lambda: refuse_cycle(superiors, "district", "com"))
    refusal("tie-cycle", lambda: refuse_cycle(superiors, "com", "com"))
    refuse_cycle(superiors, "com2", "street")


plans = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from(["p1", "p2", "p3", "p4"]), st.integers(0, 20), st.none() | st.integers(0, 25)
    ),
    max_size=14,
)


@given(plans)
def test_whatever_is_tried_no_day_has_more_than_the_most_and_gaps_agree(plan):
    ties = ()
    for adding, party, start, end in plan:
        try:
            if adding:
                ties = with_tie(ties, party=party, start=start, end=end)
            else:
                ties = ended(ties, next((t.id for t in ties if t.party == party), ""), day(start), "moved")
        except Refused:
            continue
    for n in range(30):
        there = held_on(ties, day(n), "grid_worker")
        assert len(there) <= 2
        assert len({t.party for t in there}) == len(there)
        assert bool(gaps(TYPES["grid_worker"], ["g1"], ties, day(n))) == (not there)
    assert tuple(Tie.model_validate(t.model_dump(mode="python")) for t in ties) == ties


spans = st.tuples(st.integers(0, 12), st.none() | st.integers(0, 12)).map(
    lambda s: (day(s[0]), None if s[1] is None else day(s[1]))
)


@given(spans, spans)
def test_two_intervals_overlap_exactly_when_they_share_a_day(one, other):
    shared = [n for n in range(14) if holds(one, day(n)) and holds(other, day(n))]
    assert overlap(one, other) == overlap(other, one) == bool(shared)
    assert empty(one) == (not any(holds(one, day(n)) for n in range(14)))


@given(st.lists(spans, max_size=6), spans)
def test_the_most_at_once_is_what_plain_counting_finds(some, within):
    counts = [sum(holds(s, day(n)) for s in some) for n in range(14) if holds(within, day(n))]
    assert most_at_once(some, within) == max(counts, default=0)
