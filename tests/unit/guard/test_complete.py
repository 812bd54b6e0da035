"""Up to when everything has been taken: never told too late, and told as soon as it is so."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.consuming.complete import MOST, Looks

START = datetime(2026, 3, 1, tzinfo=UTC)
ONE, TWO = ("topic", 0), ("topic", 1)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def test_nothing_is_told_while_a_single_partition_lags() -> None:
    looks = Looks()
    looks.add(at(1), {ONE: 5, TWO: 3})
    assert looks.passed({ONE: 5, TWO: 2}) is None
    assert looks.passed({ONE: 9}) is None
    assert looks.passed({ONE: 5, TWO: 3}) == at(1)
    assert looks.passed({ONE: 5, TWO: 3}) is None, "told once"


def test_an_empty_topic_holds_nobody_up() -> None:
    looks = Looks()
    looks.add(at(1), {ONE: 0})
    assert looks.passed({}) == at(1)


def test_under_constant_lag_the_instant_still_moves() -> None:
    looks = Looks()
    told = []
    for second in range(1, 20):
        looks.add(at(second), {ONE: second * 10})
        told.append(looks.passed({ONE: second * 10 - 25}))
    assert [one for one in told if one] == [at(second) for second in range(1, 17)]


def test_an_owner_that_starts_over_takes_nothing_back() -> None:
    looks = Looks()
    looks.add(at(9), {ONE: 1})
    looks.add(at(2), {ONE: 2})
    assert looks.passed({ONE: 2}) == at(9)


def test_a_long_standstill_is_remembered_from_its_beginning() -> None:
    looks = Looks()
    for second in range(MOST + 50):
        looks.add(at(second), {ONE: second})
    assert looks.passed({ONE: 3}) == at(3)
    assert looks.passed({ONE: MOST + 50}) == at(MOST - 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 6), st.integers(0, 6)), max_size=40))
def test_what_is_told_was_really_taken(course: list[tuple[int, int, int, int]]) -> None:
    """Events are appended and taken at random; whatever is told as complete lies before the first that was not."""
    looks, ends, committed = Looks(), {ONE: 0, TWO: 0}, {ONE: 0, TWO: 0}
    written: dict[tuple[tuple[str, int], int], int] = {}
    for second, (more_one, more_two, take_one, take_two) in enumerate(course, start=1):
        looks.add(at(second), ends)  # everything of before this second is in the topics
        for partition, more in ((ONE, more_one), (TWO, more_two)):
            for offset in range(ends[partition], ends[partition] + more):
                written[partition, offset] = second
            ends[partition] += more
        for partition, take in ((ONE, take_one), (TWO, take_two)):
            committed[partition] = min(ends[partition], committed[partition] + take)
        told = looks.passed(committed)
        missing = [at(when) for (part, offset), when in written.items() if offset >= committed[part]]
        if told is not None and missing:
            assert told <= min(missing)
