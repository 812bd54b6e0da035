"""Outcome, confirmation, orders, the wall."""

import pytest

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.kernel.events import Refused
from tests.unit.complaints.given import (
    RESIDENT,
    RULES,
    STAFF,
    STRANGER,
    WORKER,
    Concern,
    accepted,
    in_hand,
    recorded,
    solved,
)

SOLVE = c.Settle(RULES, WORKER, STAFF, "solved", "已修复")
ORDER = c.RequestOrder(WORKER, "order_1", "hardship", "dispatch")


def refusal(concern: Concern, command: object) -> str:
    with pytest.raises(Refused) as refused:
        concern.do(command)
    return refused.value.code


def with_order() -> Concern:
    concern = in_hand()
    concern.do(ORDER)
    return concern


def test_there_is_no_outcome_without_a_reply_to_the_resident() -> None:
    assert refusal(in_hand(), c.Settle(RULES, WORKER, STAFF, "solved", " ")) == "data-missing"


def test_there_is_no_outcome_of_what_nobody_took_up() -> None:
    assert refusal(recorded(), SOLVE) == "step-not-from-here"


def test_a_stranger_settles_nothing() -> None:
    assert refusal(in_hand(), c.Settle(RULES, STRANGER, STAFF, "solved", "好")) == "not-yours"


@pytest.mark.mechanism("CMP-02")
@pytest.mark.parametrize(("outcome", "kind"), [("solved", e.CaseSolved), ("answered", e.CaseAnswered)])
def test_solved_and_answered_are_two_outcomes_and_neither_is_closed(outcome: e.Outcome, kind: type) -> None:
    concern = in_hand()
    (event, promised) = concern.do(c.Settle(RULES, WORKER, STAFF, outcome, "已答复"))
    assert isinstance(event, kind) and isinstance(promised, e.CasePromised)
    assert (concern.case.outcome, concern.case.work, concern.case.stage) == (outcome, "done", "done")


@pytest.mark.mechanism("CMP-02")
def test_the_resident_confirms_and_it_closes() -> None:
    concern = solved()
    concern.do(c.Confirm(RULES, RESIDENT, satisfied=True))
    assert concern.names[-2:] == ["confirmed", "closed"]
    assert concern.case.work == "closed" and concern.case.outcome == "solved" and concern.case.due == ()


@pytest.mark.mechanism("CMP-02", "LAW-45")
def test_the_resident_objects_and_the_outcome_is_gone_and_the_redoing_is_counted() -> None:
    concern = solved()
    event = concern.do(c.Reopen(RULES, RESIDENT, "not-solved"))[0]
    assert isinstance(event, e.CaseReopened) and (event.by, event.times) == ("resident", 1)
    assert concern.case.outcome is None and concern.case.work == "open"
    concern.do(c.Take(RULES, WORKER, STAFF))
    redone = concern.do(SOLVE)[0]
    assert isinstance(redone, e.CaseSolved) and redone.reopened == 1


def test_the_resident_cannot_reopen_what_is_closed_but_a_worker_can() -> None:
    concern = solved()
    concern.do(c.Confirm(RULES, RESIDENT))
    assert refusal(concern, c.Reopen(RULES, RESIDENT, "came-back")) == "role-missing"
    concern.do(c.Reopen(RULES, STAFF, "came-back", by=WORKER))
    assert concern.case.work == "open"


def test_a_concern_of_nobody_known_closes_with_its_outcome() -> None:
    concern = in_hand(reporter={}, resident=None)
    concern.do(SOLVE)
    assert concern.names[-1] == "closed" and concern.case.work == "closed"


def test_a_call_back_that_nobody_made_is_marked_but_goes_to_nobody_above() -> None:
    concern = solved().later(days=9)
    events = concern.sweep()
    assert [type(one) for one in events] == [e.CaseOverdue] and concern.case.late


def test_what_has_no_outcome_is_not_closed() -> None:
    assert refusal(in_hand(), c.Close(RULES, WORKER, STAFF, "not-reached")) == "step-not-from-here"


@pytest.mark.mechanism("CMP-35")
def test_an_open_order_blocks_the_outcome() -> None:
    assert refusal(with_order(), SOLVE) == "link-open"


@pytest.mark.mechanism("CMP-35")
@pytest.mark.parametrize("how", ["confirmed", "declined", "expired", "cancelled"])
def test_an_order_that_ended_for_good_blocks_nothing(how: str) -> None:
    concern = with_order()
    concern.do(c.EndOrder("order_1", how))  # type: ignore[arg-type]
    concern.do(SOLVE)
    assert concern.case.outcome == "solved"


def test_an_open_order_is_waived_with_a_reason_by_somebody() -> None:
    concern = with_order()
    assert refusal(concern, c.Waive(RULES, WORKER, "order_1", "bored")) == "reason-unknown"
    concern.do(c.Waive(RULES, WORKER, "order_1", "done-otherwise"))
    concern.do(SOLVE)
    concern.do(c.EndOrder("order_1", "confirmed"))
    assert concern.case.orders[0].stage == "done"


def test_an_end_of_an_order_that_is_not_ours_changes_nothing() -> None:
    assert with_order().do(c.EndOrder("order_2", "confirmed")) == []


def test_a_named_order_needs_its_volunteer_and_another_has_none() -> None:
    assert refusal(in_hand(), c.RequestOrder(WORKER, "order_1", "x", "by_name")) == "volunteer-missing"
    unasked = c.RequestOrder(WORKER, "order_1", "x", "dispatch", "volunteer_1")
    assert refusal(in_hand(), unasked) == "volunteer-not-asked"


def test_an_activity_day_order_needs_its_day() -> None:
    assert refusal(in_hand(), c.RequestOrder(WORKER, "order_1", "x", "activity_day")) == "activity-day-and-mode"


@pytest.mark.mechanism("CMP-07")
def test_a_text_with_a_number_in_it_does_not_reach_the_wall() -> None:
    assert refusal(solved(), c.Release(WORKER, "水管漏水怎么办？", "请致电13900001234")) == "unmasked-number"


def test_nothing_is_on_the_wall_before_there_is_an_outcome() -> None:
    assert refusal(accepted(), c.Release(WORKER, "问", "答")) == "outcome-missing"


@pytest.mark.mechanism("CMP-07")
def test_the_released_text_is_in_the_state_and_never_in_the_event() -> None:
    concern = solved()
    (event,) = concern.do(c.Release(WORKER, "老人家里漏水怎么办？", "志愿者可上门维修"))
    assert isinstance(event, e.CaseAnswerReleased) and event.released_by == "staff_worker"
    assert "漏水" not in event.model_dump_json() and "志愿者" not in str(event.model_dump())
    assert concern.case.on_wall and concern.case.wall is not None and concern.case.wall.answer == "志愿者可上门维修"


def test_a_withdrawn_text_is_gone() -> None:
    concern = solved()
    concern.do(c.Release(WORKER, "问", "答"))
    concern.do(c.Withdraw(RULES, WORKER, "outdated"))
    assert not concern.case.on_wall and concern.case.wall is not None and concern.case.wall.answer == ""
    assert refusal(concern, c.Withdraw(RULES, WORKER, "outdated")) == "wall-empty"
