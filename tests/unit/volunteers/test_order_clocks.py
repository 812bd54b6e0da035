"""Promised times of an order: what passes with them, and what moves when a calendar is announced."""

from datetime import date

import pytest

from services.kernel.case.deadlines import Due, promised
from services.volunteers.domain.order import commands as c
from services.volunteers.domain.order import events as e
from services.volunteers.domain.order.clocks import on_calendar, on_due
from tests.unit.volunteers.given import (
    ANN,
    BEA,
    DAY,
    HOUR,
    RULES,
    TUESDAY,
    ZONE,
    Deed,
    accepted,
    done,
    offered,
    requested,
)  # fmt: skip


def due(deed: Deed) -> list[str]:
    return [one.name for one in deed.state.due]


def provisional(deed: Deed) -> None:
    """The confirmation as it was promised when nobody knew the calendar: weekdays, Labour Day included."""
    guessed = promised("confirmation", RULES.limits.confirmation, deed.now, ZONE, lambda day: None)
    deed.order = deed.state.model_copy(
        update={"deadlines": (guessed,), "due": (Due(name=guessed.name, at=guessed.at, provisional=True),)}
    )


def test_a_time_that_has_not_come_or_was_met_meanwhile_changes_nothing() -> None:
    deed = offered()
    answer = deed.state.due[0]
    assert deed.do(c.Overdue(answer)) == []
    deed.do(c.Accept(ANN))
    deed.now = answer.at
    assert deed.do(c.Overdue(answer)) == []  # the sweep saw it before Ann answered
    assert deed.state.stage == "accepted"


@pytest.mark.mechanism("VOL-03")
def test_an_offer_that_nobody_answers_passes_to_the_next_with_all_the_time_to_answer() -> None:
    deed = offered(ANN, BEA)
    assert deed.until_due("answer") == [e.OrderExpired(volunteer=ANN, last=False, case="case_1")]
    assert (deed.state.stage, deed.state.asked, deed.state.due) == ("requested", (ANN,), ())
    deed.do(c.Match((BEA,)), after=3 * HOUR)
    assert deed.state.due[0].at == deed.now + DAY


def test_a_named_volunteer_who_does_not_answer_ends_the_order() -> None:
    deed = requested(mode="by_name", volunteer=ANN)
    deed.do(c.Match((ANN,)))
    assert deed.until_due("answer") == [e.OrderExpired(volunteer=ANN, last=True, case="case_1")]
    assert deed.state.outcome == "unfilled"


@pytest.mark.mechanism("VOL-03")
def test_an_activity_day_that_passes_without_a_volunteer_ends_the_order_at_its_midnight() -> None:
    deed = requested(mode="activity_day", on=date(2025, 5, 18))
    assert deed.until_due("term") == [e.OrderExpired(last=True, case="case_1")]
    assert deed.now.astimezone().timestamp() == deed.state.ends.timestamp()  # type: ignore[union-attr]
    assert deed.state.stage == "unfilled"


def test_a_deed_at_a_fixed_time_is_offered_no_longer_than_until_it_begins() -> None:
    soon = {"start": TUESDAY + 2 * HOUR, "end": TUESDAY + 3 * HOUR}
    deed = offered(ANN, BEA, **soon)
    assert due(deed) == ["term", "answer"]
    assert deed.until_due("term") == [e.OrderExpired(volunteer=ANN, last=True, case="case_1")]
    assert (deed.state.stage, deed.state.due) == ("unfilled", ())


def test_the_time_for_a_deed_at_a_fixed_time_runs_from_its_end() -> None:
    deed = accepted(start=TUESDAY + 20 * DAY, end=TUESDAY + 20 * DAY + HOUR)
    assert due(deed) == ["service"]
    assert deed.state.due[0].at > TUESDAY + 27 * DAY


def test_a_deed_that_is_late_is_marked_and_can_still_be_done_and_confirmed() -> None:
    deed = accepted()
    service = deed.state.due[0].at
    assert deed.until_due("service") == [e.OrderOverdue(name="service", due=service, case="case_1")]
    assert (deed.state.late, deed.state.due, deed.state.stage) == (True, (), "accepted")
    deed.do(c.ReportDone(ANN, 30))
    deed.do(c.Confirm("resident"))
    assert deed.state.stage == "confirmed"


@pytest.mark.mechanism("LAW-33")
def test_the_record_is_due_ten_working_days_after_the_deed() -> None:
    deed = done()
    assert deed.state.due[0].at.astimezone().timestamp() == pytest.approx(
        promised("x", RULES.limits.confirmation, deed.now, ZONE).at.timestamp()
    )
    assert [limit.n for limit in (RULES.limits.confirmation,)] == [10]
    assert deed.until_due("confirmation")[0].TYPE == "order.overdue"
    assert deed.state.stage == "done"


@pytest.mark.mechanism("LAW-33")
def test_a_provisional_time_is_computed_again_before_it_counts_as_missed() -> None:
    deed = accepted()
    deed.do(c.ReportDone(ANN, 45), after=date(2025, 9, 28) - deed.now.date())  # before the long holidays of October
    known = deed.state.due[0].at
    provisional(deed)
    assert deed.state.due[0].at < known
    (moved,) = deed.until_due("confirmation")
    assert moved == e.OrderPromised(name="confirmation", at=known, provisional=False)
    assert (deed.state.late, deed.state.due[0].at, deed.state.due[0].provisional) == (False, known, False)


def test_provisional_times_move_once_their_calendar_is_announced() -> None:
    deed = accepted()
    deed.do(c.ReportDone(ANN, 45), after=date(2025, 9, 28) - deed.now.date())
    known = deed.state.due[0].at
    assert deed.do(on_calendar(deed.state)) == []
    provisional(deed)
    deed.do(on_calendar(deed.state))
    assert deed.state.due[0].at == known


def test_a_due_entry_becomes_the_command_that_names_it() -> None:
    deed = offered()
    assert on_due(deed.state, deed.state.due[0]) == c.Overdue(deed.state.due[0])
