"""Accepted is kept, broken on the way from histories to Kafka."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "accepted is kept, and so is its event"
PUBLISHING = "services/chassis/publishing"
RELAY = "tests/integration/relay"

SABOTAGES = (
    Sabotage(
        name="store-the-token-before-kafka-answered",
        promise=PROMISE,
        what="The relay keeps its position when a record was sent, not when Kafka has it.",
        file=f"{PUBLISHING}/relay.py",
        old="        self._idle = None\n",
        new='        self._idle = None\n        self._acked = (change["_id"], change["clusterTime"])\n',
        tests=(f"{RELAY}/test_answers.py::test_a_position_is_not_kept_before_kafka_has_answered",),
        shows=r"assert True is False",
    ),
    Sabotage(
        name="rescan-without-overlap",
        promise=PROMISE,
        what="What changed shortly before the mark and became visible after it is left out.",
        file=f"{PUBLISHING}/resend.py",
        old="(self.since - OVERLAP)",
        new="self.since",
        tests=(f"{RELAY}/test_republish.py::test_what_changed_shortly_before_is_sent_too",),
        shows=r"assert 0 == 1",
    ),
    Sabotage(
        name="publish-out-of-order",
        promise=PROMISE,
        what="The events of one write are published last first.",
        file=f"{PUBLISHING}/relay.py",
        old="for index, entry in enumerate(out):",
        new="for index, entry in enumerate(reversed(out)):",
        tests=(f"{RELAY}/test_relay.py::test_events_of_one_write_arrive_in_their_order",),
        shows=r"\[1, 4, 3, 2\]",
    ),
    Sabotage(
        name="scatter-an-aggregate",
        promise=PROMISE,
        what="The events of one aggregate go to several partitions, which nobody reads in order.",
        file=f"{PUBLISHING}/publisher.py",
        old="murmur2(serialized_key)",
        new="murmur2(serialized_value)",
        tests=(f"{RELAY}/test_relay.py::test_events_of_an_aggregate_arrive_in_order_though_many_are_written_at_once",),
        shows=r"assert \{'tally_",
    ),
    Sabotage(
        name="lease-without-fencing",
        promise=PROMISE,
        what="A relay that was frozen and shut out still stores its position.",
        file=f"{PUBLISHING}/positions.py",
        old='{"_id": NAME, "fence": self._fence}, [{"$set"',
        new='{"_id": NAME}, [{"$set"',
        tests=(f"{RELAY}/test_relay.py::test_a_stale_holder_cannot_store_a_position",),
        shows=r"DID NOT RAISE.*Fenced",
    ),
    Sabotage(
        name="fence-that-does-not-grow",
        promise=PROMISE,
        what="Every holder of a lease gets the same fencing token.",
        file="services/chassis/storage/lease.py",
        old='{"$add": ["$fence", 1]}',
        new='{"$add": ["$fence", 0]}',
        tests=(f"{RELAY}/test_lease.py::test_the_fencing_token_grows_with_every_holder",),
        shows=r"assert \[0, 0, 0\] == \[0\]",
    ),
)
