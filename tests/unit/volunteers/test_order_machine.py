"""A service order under random commands: whatever is asked of it, these hold."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.kernel.events import Event, Refused
from services.volunteers.domain.hours import Book
from services.volunteers.domain.hours import decide as book
from services.volunteers.domain.hours import evolve as booked
from services.volunteers.domain.order import commands as c
from services.volunteers.domain.order.state import Order
from services.volunteers.domain.order.workflow import COORDINATOR, ORDER
from tests.unit.volunteers.given import DAY, HOUR, Deed, asking

PEOPLE = [f"volunteer_{n}" for n in range(6)]
SOMEBODY = st.sampled_from(PEOPLE)
RANKED = st.permutations(PEOPLE).flatmap(lambda p: st.integers(0, len(p)).map(lambda n: tuple(p[:n])))
MODES = st.sampled_from(["dispatch", "by_name", "activity_day"])
EDGES = {(source, step.to) for step in ORDER.steps for source in step.sources}


@pytest.mark.mechanism("VOL-03")
class OrderMachine(RuleBasedStateMachine):
    """One order of any mode, six volunteers, a clock that goes forward, and every command at any time."""

    @initialize(mode=MODES, named=SOMEBODY, fixed=st.booleans())
    def ask(self, mode: str, named: str, fixed: bool) -> None:
        changes: dict[str, Any] = {"mode": mode, "volunteer": named if mode == "by_name" else None}
        self.deed = Deed()
        if mode == "activity_day":
            changes["on"] = date(2025, 5, 16)
        elif fixed:
            changes |= {"start": self.deed.now + DAY, "end": self.deed.now + DAY + 2 * HOUR}
        self.named = named if mode == "by_name" else None
        self.offers: Counter[str] = Counter()
        self.attempt(asking(**changes))

    def attempt(self, command: c.Command) -> list[Event]:
        before = self.deed.order
        try:
            events = self.deed.do(command)
        except Refused:
            assert self.deed.order is before
            return []
        self.offers.update(event.volunteer for event in events if event.TYPE == "order.offered")  # type: ignore[attr-defined]
        if before is not None and before.stage != self.deed.state.stage:
            assert (before.stage, self.deed.state.stage) in EDGES
        return events

    @rule(ranked=RANKED)
    def match(self, ranked: tuple[str, ...]) -> None:
        asked = self.deed.state.asked
        for event in self.attempt(c.Match(ranked)):
            if event.TYPE == "order.offered":
                left = [one for one in ranked if one not in asked and self.named in (None, one)]
                assert event.volunteer == left[0]  # type: ignore[attr-defined]

    @rule(who=SOMEBODY, unfit=st.sampled_from([(), ("closed",)]))
    def accept(self, who: str, unfit: tuple[str, ...]) -> None:
        if self.attempt(c.Accept(who, unfit)):
            assert unfit == ()

    @rule(who=SOMEBODY)
    def decline(self, who: str) -> None:
        self.attempt(c.Decline(who, "busy"))

    @rule(who=SOMEBODY, minutes=st.integers(-1, 24 * 60 + 1))
    def report(self, who: str, minutes: int) -> None:
        if self.attempt(c.ReportDone(who, minutes, COORDINATOR)):
            assert 0 < minutes <= 24 * 60

    @rule(by=st.sampled_from(["resident", "callback"]), worker=st.none() | SOMEBODY)
    def confirm(self, by: Any, worker: str | None) -> None:
        self.attempt(c.Confirm(by, worker))

    @rule(by=st.sampled_from(["resident", "callback"]))
    def redo(self, by: Any) -> None:
        self.attempt(c.Redo(by))

    @rule(chance=st.integers(0, 9))
    def cancel(self, chance: int) -> None:
        if chance == 0:
            self.attempt(c.Cancel("not-needed"))

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.deed.now += timedelta(hours=hours)
        while self.deed.state.due and self.deed.state.due[0].at <= self.deed.now:
            before = self.deed.state.due
            self.attempt(c.Overdue(before[0]))
            assert self.deed.state.due != before  # a sweep never stands still

    @invariant()
    def one_volunteer_at_a_time_holds_it(self) -> None:
        state = self.deed.state
        if state.stage in ("offered", "accepted", "done", "confirmed"):
            assert state.volunteer is not None
        if state.stage in ("requested", "unfilled"):
            assert state.volunteer is None
        assert state.volunteer not in state.asked

    @invariant()
    def nobody_is_asked_twice(self) -> None:
        assert all(times == 1 for times in self.offers.values())
        assert len(set(self.deed.state.asked)) == len(self.deed.state.asked)

    @invariant()
    def a_named_order_goes_to_nobody_else(self) -> None:
        if self.named is not None:
            assert self.deed.state.volunteer in (None, self.named)
            assert set(self.offers) <= {self.named}

    @invariant()
    def stages_outcomes_and_clocks_agree(self) -> None:
        state = self.deed.state
        stage = ORDER.stage(state.stage)
        assert (state.outcome is not None) == stage.settled
        assert not (stage.end and state.due)
        assert [one.at for one in state.due] == sorted(one.at for one in state.due)
        assert Order.model_validate(state.model_dump()) == state

    @invariant()
    def its_minutes_are_booked_once_at_most(self) -> None:
        confirmed = [event for event in self.deed.events if event.TYPE == "order.confirmed"]
        assert len(confirmed) == (self.deed.state.stage == "confirmed")
        for event in confirmed:
            told = event.model_dump()
            (one,) = book(
                None, Book("unit_g1", told["volunteer"], "order_1", told["line"], told["minutes"]), self.deed.now
            )
            assert booked(None, one.event, self.deed.now).total == told["minutes"] == self.deed.state.minutes

    def teardown(self) -> None:
        """Every order can end, whatever has happened to it."""
        if not hasattr(self, "deed") or ORDER.stage(self.deed.state.stage).end:
            return
        if self.deed.state.stage == "done":
            self.deed.do(c.Confirm("resident"))
        else:
            self.deed.do(c.Cancel("other"))
        assert ORDER.stage(self.deed.state.stage).end


OrderMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestOrderUnderRandomCommands = OrderMachine.TestCase
