"""Nothing is stuck in silence: what cannot be processed is kept and shown, what is overdue comes to pass."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "nothing is stuck in silence"
CONSUMING = "services/chassis/consuming"
NOTHING_STUCK = "tests/integration/guard/test_nothing_stuck.py"
SWEEP = "tests/integration/deadlines/test_sweep.py"

SABOTAGES = (
    Sabotage(
        name="swallow-a-parked-event",
        promise=PROMISE,
        what="What cannot be processed is acknowledged and kept nowhere.",
        file=f"{CONSUMING}/rounds.py",
        old="        await self.hold.through(lambda: self.parked.keep(to_park))\n",
        new="        to_park.clear()\n",
        tests=(f"{NOTHING_STUCK}::test_the_first_event_seen_of_an_aggregate_must_be_its_first",),
        shows=r"still not so",
    ),
    Sabotage(
        name="swallow-what-a-reaction-raises",
        promise=PROMISE,
        what="A reaction that fails counts as done.",
        file=f"{CONSUMING}/applying.py",
        old="            return await self._after(error, reaction, event, envelope)\n",
        new="            LOG.debug(type(error).__name__)\n",
        tests=(f"{NOTHING_STUCK}::test_a_refused_event_holds_back_its_own_aggregate_only",),
        shows=r"still not so",
    ),
    Sabotage(
        name="leave-a-gap-unasked",
        promise=PROMISE,
        what="An event that is missing is never asked of its owner.",
        file=f"{CONSUMING}/gaps.py",
        old="        await self._ask(missing)\n",
        new="",
        tests=(f"{NOTHING_STUCK}::test_a_gap_is_asked_of_its_owner",),
        shows=r"nobody asked",
    ),
    Sabotage(
        name="breaker-that-never-opens",
        promise=PROMISE,
        what="A bad deployment parks a whole topic.",
        file=f"{CONSUMING}/breaker.py",
        old="return bool(self.reason)",
        new="return False",
        tests=(
            "tests/unit/guard/test_breaker.py::test_it_opens_at_the_last_of_too_many_in_a_row",
            "tests/unit/guard/test_breaker.py::test_it_opens_by_share_once_the_window_is_full",
        ),
        shows=r"assert False",
    ),
    Sabotage(
        name="drop-a-deadline",
        promise=PROMISE,
        what="A new aggregate's first deadline stands where no sweep looks.",
        file="services/chassis/storage/documents.py",
        old='document["next_due"] = due',
        new='document["first_due"] = due',
        tests=(f"{SWEEP}::test_what_is_not_due_is_left_alone",),
        shows=r"assert 0 == 1",
    ),
    Sabotage(
        name="turn-a-deadline-twice",
        promise=PROMISE,
        what="The command of a deadline has another name for every sweep that takes it up.",
        file="services/chassis/clocks/stuck.py",
        old='return f"due|{self.name}|{self.at.isoformat()}"',
        new='return f"due|{self.name}|{datetime.now(UTC).isoformat()}"',
        tests=(f"{SWEEP}::test_two_sweeps_at_once_take_each_deadline_once",),
        shows=r"'answer', 'answer'",
    ),
)
