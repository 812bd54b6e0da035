"""Whatever anybody does in whatever order, a concern keeps its promises."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.kernel.case.custody import Party
from services.kernel.events import Refused
from tests.unit.complaints.given import (
    COLLEAGUE,
    DISTRICT,
    OFFICER,
    RESIDENT,
    RULES,
    STAFF,
    STREET,
    WORKER,
    Concern,
    recording,
)

PARTIES = st.sampled_from((WORKER, COLLEAGUE, STREET, DISTRICT, Party.of_unit("unit_c1")))
ROLES = {WORKER: STAFF, COLLEAGUE: STAFF, STREET: OFFICER, DISTRICT: frozenset({"district-admin"})}


def roles_of(party: Party) -> frozenset[str]:
    return ROLES.get(party, STAFF)


class Life(RuleBasedStateMachine):
    """Random commands; a refusal is fine, a broken promise is not."""

    @initialize(
        channel=st.sampled_from(("visit", "hotline", "online")),
        category=st.sampled_from(("welfare", "emergency", "dispute")),
        known=st.booleans(),
    )
    def record(self, channel: str, category: str, known: bool) -> None:
        self.concern = Concern()
        person: dict[str, Any] = {} if known else {"reporter": {}, "resident": None}
        self.concern.do(recording(channel=channel, category=category, **person))
        self.first = self.concern.case.custody.answerable
        self.orders = 0
        self.asked = self.replied = 0

    def attempt(self, command: Any) -> list[Any]:
        before = self.concern.case
        try:
            events = self.concern.do(command)
        except Refused:
            assert self.concern.case is before
            return []
        for event in events:
            self.check(event, before)
        return events

    def check(self, event: Any, before: Any) -> None:
        if isinstance(event, e.Settled):
            assert not any(link.stage == "open" and link.must for link in before.orders)
            assert not before.custody.questions
        self.asked += isinstance(event, e.CaseEscalated) and before.asked is None
        self.replied += isinstance(event, e.CaseReplied) or (isinstance(event, e.CaseReturned) and event.up)

    @rule(by=PARTIES)
    def accept(self, by: Party) -> None:
        self.attempt(c.Accept(RULES, by, roles_of(by)))

    @rule(by=PARTIES, to=PARTIES, ruling=st.booleans())
    def dispatch(self, by: Party, to: Party, ruling: bool) -> None:
        self.attempt(c.Dispatch(RULES, by, roles_of(by), to, ruling))

    @rule(by=PARTIES)
    def take(self, by: Party) -> None:
        self.attempt(c.Take(RULES, by, roles_of(by)))

    @rule(by=PARTIES)
    def give_back(self, by: Party) -> None:
        self.attempt(c.Return(RULES, by, roles_of(by), "not-ours"))

    @rule(by=PARTIES)
    def escalate(self, by: Party) -> None:
        self.attempt(c.Escalate(RULES, by, "no-power"))

    @rule(by=PARTIES)
    def reply(self, by: Party) -> None:
        self.attempt(c.Reply(by, "advised", "好"))

    @rule(by=PARTIES, outcome=st.sampled_from(("solved", "answered")))
    def settle(self, by: Party, outcome: Any) -> None:
        self.attempt(c.Settle(RULES, by, roles_of(by), outcome, "已办"))

    @rule()
    def confirm(self) -> None:
        self.attempt(c.Confirm(RULES, RESIDENT))

    @rule()
    def object_to(self) -> None:
        self.attempt(c.Reopen(RULES, RESIDENT, "not-solved"))

    @rule(by=PARTIES)
    def close(self, by: Party) -> None:
        self.attempt(c.Close(RULES, by, roles_of(by), "not-reached"))

    @rule(by=PARTIES)
    def order(self, by: Party) -> None:
        self.orders += 1
        self.attempt(c.RequestOrder(by, f"order_{self.orders}", "hardship", "dispatch"))

    @rule(which=st.integers(1, 3), how=st.sampled_from(("confirmed", "declined")))
    def order_ends(self, which: int, how: Any) -> None:
        self.attempt(c.EndOrder(f"order_{which}", how))

    @rule(by=PARTIES, which=st.integers(1, 3))
    def waive(self, by: Party, which: int) -> None:
        self.attempt(c.Waive(RULES, by, f"order_{which}", "done-otherwise"))

    @rule(by=PARTIES)
    def supplement(self, by: Party) -> None:
        self.attempt(c.Supplement(by, "补充"))

    @rule()
    def leave(self) -> None:
        self.attempt(c.PartyEnded("staff_colleague", "left"))

    @rule(hours=st.sampled_from((1, 3, 30, 24 * 20)))
    def time_passes(self, hours: int) -> None:
        self.concern.later(hours=hours)
        for _ in range(20):
            due = [one for one in self.concern.case.due if one.at <= self.concern.now]
            if not due:
                return
            assert self.attempt(c.Overdue(due[0])), "a deadline that has come must leave the list"
        raise AssertionError("deadlines breed deadlines")

    @invariant()
    def somebody_answers_and_somebody_handles(self) -> None:
        if not hasattr(self, "concern"):
            return
        custody = self.concern.case.custody
        assert custody.handler.id and custody.answerable in (self.first, Party.of_unit(self.first.unit))

    @invariant()
    def outcome_and_stage_agree(self) -> None:
        if not hasattr(self, "concern"):
            return
        case = self.concern.case
        assert (case.outcome is not None) == (case.work != "open") == (case.stage in ("done", "confirmed", "closed"))
        assert case.outcome is None or case.settled_on is not None

    @invariant()
    def what_went_up_is_owed_and_watched(self) -> None:
        if not hasattr(self, "concern"):
            return
        case = self.concern.case
        assert (case.asked is not None) == bool(case.custody.questions)
        owing = {f"reply-{case.level_of(one.asked.unit)}" for one in case.custody.questions}
        assert {one.name for one in case.deadlines if one.name.startswith("reply")} == owing
        if case.work != "open":
            assert not case.custody.questions

    @invariant()
    def every_open_stage_has_its_promise_or_has_missed_it(self) -> None:
        if not hasattr(self, "concern"):
            return
        case = self.concern.case
        if case.work == "open":
            assert any(not one.name.startswith("reply") for one in case.deadlines)
        assert case.late == any(one.missed for one in case.deadlines)

    def teardown(self) -> None:
        """From wherever it got to, it can be brought to its end."""
        if not hasattr(self, "concern"):
            return
        for _ in range(6):
            self.attempt(c.Reply(DISTRICT, "advised", "好"))
            self.attempt(c.Reply(STREET, "advised", "好"))
        for number in range(1, self.orders + 1):
            self.attempt(c.Waive(RULES, Party.of_unit(self.first.unit), f"order_{number}", "done-otherwise"))
        case = self.concern.case
        by = case.custody.handler
        if case.stage in ("recorded", "reopened"):
            self.attempt(c.Accept(RULES, by, OFFICER))
        offer = self.concern.case.custody.offer
        if offer is not None:
            self.attempt(c.Take(RULES, offer.to, OFFICER))
            by = offer.to
        self.attempt(c.Take(RULES, by, OFFICER))
        self.attempt(c.Settle(RULES, self.concern.case.custody.handler, OFFICER, "answered", "已答复"))
        self.attempt(c.Confirm(RULES, RESIDENT))
        assert self.concern.case.work == "closed", self.concern.case
        assert self.asked <= self.replied or self.asked == 0


TestLife = pytest.mark.mechanism("CMP-02", "CMP-09", "CMP-11", "LAW-42")(Life.TestCase)
TestLife.settings = settings(
    max_examples=80, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
