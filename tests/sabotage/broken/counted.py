"""Zero is counted from the histories."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "zero is counted from the histories"
PACKAGE = "services/chassis/reconciling"
HOURS = "tests/integration/reconciling/test_hours.py"
ROUNDS = "tests/integration/reconciling/test_rounds.py"

SABOTAGES = (
    Sabotage(
        name="all-entries-as-young-as-the-last",
        promise=PROMISE,
        what="Every entry of a history counts in the hour of the last write.",
        file=f"{PACKAGE}/written.py",
        old='second = newer["after"].time if "after" in newer else None',
        new="second = changed.time",
        tests=("tests/unit/reconciling/test_written.py::test_each_earlier_write_is_told_by_the_one_behind_it",),
        shows=r"\[300, 300, 300\] == \[300, 200, 100\]",
    ),
    Sabotage(
        name="topic-that-is-believed-to-hold-everything",
        promise=PROMISE,
        what="The topic is not looked at: whatever is in a history counts as published.",
        file=f"{PACKAGE}/stating.py",
        old="if (subject, entry.seq) in found:",
        new="if entry:",
        tests=(f"{HOURS}::test_records_that_were_deleted_are_missing_in_the_topic_though_everything_was_applied",),
        shows=r"\[\] == \[1, 2, 3\]",
    ),
    Sabotage(
        name="place-put-back-unseen",
        promise=PROMISE,
        what="The round through all records overlooks a place that lies behind its history.",
        file=f"{PACKAGE}/comparing.py",
        old="if place.seq < claim.settled:",
        new="if place.seq < 0:",
        tests=(f"{ROUNDS}::test_a_place_that_was_put_back_is_found_however_old_its_events_are",),
        shows=r"\[\] == \[\('behind', 3, 1,",
    ),
    Sabotage(
        name="alarm-before-it-is-certain",
        promise=PROMISE,
        what="A place that is newer than the statement it is held against counts at once as beyond its history.",
        file=f"{PACKAGE}/comparing.py",
        old='row["certain"] = same and page.at > row["seen"] + later',
        new='row["certain"] = True',
        tests=(
            f"{ROUNDS}::test_more_applied_than_the_history_holds_is_certain_once_a_later_reading_lacks_it_too",
        ),
        shows=r"2, 3, True\) == \('beyond', 2, 3, False\)",
    ),
    Sabotage(
        name="zero-that-nobody-counted",
        promise=PROMISE,
        what="The figure is zero before anything was compared.",
        file=f"{PACKAGE}/figures.py",
        old='if until is not None or f"round|{source}" in marks:',
        new="if source:",
        tests=(f"{HOURS}::test_before_anything_was_compared_there_is_no_figure_at_all",),
        shows=r"assert 0\.0 is None",
    ),
)
