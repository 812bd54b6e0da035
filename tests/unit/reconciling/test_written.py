"""When an entry was written is told by the server, whatever the entry says of itself."""

from typing import Any

import pytest
from bson.timestamp import Timestamp

from services.chassis.reconciling.written import Entry, Share, timed


def entry(seq: int, op: str, after: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"seq": seq, "id": f"e{seq}", "type": "case.noted.v1", "op": op}
    return made | ({"after": Timestamp(after, 1)} if after is not None else {})


def seconds(history: list[dict[str, Any]], changed: int) -> list[int | None]:
    return [each.second for each in timed(history, Timestamp(changed, 1))]


def test_the_last_write_is_as_old_as_the_document() -> None:
    assert seconds([entry(1, "a")], 500) == [500]


def test_each_earlier_write_is_told_by_the_one_behind_it() -> None:
    assert seconds([entry(1, "a"), entry(2, "b", 100), entry(3, "c", 200)], 300) == [300, 200, 100]


def test_events_of_one_write_are_equally_old() -> None:
    history = [entry(1, "a"), entry(2, "a"), entry(3, "b", 100), entry(4, "b"), entry(5, "c", 200)]
    assert seconds(history, 300) == [300, 200, 200, 100, 100]


def test_a_history_cut_within_a_write_still_tells_it() -> None:
    assert seconds([entry(4, "b"), entry(5, "c", 200)], 300) == [300, 200]


def test_how_old_entries_of_an_earlier_release_are_nobody_knows() -> None:
    history = [entry(1, "a"), entry(2, "b"), entry(3, "c"), entry(4, "d", 300)]
    assert seconds(history, 400) == [400, 300, None, None]
    assert next(timed(history, Timestamp(400, 1))) == Entry(4, "e4", "case.noted.v1", 400)


@pytest.mark.parametrize("of", [1, 2, 7])
def test_each_aggregate_belongs_to_one_share(of: int) -> None:
    for number in range(200):
        takers = [each for each in range(of) if Share(each, of).takes(f"case_{number}")]
        assert len(takers) == 1
