"""Who answers and who handles."""

import pytest

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.kernel.case.custody import Party
from services.kernel.events import Refused
from tests.unit.complaints.given import (
    COLLEAGUE,
    OFFICER,
    RULES,
    STAFF,
    STRANGER,
    STREET,
    WORKER,
    Concern,
    accepted,
    in_hand,
    recorded,
)


def refusal(concern: Concern, command: object) -> str:
    with pytest.raises(Refused) as refused:
        concern.do(command)
    return refused.value.code


def offered_to_colleague() -> Concern:
    concern = accepted()
    concern.do(c.Dispatch(RULES, WORKER, STAFF, COLLEAGUE))
    return concern


def test_a_stranger_takes_nothing_up() -> None:
    assert refusal(recorded(), c.Accept(RULES, STRANGER, STAFF)) == "not-yours"


def test_a_role_without_the_step_takes_nothing_up() -> None:
    assert refusal(recorded(), c.Accept(RULES, WORKER, frozenset({"data-officer"}))) == "role-missing"


@pytest.mark.mechanism("LAW-42")
def test_an_offer_does_not_change_the_handler() -> None:
    concern = offered_to_colleague()
    assert concern.case.custody.handler == WORKER and concern.case.stage == "assigned"


@pytest.mark.mechanism("CMP-09", "LAW-42")
def test_handling_passes_by_acceptance_and_the_first_receiver_stays_answerable() -> None:
    concern = offered_to_colleague()
    concern.do(c.Take(RULES, COLLEAGUE, STAFF))
    assert concern.case.custody.handler == COLLEAGUE
    assert concern.case.custody.answerable == WORKER
    assert concern.case.stage == "in_progress"


def test_nobody_else_takes_an_offer() -> None:
    assert refusal(offered_to_colleague(), c.Take(RULES, STRANGER, STAFF)) == "offer-not-yours"


@pytest.mark.mechanism("LAW-45")
def test_a_return_needs_a_known_reason_and_is_counted() -> None:
    concern = offered_to_colleague()
    assert refusal(concern, c.Return(RULES, COLLEAGUE, STAFF, "no-mood")) == "reason-unknown"
    event = concern.do(c.Return(RULES, COLLEAGUE, STAFF, "not-ours"))[0]
    assert isinstance(event, e.CaseReturned)
    assert (event.party, event.reason, event.level) == ("staff_colleague", "not-ours", "community")
    assert concern.case.custody.returns == 1 and concern.case.custody.handler == WORKER


@pytest.mark.mechanism("LAW-42")
def test_the_same_unchanged_offer_is_refused_to_who_returned_it() -> None:
    concern = offered_to_colleague()
    concern.do(c.Return(RULES, COLLEAGUE, STAFF, "insufficient"))
    again = c.Dispatch(RULES, WORKER, STAFF, COLLEAGUE)
    assert refusal(concern, again) == "offer-unchanged"
    concern.do(c.Supplement(WORKER, "漏水点在厨房"))
    concern.do(again)
    assert concern.case.custody.offer is not None


@pytest.mark.mechanism("LAW-42")
def test_a_ruling_on_disputed_duty_cannot_be_returned() -> None:
    concern = offered_to_colleague()
    concern.do(c.Return(RULES, COLLEAGUE, STAFF, "not-ours"))
    concern.do(c.Dispatch(RULES, STREET, OFFICER, COLLEAGUE, ruling=True))
    assert refusal(concern, c.Return(RULES, COLLEAGUE, STAFF, "not-ours")) == "offer-final"


def test_to_dispatch_to_oneself_is_to_begin() -> None:
    concern = accepted(channel="hotline", by=None)
    events = concern.do(c.Dispatch(RULES, WORKER, STAFF, WORKER))
    assert [type(one) for one in events] == [e.CaseOffered, e.CasePromised, e.CaseAccepted]
    assert concern.case.custody.handler == WORKER and concern.case.stage == "in_progress"


def test_a_worker_begins_what_lies_with_the_unit() -> None:
    concern = accepted(channel="hotline", by=None)
    concern.do(c.Take(RULES, WORKER, STAFF))
    assert concern.case.custody.handler == WORKER
    assert concern.case.custody.answerable == Party.of_unit("unit_c1")


@pytest.mark.mechanism("CMP-10", "LAW-41")
def test_returning_and_offering_again_does_not_begin_the_feedback_anew() -> None:
    concern = offered_to_colleague()
    promised = concern.due("feedback")
    concern.later(hours=30).do(c.Return(RULES, COLLEAGUE, STAFF, "no-means"))
    concern.do(c.Supplement(WORKER, "备注"))
    concern.do(c.Dispatch(RULES, WORKER, STAFF, COLLEAGUE))
    assert concern.due("feedback") == promised


@pytest.mark.mechanism("CMP-09")
def test_when_a_worker_leaves_the_unit_stands_in() -> None:
    concern = in_hand()
    concern.do(c.PartyEnded("staff_worker", "left"))
    assert concern.case.custody.answerable == concern.case.custody.handler == Party.of_unit("unit_c1")
    assert concern.do(c.PartyEnded("staff_worker", "left")) == []
