"""Hours: minutes actually given, booked once, corrected by a counter-entry, never edited, never negative."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.events import Refused
from services.volunteers.domain import hours as h

NOW = datetime(2025, 5, 13, tzinfo=UTC)
BOOK = h.Book("unit_g1", "volunteer_ann", "order_1", "maintenance", 60, "case_1")


def after(*commands: Any, state: h.Hours | None = None) -> h.Hours:
    for command in commands:
        for one in h.decide(state, command, NOW):
            state = h.evolve(state, one.event, NOW)
    assert state is not None
    return state


def entries(state: h.Hours) -> list[int]:
    return [one.n for one in state.account.posted]


@pytest.mark.mechanism("LAW-32")
@pytest.mark.parametrize("minutes", [-1, 0, 24 * 60 + 1])
def test_a_deed_of_no_time_or_of_more_than_a_day_is_not_booked(minutes: int) -> None:
    with pytest.raises(Refused, match="minutes-out-of-range"):
        h.decide(None, h.Book("unit_g1", "volunteer_ann", "order_1", "maintenance", minutes), NOW)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (h.Correct(-1, "mistyped"), "minutes-out-of-range"),
        (h.Correct(24 * 60 + 1, "mistyped"), "minutes-out-of-range"),
        (h.Correct(60, "mistyped"), "total-unchanged"),
        (h.Correct(45, "mistyped", worker="volunteer_ann"), "own-deed"),
        (h.AskCorrection("volunteer_bea", 45, "短了"), "hours-not-yours"),
        (h.AskCorrection("volunteer_ann", 60, "一样"), "total-unchanged"),
        (h.Keep("record-is-right"), "correction-none"),
    ],
)
@pytest.mark.mechanism("LAW-34")
def test_what_is_refused_of_a_booked_deed(command: Any, code: str) -> None:
    with pytest.raises(Refused, match=code):
        h.decide(after(BOOK), command, NOW)


def test_nothing_is_corrected_before_it_is_booked() -> None:
    with pytest.raises(Refused, match="not-found"):
        h.decide(None, h.Correct(1, "mistyped"), NOW)


@pytest.mark.mechanism("VOL-05", "LAW-34")
def test_a_correction_takes_the_first_entry_back_and_leaves_it_in_place() -> None:
    state = after(BOOK, h.Correct(45, "miscounted"))
    assert (entries(state), state.total) == ([60, -60, 45], 45)
    assert state.account.posted[0].reversed_by == state.account.posted[1].entry


def test_what_is_told_is_the_difference_and_the_new_total() -> None:
    (one,) = h.decide(after(BOOK), h.Correct(45, "miscounted", note="看错表了"), NOW)
    assert one.event == h.HoursCorrected(
        volunteer="volunteer_ann", order="order_1", minutes=-15, total=45, reason="miscounted"
    )
    assert one.private == {"note": {"text": "看错表了"}}


def test_hours_taken_back_to_nothing_can_be_given_again() -> None:
    state = after(BOOK, h.Correct(0, "not-served"), h.Correct(30, "asked"))
    assert (entries(state), state.total) == ([60, -60, 30], 30)


@pytest.mark.mechanism("LAW-34")
def test_the_volunteer_asks_and_the_coordinator_answers_either_way() -> None:
    asked = after(BOOK, h.AskCorrection("volunteer_ann", 75, "来回路上也算"))
    assert (asked.asked, asked.disputed, asked.total) == (75, True, 60)
    kept = after(h.Keep("record-is-right"), state=asked)
    assert (kept.asked, kept.disputed, kept.total) == (None, False, 60)
    corrected = after(h.Correct(75, "asked"), state=asked)
    assert (corrected.asked, corrected.disputed, corrected.total) == (None, False, 75)


def test_what_the_volunteer_wrote_stays_out_of_the_event() -> None:
    (one,) = h.decide(after(BOOK), h.AskCorrection("volunteer_ann", 75, "王大妈可以作证"), NOW)
    assert "王大妈" not in one.event.model_dump_json()
    assert one.private == {"request": {"text": "王大妈可以作证"}}


CORRECTIONS = st.builds(h.Correct, st.integers(-5, 24 * 60 + 5), st.just("miscounted"))


@pytest.mark.mechanism("VOL-05", "LAW-32")
@given(st.integers(1, 24 * 60), st.lists(CORRECTIONS, max_size=12))
def test_the_total_is_always_the_sum_of_the_entries_and_never_negative(minutes: int, steps: list[h.Correct]) -> None:
    state = after(h.Book("unit_g1", "volunteer_ann", "order_1", "maintenance", minutes))
    told = minutes
    for step in steps:
        before = entries(state)
        try:
            happened = h.decide(state, step, NOW)
        except Refused:
            continue
        state = h.evolve(state, happened[0].event, NOW)
        told += happened[0].event.model_dump()["minutes"]
        assert entries(state)[: len(before)] == before  # nothing that was booked is ever edited
        assert state.total == state.account.balance == sum(entries(state)) == told == step.total >= 0
