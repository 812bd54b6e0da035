"""Applied once, in the order of the aggregate."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "applied once"
CONSUMING = "services/chassis/consuming"
GUARD = "tests/integration/guard"
REACTIONS = "tests/integration/volunteers/test_reactions.py"

SABOTAGES = (
    Sabotage(
        name="acknowledge-before-writing",
        promise=PROMISE,
        what="Records are acknowledged before they are settled.",
        file=f"{CONSUMING}/stream.py",
        old="""            await self._settle([event.message for event in events])
            for event in events:
                event.ack()
""",
        new="""            for event in events:
                event.ack()
            await self._settle([event.message for event in events])
""",
        tests=(
            f"{GUARD}/test_applied_once.py::test_a_handler_that_raises_loses_nothing",
            f"{GUARD}/test_applied_once.py::test_a_stop_in_the_middle_of_a_batch_commits_nothing_of_it",
        ),
        shows=r"assert \d+ == ",
    ),
    Sabotage(
        name="skip-the-place",
        promise=PROMISE,
        what="Effects are taken and the place is not kept.",
        file=f"{CONSUMING}/rounds.py",
        old="lost = await self.hold.through(lambda: self.places.move(moves))",
        new="lost: set[str] = set()",
        tests=(f"{GUARD}/test_rounds.py::test_the_same_moment_moves_a_place_once",),
        shows=r"assert 0 == 1",
    ),
    Sabotage(
        name="move-a-place-unguarded",
        promise=PROMISE,
        what="A worker that lags behind sets a place back that another one has moved.",
        file=f"{CONSUMING}/places.py",
        old='        document["revision"] = before.revision\n',
        new="",
        tests=(f"{GUARD}/test_rounds.py::test_a_place_that_somebody_has_moved_is_not_set_back",),
        shows=r"assert set\(\) == \{'thing_a'\}",
    ),
    Sabotage(
        name="apply-over-a-gap",
        promise=PROMISE,
        what="A later event is applied though an earlier one has not come.",
        file=f"{CONSUMING}/chain.py",
        old="elif item.seq > place.seq + 1:",
        new="elif item.seq > place.seq + 1_000_000:",
        tests=(f"{GUARD}/test_nothing_stuck.py::test_the_first_event_seen_of_an_aggregate_must_be_its_first",),
        shows=r"still not so",
    ),
    Sabotage(
        name="overlook-a-forked-history",
        promise=PROMISE,
        what="Another event under a sequence that was applied is taken for a repeat.",
        file=f"{CONSUMING}/chain.py",
        old='if item.seq == place.seq and place.last_id not in ("", item.id):',
        new="if False:",
        tests=(f"{GUARD}/test_nothing_stuck.py::test_a_second_event_under_a_sequence_stops_that_aggregate",),
        shows=r"still not so",
    ),
    Sabotage(
        name="start-at-the-latest",
        promise=PROMISE,
        what="A new consumer begins behind what is in the topics already.",
        file="services/chassis/contracts/topics.py",
        old="OffsetSpec.EARLIEST",
        new="OffsetSpec.LATEST",
        tests=(
            "tests/integration/relay/test_topics.py::test_what_has_expired_is_skipped_only_by_a_group_that_begins",
            f"{GUARD}/test_applied_once.py::test_events_published_before_the_group_exists_are_not_skipped",
        ),
        shows=r"1: 9|still not so",
    ),
    Sabotage(
        name="react-under-a-new-name",
        promise=PROMISE,
        what="What a reaction does has another name at every delivery of its event.",
        file=f"{CONSUMING}/reactions.py",
        old='return f"{self.envelope.id}|{self._reaction}|{ordinal}"',
        new='return f"{self.envelope.id}|{self._reaction}|{ordinal}|{id(self)}"',
        tests=(f"{REACTIONS}::test_however_often_an_event_arrives_it_takes_effect_once",),
        shows=r"assert .*==",
    ),
    Sabotage(
        name="book-hours-twice",
        promise=PROMISE,
        what="A confirmation heard again opens another account for the same deed.",
        file="services/volunteers/reactions.py",
        old='id_for(HOURS, f"{order}|{event.volunteer}")',
        new='id_for(HOURS, f"{order}|{event.volunteer}|{do.runtime.clock.now()}")',
        tests=(f"{REACTIONS}::test_confirmed_minutes_are_booked_once_however_often_it_is_heard",),
        shows=r"Left contains one more item: \('volunteer_",
    ),
)
