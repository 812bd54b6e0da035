"""What an answer may claim of the facts behind it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.consuming.complete import Completeness
from services.insight.completeness import LATE, _state
from services.insight.texts import FACTS

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
WELL: dict[str, Any] = {
    "complete_to": NOW - timedelta(seconds=20), "waiting": 0, "parked": 0, "seen_at": NOW, "fresh": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "current"),
        ({"fresh": False}, "unknown"),
        ({"complete_to": None}, "unknown"),
        ({"waiting": 1}, "behind"),
        ({"parked": 1}, "behind"),
        ({"complete_to": NOW - LATE - timedelta(seconds=1)}, "behind"),
        ({"silent": ("complaints",)}, "current"),  # until its silence makes the instant late
    ],
)
def test_nothing_is_current_of_which_it_is_known_that_it_is_not(changes: dict[str, Any], state: str) -> None:
    assert _state(Completeness(**(WELL | changes)), NOW, NOW) == state
    assert Completeness(**(WELL | changes)).fresh or state == "unknown"


def test_nothing_at_all_is_unknown() -> None:
    assert _state(Completeness(), NOW, NOW) == "unknown"


def test_an_older_as_of_is_current_once_the_facts_reach_it() -> None:
    late = Completeness(**(WELL | {"complete_to": NOW - timedelta(days=2)}))
    assert _state(late, NOW - timedelta(days=3), NOW) == "current"
    assert _state(late, NOW - timedelta(days=1), NOW) == "behind"


def test_every_state_has_its_sentence_chinese_first() -> None:
    assert FACTS.keys() == {"current", "behind", "unknown", "updating"}
    for zh, en in FACTS.values():
        assert any("\u4e00" <= char <= "\u9fff" for char in zh) and en.isascii()
