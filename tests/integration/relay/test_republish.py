"""Events are sent again as they were: for a consumer that misses some, or by an operator."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from bson.timestamp import Timestamp
from kafka import KafkaProducer
from prometheus_client import REGISTRY

from services.chassis.contracts.topics import republish_topic
from services.chassis.contracts.wire import Record
from services.chassis.publishing import republish as republish_module
from services.chassis.publishing.republish import EVERY_SUBJECT, Recent, Request, republish
from tests.integration.relay.sample import Sample, eventually, relaying


def asked(outcome: str) -> float:
    return REGISTRY.get_sample_value("linli_relay_requests_total", {"service": "sample", "outcome": outcome}) or 0.0


async def ask(sample: Sample, *requests: Record) -> None:
    producer = KafkaProducer(bootstrap_servers=sample.settings.kafka)
    for key, value, headers in requests:
        producer.send(republish_topic(sample.settings), value, key, headers)
    await asyncio.to_thread(producer.close)


def for_tally(subject: str, from_seq: int = 1, service: str = "sample", aggregate: str = "tally") -> Record:
    return Request(service=service, aggregate=aggregate, subject=subject, from_seq=from_seq).record()


async def test_requests_that_make_no_sense_are_counted_and_do_not_stop_the_others(sample: Sample) -> None:
    async with relaying(sample):
        subject = await sample.opened()
        await eventually(lambda: len(sample.published()) == 1)
        malformed, unknown, nothing = asked("malformed"), asked("unknown-aggregate"), asked("nothing-found")
        await ask(
            sample,
            Record(b"x", b"no json", []),
            Record(b"x", b'{"service":"sample","aggregate":"tally","subject":"x","from_seq":0}', []),
            for_tally("x", aggregate="unheard_of"),
            for_tally("tally_of_nobody"),
            for_tally(subject, service="another"),
            for_tally(subject),
        )
        await eventually(lambda: sample.sequences()[subject] == [1, 1])
    assert asked("malformed") == malformed + 2
    assert asked("unknown-aggregate") == unknown + 1
    assert asked("nothing-found") == nothing + 1


async def test_a_consumer_gets_the_events_of_one_aggregate_from_where_it_stopped(sample: Sample) -> None:
    async with relaying(sample):
        subject, other = await sample.opened(additions=3), await sample.opened(additions=1)
        await eventually(lambda: len(sample.published()) == 6)
        await ask(sample, for_tally(subject, from_seq=3))
        await eventually(lambda: sample.sequences() == {subject: [1, 2, 3, 4, 3, 4], other: [1, 2]})
    again = [envelope for envelope in sample.published() if envelope.subject == subject and envelope.sequence == 4]
    assert again[0] == again[1]


async def test_many_that_miss_the_same_are_served_once(sample: Sample) -> None:
    async with relaying(sample):
        subject, last = await sample.opened(), await sample.opened()
        await eventually(lambda: len(sample.published()) == 2)
        await ask(sample, *[for_tally(subject) for _ in range(20)], for_tally(last))
        await eventually(lambda: sample.sequences()[last] == [1, 1])
    assert sample.sequences()[subject] == [1, 1]


def test_a_recent_answer_does_not_cover_a_request_that_reaches_further_back() -> None:
    recent = Recent(seconds=60)
    recent.add(Request(service="sample", aggregate="tally", subject="t", from_seq=5))
    assert recent.covers(Request(service="sample", aggregate="tally", subject="t", from_seq=6))
    assert not recent.covers(Request(service="sample", aggregate="tally", subject="t", from_seq=4))
    assert not recent.covers(Request(service="sample", aggregate="tally", subject="u", from_seq=6))


async def test_every_aggregate_of_a_type_may_be_asked_for(sample: Sample) -> None:
    async with relaying(sample):
        subjects = [await sample.opened(additions=1) for _ in range(5)]
        await eventually(lambda: len(sample.published()) == 10)
        await ask(sample, for_tally(EVERY_SUBJECT))
        await eventually(lambda: sample.sequences() == {subject: [1, 2, 1, 2] for subject in subjects})


async def test_answers_are_rate_bounded(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(republish_module, "REQUESTS_PER_SECOND", 10.0)
    async with relaying(sample):
        subjects = [await sample.opened() for _ in range(30)]
        await eventually(lambda: len(sample.published()) == 30)
        await ask(sample, *[for_tally(subject) for subject in subjects])
        await eventually(lambda: len(sample.published()) > 30)
        began = asyncio.get_running_loop().time()
        await eventually(lambda: len(sample.published()) == 60)
        assert asyncio.get_running_loop().time() - began > 1.0


async def test_an_operator_sends_what_changed_since_with_its_archive(sample: Sample) -> None:
    old, new = await sample.opened(additions=1), await sample.opened(additions=4)
    sample.tallies.archive.longest, sample.tallies.archive.kept = 3, 1
    await sample.tallies._trim(new)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    long_ago = {"$set": {"changed": Timestamp(int(an_hour_ago.timestamp()), 0)}}
    await sample.tallies.collection.update_one({"_id": old}, long_ago)
    assert await republish(sample, since=datetime.now(UTC) - timedelta(minutes=1)) == 5
    assert sample.sequences() == {new: [1, 2, 3, 4, 5]}
    assert await republish(sample, since=an_hour_ago) == 7


async def test_what_changed_shortly_before_is_sent_too(sample: Sample) -> None:
    """A change may become visible after later ones: whoever asks from a mark must not miss it."""
    subject, mark = await sample.opened(), datetime.now(UTC)
    shortly_before = {"$set": {"changed": Timestamp(int((mark - timedelta(minutes=5)).timestamp()), 0)}}
    await sample.tallies.collection.update_one({"_id": subject}, shortly_before)
    assert await republish(sample, since=mark) == 1


async def test_an_operator_chooses_by_type_and_by_aggregate(sample: Sample) -> None:
    first, second = await sample.opened(additions=2), await sample.opened(additions=2)
    assert await republish(sample, type="tally.opened") == 2
    assert await republish(sample, type="tally.added.v1", subject=first) == 2
    assert await republish(sample, aggregate="tally", subject=second) == 3
    assert Counter(envelope.name for envelope in sample.published()) == {"tally.opened": 3, "tally.added": 4}
    with pytest.raises(ValueError, match="no aggregate"):
        await republish(sample, aggregate="unheard_of")


async def test_a_lost_broker_is_filled_again(sample: Sample) -> None:
    subjects = [await sample.opened(additions=2) for _ in range(20)]
    assert await republish(sample) == 60
    assert sample.sequences() == {subject: [1, 2, 3] for subject in subjects}
