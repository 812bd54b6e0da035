"""A row made anew: mended where it is wrong, left alone where newer facts have arrived."""

from services.insight.rebuild import mending

SOLVED = {"2": {"what": "solved"}}
ROW = {"kind": "case", "tree": ["d"], "scope": ["d"], "steps": SOLVED, "events": {"1": "a", "2": "b"}}


def test_a_row_that_agrees_is_not_touched() -> None:
    assert mending(dict(ROW), dict(ROW), 2) is None


def test_a_missing_row_is_made_whole() -> None:
    assert mending(None, ROW, 2) == {
        "$set": {
            "kind": "case",
            "tree": ["d"],
            "scope": ["d"],
            "steps.2": {"what": "solved"},
            "events.1": "a",
            "events.2": "b",
        }
    }


def test_a_step_that_no_history_knows_is_removed_and_a_newer_one_stays() -> None:
    steps = {"2": {"what": "answered"}, "3": {"what": "x"}, "9": {"what": "new"}}
    stored = ROW | {"steps": steps, "events": {"1": "a"}}
    assert mending(stored, ROW, 5) == {
        "$set": {"steps.2": {"what": "solved"}, "events.2": "b"},
        "$unset": {"steps.3": ""},
    }


def test_a_place_that_moved_since_is_kept() -> None:
    assert mending(ROW | {"scope": ["d", "elsewhere"]}, ROW, 2) is None
