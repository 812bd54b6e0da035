"""What a place says of the events that were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.consuming.places import Place
from services.chassis.reconciling.comparing import lacking
from services.chassis.reconciling.hours import Hours
from services.chassis.reconciling.statements import Line

LINE = Line("case_1", first=4, last=6, event="e6")


@pytest.mark.parametrize(
    ("place", "lacked"),
    [
        (Place(), 3),
        (Place(seq=2, last_id="e2"), 3),
        (Place(seq=4, last_id="e4"), 2),
        (Place(seq=6, last_id="e6"), 0),
        (Place(seq=9, last_id="e9"), 0),
        (Place(seq=6, last_id=""), 0),  # passed over by a person
        (Place(seq=6, last_id="of another history"), 1),
    ],
)
def test_only_events_of_the_hour_behind_the_place_are_lacking(place: Place, lacked: int) -> None:
    assert lacking(LINE, place) == lacked


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 60))
def test_hours_side_by_side_add_up_to_what_the_whole_lacks(first: int, length: int, seq: int) -> None:
    last = first + length
    place = Place(seq=seq, last_id=f"e{seq}")
    single = sum(lacking(Line("a", one, one, f"e{one}"), place) for one in range(first, last + 1))
    assert lacking(Line("a", first, last, f"e{last}"), place) == single


@given(st.integers(0, 2**32), st.sampled_from([1, 60, 3600]), st.integers(0, 900))
def test_an_hour_is_closed_once_its_grace_is_over(now: int, length: int, grace: int) -> None:
    hours = Hours(length, grace)
    closed = hours.closed(now)
    assert closed % length == 0
    assert closed + grace <= now < closed + length + grace


def test_hours_between_two_seconds_touch_and_do_not_overlap() -> None:
    assert Hours().between(3600, 3 * 3600) == [3600, 7200]
    assert Hours().between(3600, 3600) == []
