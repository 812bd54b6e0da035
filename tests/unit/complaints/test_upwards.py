"""What goes up comes down again; what is late goes up by itself."""

from datetime import timedelta

import pytest

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.kernel.case.custody import Party
from services.kernel.events import Refused
from tests.unit.complaints.given import (
    DISTRICT,
    OFFICER,
    RULES,
    STAFF,
    STREET,
    TUESDAY,
    WORKER,
    Concern,
    in_hand,
    recorded,
    solved,
)


def refusal(concern: Concern, command: object) -> str:
    with pytest.raises(Refused) as refused:
        concern.do(command)
    return refused.value.code


def asked_street() -> Concern:
    concern = in_hand()
    concern.do(c.Escalate(RULES, WORKER, "no-power", "主管道归供水公司"))
    return concern


SOLVE = c.Settle(RULES, WORKER, STAFF, "solved", "已修复")


def test_escalation_needs_a_known_reason() -> None:
    assert refusal(in_hand(), c.Escalate(RULES, WORKER, "tired")) == "reason-unknown"


def test_what_is_settled_does_not_go_up() -> None:
    assert refusal(solved(), c.Escalate(RULES, WORKER, "no-power")) == "case-settled"


def test_the_community_does_not_jump_over_the_street() -> None:
    assert refusal(asked_street(), c.Escalate(RULES, WORKER, "no-power")) == "question-open"


@pytest.mark.mechanism("CMP-11")
def test_what_went_up_blocks_the_outcome_until_the_reply_came_down() -> None:
    concern = asked_street()
    assert refusal(concern, SOLVE) == "question-open"
    (replied,) = concern.do(c.Reply(STREET, "advised", "已协调供水公司"))
    assert isinstance(replied, e.CaseReplied)
    assert (replied.asker, replied.from_level, replied.level) == ("staff_worker", "street", "community")
    concern.do(SOLVE)
    assert concern.case.outcome == "solved"


@pytest.mark.mechanism("CMP-11")
def test_the_street_that_took_it_over_hands_it_down_with_its_reply() -> None:
    concern = asked_street()
    concern.do(c.Take(RULES, STREET, OFFICER))
    assert concern.case.custody.handler == STREET and concern.case.level == "street"
    concern.do(c.Escalate(RULES, STREET, "several-parties"))
    assert concern.case.level == "district"
    concern.do(c.Reply(DISTRICT, "solved", "主管道已更换"))
    concern.do(c.Reply(STREET, "solved", "主管道已更换"))
    assert concern.case.custody.handler == WORKER and concern.case.asked is None


@pytest.mark.mechanism("CMP-11", "LAW-45")
def test_the_street_may_return_it_with_a_reason_which_is_its_reply() -> None:
    concern = asked_street()
    returned = concern.do(c.Return(RULES, STREET, OFFICER, "not-ours"))[0]
    assert isinstance(returned, e.CaseReturned)
    assert (returned.up, returned.level, returned.asker) == (True, "street", "staff_worker")
    assert concern.case.asked is None
    assert refusal(concern, c.Escalate(RULES, WORKER, "no-power")) == "offer-unchanged"


def test_only_who_was_asked_replies() -> None:
    assert refusal(asked_street(), c.Reply(DISTRICT, "advised", "好")) == "question-not-yours"
    assert refusal(asked_street(), c.Reply(STREET, "advised", " ")) == "data-missing"


@pytest.mark.mechanism("CMP-10", "CMP-11", "LAW-40")
def test_what_nobody_takes_up_in_time_goes_to_the_street_counted_from_the_deadline() -> None:
    concern = recorded().later(hours=2, minutes=7)
    overdue, escalated, promised = concern.sweep()
    assert isinstance(overdue, e.CaseOverdue) and isinstance(escalated, e.CaseEscalated)
    assert isinstance(promised, e.CasePromised)
    assert (overdue.name, overdue.due) == ("accept", TUESDAY + timedelta(hours=2))
    assert (escalated.automatic, escalated.from_level, escalated.level) == (True, "community", "street")
    assert promised.name == "reply-street" and promised.at == TUESDAY + timedelta(hours=26)
    assert concern.case.late


@pytest.mark.mechanism("CMP-11")
def test_a_street_that_does_not_reply_is_passed_by_to_the_district_and_there_it_stays_marked() -> None:
    concern = recorded().later(days=30)
    names = [type(one).__name__ for one in concern.sweep()]
    assert names.count("CaseEscalated") == 2 and names.count("CaseOverdue") == 3
    assert concern.case.asked == "unit_d1" and concern.case.late and concern.case.due == ()
    concern.do(c.Reply(DISTRICT, "advised", "请立即办理"))
    assert concern.case.asked is None


@pytest.mark.mechanism("CMP-10", "LAW-41")
@pytest.mark.parametrize(("category", "span"), [("emergency", timedelta(hours=2)), ("utilities", timedelta(hours=24))])
def test_feedback_is_promised_by_urgency_from_the_dispatch(category: str, span: timedelta) -> None:
    assert in_hand(category=category).due("feedback") == TUESDAY + span


@pytest.mark.mechanism("LAW-41")
def test_days_count_whole_in_the_districts_zone() -> None:
    assert in_hand().due("feedback").isoformat() == "2025-05-20T16:00:00+00:00"  # midnight after the 7th day


def test_a_second_time_that_passes_while_the_street_may_still_reply_bothers_nobody_again() -> None:
    concern = in_hand(category="emergency")
    concern.do(c.Escalate(RULES, WORKER, "no-power"))
    concern.do(c.Take(RULES, STREET, OFFICER))
    concern.later(minutes=30)
    assert concern.sweep() == []
    concern.later(hours=2)  # the street's hour and the two of the feedback have passed
    names = [type(one).__name__ for one in concern.sweep()]
    assert names.count("CaseEscalated") == 1


@pytest.mark.mechanism("CMP-19")
def test_what_was_solved_at_the_base_can_be_told_from_what_went_up() -> None:
    base, gone_up = in_hand(), asked_street()
    gone_up.do(c.Reply(STREET, "advised", "好"))
    for concern, escalated in ((base, False), (gone_up, True)):
        event = concern.do(SOLVE)[0]
        assert isinstance(event, e.CaseSolved)
        assert (event.level, event.escalated) == ("community", escalated)


MOVED = c.Move((("community", "unit_c1"), ("street", "unit_s9"), ("district", "unit_d1")))


@pytest.mark.mechanism("DIR-01", "CMP-11")
def test_when_the_tree_changes_the_question_lies_with_the_street_in_its_place() -> None:
    concern = asked_street()
    promised = concern.due("reply-street")
    concern.do(MOVED)
    assert concern.case.asked == "unit_s9" and concern.due("reply-street") == promised
    assert refusal(concern, c.Reply(STREET, "advised", "好")) == "question-not-yours"
    concern.do(c.Reply(Party(id="staff_new", unit="unit_s9"), "advised", "好"))
    concern.do(SOLVE)


def test_a_move_that_changes_nothing_is_no_event() -> None:
    concern = asked_street()
    concern.do(MOVED)
    assert concern.do(MOVED) == []


def test_what_a_former_streets_officer_had_taken_over_is_the_new_streets() -> None:
    concern = asked_street()
    concern.do(c.Take(RULES, STREET, OFFICER))
    concern.do(MOVED)
    assert concern.case.custody.handler == Party.of_unit("unit_s9")
    assert concern.later(days=3).sweep(), "its deadlines still find their way up"
    assert concern.case.asked == "unit_d1"
