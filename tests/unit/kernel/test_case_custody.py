from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.kernel.case.custody import (
    Custody,
    Party,
    accepted,
    escalated,
    expired,
    offered,
    received,
    refuse_unreplied,
    replied,
    returned,
)
from services.kernel.events import Refused

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
WORKER = Party(id="staff_1", unit="com")
CLERK = Party(id="staff_2", unit="street")
OTHER = Party(id="staff_3", unit="com2")
COM, STREET, DISTRICT, HOUSING = (Party.of_unit(u) for u in ("com", "street", "district", "housing"))
LADDER = ("com", "street", "district")


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code


def asked_first():
    return received(WORKER, DISTRICT)


def put_to(party, basis="1", custody=None):
    return offered(custody or asked_first(), party, WORKER, NOW, basis)


@pytest.mark.mechanism("LAW-42")
def test_an_offer_alone_moves_nothing():
    custody = put_to(STREET)
    assert (custody.answerable, custody.handler) == (WORKER, WORKER)


@pytest.mark.mechanism("LAW-42", "CMP-09")
def test_handling_passes_by_acceptance_and_the_first_receiver_stays_answerable():
    custody = accepted(put_to(STREET), CLERK)
    assert (custody.answerable, custody.handler, custody.offer) == (WORKER, CLERK, None)


@pytest.mark.mechanism("LAW-42")
def test_a_case_that_nobody_received_falls_to_the_district():
    custody = received(None, DISTRICT)
    assert custody.answerable == custody.handler == DISTRICT


def test_a_foreign_hand_neither_offers_nor_accepts():
    refusal("offer-not-yours", lambda: offered(asked_first(), STREET, OTHER, NOW, "1"))
    refusal("offer-not-yours", lambda: accepted(put_to(STREET), OTHER))
    refusal("offer-not-yours", lambda: returned(put_to(STREET), OTHER, "not_ours"))
    refusal("offer-none", lambda: accepted(asked_first(), CLERK))


def test_there_is_one_offer_at_a_time_and_none_to_the_handler():
    refusal("offer-open", lambda: put_to(DISTRICT, custody=put_to(STREET)))
    refusal("offer-to-self", lambda: put_to(WORKER))


@pytest.mark.mechanism("LAW-45")
def test_an_unchanged_offer_does_not_go_to_who_returned_it():
    custody = returned(put_to(STREET), CLERK, "not_ours")
    assert (custody.handler, custody.returns) == (WORKER, 1)
    refusal("offer-unchanged", lambda: put_to(STREET, custody=custody))
    assert put_to(HOUSING, custody=custody).offer.to == HOUSING
    assert put_to(STREET, basis="2", custody=custody).offer.to == STREET


@pytest.mark.mechanism("LAW-45")
def test_every_return_counts_and_wants_a_reason():
    custody = returned(put_to(STREET), CLERK, "not_ours")
    custody = returned(put_to(STREET, basis="2", custody=custody), CLERK, "still_not_ours")
    assert (custody.returns, len(custody.returned)) == (2, 2)
    refusal("offer-unchanged", lambda: put_to(STREET, basis="1", custody=custody))
    refusal("reason-missing", lambda: returned(put_to(HOUSING, custody=custody), HOUSING, ""))


@pytest.mark.mechanism("LAW-42")
def test_disputed_duty_is_settled_by_a_ruling_that_cannot_be_returned():
    custody = returned(put_to(STREET), CLERK, "not_ours")
    custody = offered(custody, STREET, DISTRICT, NOW, "1", ruling=True)
    refusal("offer-final", lambda: returned(custody, CLERK, "not_ours"))
    refusal("offer-final", lambda: expired(custody))
    refusal("offer-final", lambda: escalated(custody, LADDER, NOW, "2"))
    assert accepted(custody, CLERK).handler == CLERK


def test_an_offer_that_nobody_answered_expires_and_may_be_made_again():
    custody = expired(put_to(STREET))
    assert (custody.handler, custody.offer, custody.returns) == (WORKER, None, 0)
    assert put_to(STREET, custody=custody).offer.to == STREET
    refusal("offer-none", lambda: expired(custody))


@pytest.mark.mechanism("CMP-11")
def test_what_goes_up_waits_for_a_reply_and_the_reply_is_the_askers():
    custody = accepted(escalated(asked_first(), LADDER, NOW, "1", by=WORKER), CLERK)
    assert custody.handler == CLERK
    refusal("question-open", lambda: refuse_unreplied(custody))
    refusal("question-not-yours", lambda: replied(custody, WORKER))
    custody, question = replied(custody, CLERK)
    assert question.asker == WORKER
    refuse_unreplied(custody)
    refusal("question-none", lambda: replied(custody, CLERK))


@pytest.mark.mechanism("CMP-11")
def test_each_level_replies_to_the_one_that_asked_it():
    custody = accepted(escalated(asked_first(), LADDER, NOW, "1"), CLERK)
    custody = accepted(escalated(custody, LADDER, NOW, "1", by=CLERK), DISTRICT)
    custody, upper = replied(custody, DISTRICT)
    assert upper.asker == CLERK
    custody, lower = replied(custody, CLERK)
    assert lower.asker == WORKER
    assert custody.questions == ()


