"""Each figure and each difference is told in two languages, with what is to be done."""

import pytest

from services.chassis.reconciling import words
from services.chassis.reconciling.differences import ASTRAY, NOT_IN_TOPIC, PARKED, PASSED_OVER, WAITING, Difference
from services.chassis.texts import faults


def test_every_place_where_an_event_can_be_lost_has_its_sentence() -> None:
    assert set(words.WHERE) == {NOT_IN_TOPIC, WAITING, PASSED_OVER, PARKED, *ASTRAY}
    assert faults(words.WHERE) == []


@pytest.mark.parametrize("where", words.WHERE)
def test_no_sentence_leaves_a_place_open(where: str) -> None:
    found = Difference("insight", "complaints", "case", "case_1", 3, "e3", where=where, reason="refused", row="r1")
    said = words.difference(found)
    assert "{" not in said["zh"] + said["en"]
    assert "insight" in said["zh"]
    assert "insight" in said["en"]


def test_what_only_the_topic_lacks_is_said_of_the_topic() -> None:
    said = words.difference(Difference("", "complaints", "case", "case_1", 3, "e3", where=NOT_IN_TOPIC))
    assert said["en"].startswith("the topic: in the history, not in the topic")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (words.owners_hour("a", 0, 0, 0), "Nothing was written"),
        (words.owners_hour("a", 5, 5, 0), "holds them all"),
        (words.owners_hour("a", 5, 4, 1), "1 are missing"),
        (words.owners_hour("a", 5, None, 0), "older than the topic keeps"),
        (words.consumers_hour("b", 0, 0, {}), "Nothing was written"),
        (words.consumers_hour("b", 5, 0, {}), "b has applied them all"),
        (words.consumers_hour("b", 5, 2, {"refused": 1}), "1 of them lie parked (refused 1)"),
        (words.consumers_hour("b", 5, 2, {}), "has yet to apply 2"),
        (words.whole("b", 0, 0, compared=False), "No hour has closed yet"),
        (words.whole("b", 0, 0, compared=True), "published and applied"),
        (words.whole("b", 2, 1, compared=True), "python -m services reconcile --service b"),
        (words.round_of("a.case", 0, 0), "none differs"),
        (words.round_of("a.case", 1, 2), "of 2 records something else"),
    ],
)
def test_figures_are_told_in_words(said: dict[str, str], told: str) -> None:
    assert told in said["en"]
    assert said["zh"]
