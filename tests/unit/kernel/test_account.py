from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import ValidationError

from services.kernel.account import Account, Entry, Leg, Opening, closed, counter, held, let_go, opened, post
from services.kernel.events import Refused

NOW = datetime(2026, 3, 3, tzinfo=UTC)


def account(**more):
    return opened(Opening(**{"id": "zhang", "owner": "vol_1", "kind": "minutes", "period": "2026", **more}))


def entry(n, cause="order_1", name=None, kind="minutes", **more):
    legs = (Leg(account="zhang", kind=kind, n=n), Leg(account="given", kind=kind, n=-n))
    facts = {"id": name or f"entry of {cause}", "cause": cause, "purpose": "service", "by": "staff_1", "at": NOW}
    return Entry(**{**facts, "legs": legs, **more})


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code


def test_legs_that_do_not_sum_to_zero_per_kind_are_no_entry():
    one, other = Leg(account="a", kind="fen", n=5), Leg(account="b", kind="fen", n=-4)
    refusal("legs-unbalanced", lambda: entry(1, legs=(one, other)))
    refusal("legs-unbalanced", lambda: entry(1, legs=(one, Leg(account="b", kind="points", n=-5))))
    refusal("legs-unbalanced", lambda: entry(1, legs=()))
    refusal("leg-zero", lambda: entry(0))
    refusal("leg-account-twice", lambda: entry(1, legs=(one, Leg(account="a", kind="fen", n=-5))))


@pytest.mark.parametrize("n", [1.0, 1.5, "1", True, 2**63])
def test_quantities_are_whole_numbers_that_a_store_can_hold(n):
    with pytest.raises(ValidationError):
        Leg(account="a", kind="fen", n=n)


@pytest.mark.mechanism("VOL-05")
def test_one_order_is_booked_once():
    once = post(account(), entry(90))
    assert once.balance == 90
    refusal("cause-posted", lambda: post(once, entry(90)))
    refusal("cause-posted", lambda: post(once, entry(60, name="another")))


@pytest.mark.mechanism("VOL-05", "LAW-34")
def test_an_entry_is_corrected_by_one_counter_entry_and_a_new_one():
    wrong = entry(900)
    booked = post(account(), wrong)
    back = counter(wrong, "e2", "staff_2", NOW)
    corrected = post(post(booked, back), entry(90, cause="order_1 corrected"))
    assert corrected.balance == 90
    assert [(p.n, p.reversed_by) for p in corrected.posted] == [(900, "e2"), (-900, None), (90, None)]
    refusal("cause-posted", lambda: post(corrected, counter(wrong, "e3", "staff_2", NOW)))
    again = counter(wrong, "e3", "staff_2", NOW).model_copy(update={"cause": "another"})
    refusal("entry-reversed", lambda: post(corrected, again))
    refusal("counter-of-counter", lambda: counter(back, "e4", "staff_2", NOW))


def test_a_counter_entry_takes_back_exactly_what_is_there():
    refusal("entry-unknown", lambda: post(account(carried=99), counter(entry(90), "e2", "staff_2", NOW)))
    half = entry(-45, cause="x", reverses="entry of order_1")
    refusal("entry-not-countered", lambda: post(post(account(), entry(90)), half))


def test_kinds_are_not_mixed_and_a_purpose_stays_inside():
    refusal("kind-mixed", lambda: post(account(), entry(5, kind="fen")))
    refusal("leg-missing", lambda: post(account(id="li"), entry(5)))
    bound = account(purposes=("flood_relief",))
    refusal("purpose-foreign", lambda: post(bound, entry(5)))
    assert post(bound, entry(5, purpose="flood_relief")).balance == 5


def test_nothing_goes_out_below_the_floor_and_what_is_held_is_not_there():
    rich = account(carried=100)
    refusal("below-floor", lambda: post(rich, entry(-101)))
    kept = held(rich, "order_7", 60)
    refusal("below-floor", lambda: post(kept, entry(-41)))
    refusal("below-floor", lambda: held(kept, "order_8", 41))
    refusal("hold-known", lambda: held(kept, "order_7", 1))
    refusal("amount-not-positive", lambda: held(kept, "order_8", 0))
    refusal("hold-unknown", lambda: let_go(kept, "order_8"))
    assert post(let_go(kept, "order_7"), entry(-100)).balance == 0
    assert post(account(floor=-50), entry(-50)).balance == -50
    refusal("below-floor", lambda: account(carried=-1))


def test_a_closed_period_stays_closed():
    refusal("hold-open", lambda: closed(held(account(carried=9), "h", 9)))
    shut = closed(post(account(), entry(90)))
    for act in (
        lambda: post(shut, entry(5, cause="late")),
        lambda: post(shut, counter(entry(90), "e2", "staff_2", NOW)),
        lambda: held(shut, "h", 1),
        lambda: let_go(shut, "h"),
        lambda: closed(shut),
    ):
        refusal("account-closed", act)


def test_where_duties_are_separated_the_proposer_does_not_release():
    strict = account(separated=True)
    refusal("release-missing", lambda: post(strict, entry(5)))
    refusal("release-by-proposer", lambda: post(strict, entry(5, released_by="staff_1")))
    assert post(strict, entry(5, released_by="staff_2")).balance == 5


class Books(RuleBasedStateMachine):
    """Two accounts that every entry moves between; most attempts are refused."""

    def __init__(self):
        super().__init__()
        self.books = {name: account(id=name, floor=-1000) for name in ("a", "b")}
        self.entries = []

    def attempt(self, act):
        try:
            act()
        except Refused:
            return

    def post_both(self, one):
        after = {name: post(book, one) for name, book in self.books.items()}
        self.books = after
        self.entries.append(one)

    @rule(n=st.integers(-900, 900), cause=st.sampled_from("stuvwxyz"))
    def book(self, n, cause):
        legs = [{"account": "a", "kind": "minutes", "n": n}, {"account": "b", "kind": "minutes", "n": -n}]
        self.attempt(lambda: self.post_both(entry(1, cause=cause, legs=legs)))

    @rule(which=st.integers(0, 20))
    def take_back(self, which):
        if self.entries:
            one = self.entries[which % len(self.entries)]
            self.attempt(lambda: self.post_both(counter(one, f"c{len(self.entries)}", "staff_2", NOW)))

    @rule(n=st.integers(-1, 300), name=st.sampled_from("hij"))
    def set_aside(self, n, name):
        def act():
            self.books["a"] = held(self.books["a"], name, n)

        self.attempt(act)

    @rule(name=st.sampled_from("hij"))
    def free(self, name):
        def act():
            self.books["a"] = let_go(self.books["a"], name)

        self.attempt(act)

    @invariant()
    def nothing_is_made_or_lost(self):
        assert sum(book.balance for book in self.books.values()) == 0

    @invariant()
    def the_balance_is_the_sum_of_what_was_posted_and_above_the_floor(self):
        for book in self.books.values():
            assert book.balance == sum(p.n for p in book.posted)
            assert book.balance - book.held >= book.floor

    @invariant()
    def a_cause_posts_once_and_an_entry_is_reversed_once(self):
        for book in self.books.values():
            assert len({p.cause for p in book.posted}) == len(book.posted)
        taken = [one.reverses for one in self.entries if one.reverses]
        assert len(set(taken)) == len(taken)

    @invariant()
    def it_can_be_stored_and_loaded(self):
        for book in self.books.values():
            assert Account.model_validate(book.model_dump(mode="python")) == book


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestBooks.pytestmark = [pytest.mark.mechanism("VOL-05")]