@pytest.mark.mechanism("CMP-11")
def test_a_question_returned_with_a_reason_is_answered_by_it():
    custody = returned(escalated(asked_first(), LADDER, NOW, "1"), CLERK, "solve_locally")
    assert (custody.handler, custody.questions, custody.returns) == (WORKER, (), 1)


@pytest.mark.mechanism("CMP-10")
def test_a_question_left_lying_goes_one_level_further_and_keeps_its_asker():
    custody = escalated(escalated(asked_first(), LADDER, NOW, "1"), LADDER, NOW, "overdue")
    assert custody.offer.to == DISTRICT
    assert [(q.asker, q.asked) for q in custody.questions] == [(WORKER, DISTRICT)]
    refusal("level-highest", lambda: escalated(custody, LADDER, NOW, "overdue"))
    refusal("offer-up", lambda: expired(custody))
    assert custody.handler == WORKER


def test_only_a_level_of_the_ladder_goes_up_and_only_its_own_matter():
    stranger = received(OTHER, DISTRICT)
    refusal("level-unknown", lambda: escalated(stranger, LADDER, NOW, "1"))
    refusal("offer-not-yours", lambda: escalated(asked_first(), LADDER, NOW, "1", by=CLERK))


def test_a_level_may_reply_without_taking_the_case_over():
    custody, question = replied(escalated(asked_first(), LADDER, NOW, "1"), CLERK)
    assert (question.asker, custody.offer, custody.handler) == (WORKER, None, WORKER)


def test_a_ruling_does_not_silence_a_question():
    custody = offered(escalated(asked_first(), LADDER, NOW, "1"), HOUSING, DISTRICT, NOW, "1", ruling=True)
    custody = accepted(custody, HOUSING)
    refusal("question-open", lambda: refuse_unreplied(custody))
    custody, question = replied(custody, CLERK)
    assert question.asker == WORKER


def test_custody_comes_back_from_its_document_unchanged():
    custody = escalated(returned(put_to(STREET), CLERK, "not_ours"), LADDER, NOW, "2")
    assert Custody.model_validate(custody.model_dump(mode="python")) == custody


PARTIES = [WORKER, CLERK, OTHER, COM, STREET, DISTRICT, HOUSING]


class Handing(RuleBasedStateMachine):
    """Any sequence of attempts, most of them refused."""

    def __init__(self):
        super().__init__()
        self.custody = asked_first()
        self.returns = self.asked = self.answered = 0

    def attempt(self, act):
        try:
            return act()
        except Refused:
            return None

    @rule(to=st.sampled_from(PARTIES), by=st.sampled_from(PARTIES), basis=st.sampled_from("12"), ruling=st.booleans())
    def offer(self, to, by, basis, ruling):
        after = self.attempt(lambda: offered(self.custody, to, by, NOW, basis, ruling))
        if after:
            known = {(r.party, r.basis) for r in self.custody.returned}
            assert ruling or (to.id, basis) not in known
            assert after.handler == self.custody.handler
            self.custody = after

    @rule(by=st.sampled_from(PARTIES))
    def accept(self, by):
        before = self.custody
        after = self.attempt(lambda: accepted(before, by))
        if after:
            assert after.handler == by
            assert by.id == before.offer.to.id or by.unit == before.offer.to.id
            self.custody = after

    @rule(by=st.sampled_from(PARTIES))
    def give_back(self, by):
        after = self.attempt(lambda: returned(self.custody, by, "reason"))
        if after:
            self.returns += 1
            self.answered += self.custody.offer.up
            assert after.handler == self.custody.handler
            self.custody = after

    @rule(basis=st.sampled_from("12"))
    def go_up(self, basis):
        before = self.custody
        after = self.attempt(lambda: escalated(before, LADDER, NOW, basis))
        if after:
            self.asked += not (before.offer and before.offer.up)
            assert after.handler == before.handler
            self.custody = after

    @rule(by=st.sampled_from(PARTIES))
    def reply(self, by):
        result = self.attempt(lambda: replied(self.custody, by))
        if result:
            self.answered += 1
            assert result[0].handler == self.custody.handler
            self.custody = result[0]

    @invariant()
    def the_first_receiver_answers_to_the_end(self):
        assert self.custody.answerable == WORKER

    @invariant()
    def no_question_is_lost_and_every_return_counted(self):
        assert len(self.custody.questions) == self.asked - self.answered
        assert self.custody.returns == self.returns

    @invariant()
    def it_can_be_stored_and_loaded(self):
        assert Custody.model_validate(self.custody.model_dump(mode="python")) == self.custody


TestHanding = Handing.TestCase
TestHanding.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestHanding.pytestmark = [pytest.mark.mechanism("LAW-42", "CMP-09")]
