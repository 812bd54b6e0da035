"""What was written reaches Kafka, in order, and what must not be published is not."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.chassis.publishing.positions import Fenced, Positions, published_to
from services.chassis.storage.driver import Document
from services.chassis.storage.lease import Lease
from tests.integration.history.counter import Redacted
from tests.integration.relay.sample import Sample, context, eventually, relaying


async def all_published(sample: Sample, count: int) -> dict[str, list[int]]:
    await eventually(lambda: len(sample.published()) >= count)
    return sample.sequences()


async def nothing_more(sample: Sample, count: int) -> None:
    """A write made after everything else is published, and nothing in between was."""
    last = await sample.opened()
    await eventually(lambda: last in sample.sequences())
    assert len(sample.published()) == count + 1


async def test_moving_the_head_of_a_history_to_the_archive_publishes_nothing(sample: Sample) -> None:
    async with relaying(sample):
        subject = await sample.opened(additions=3)
        await all_published(sample, 4)
        sample.tallies.archive.longest, sample.tallies.archive.kept = 3, 1
        await sample.tallies._trim(subject)
        assert await sample.tallies.archive.entries(subject)
        await nothing_more(sample, 4)


@pytest.mark.parametrize(
    "update",
    [
        {"$set": {"history.1.private": {}}},
        {"$set": {"history": []}},
        {"$pop": {"history": -1}},
        {"$push": {"history": {"$each": [], "$slice": -1}}},
        {"$set": {"scope": ["unit_b", "unit_b1"]}},
        {"$unset": {"sealed": "", "keys": ""}},
        {"$set": {"state.output": 1, "outer": {"out": [1]}}},
        [{"$set": {"history": {"$slice": ["$history", -1]}, "archived": 2}}],
    ],
    ids=str,
)
async def test_a_write_that_sets_no_events_publishes_nothing(sample: Sample, update: Any) -> None:
    async with relaying(sample):
        subject = await sample.opened(additions=2)
        await all_published(sample, 3)
        assert await sample.tallies.collection.update_one({"_id": subject}, update) == 1
        await nothing_more(sample, 3)


async def test_erasing_what_is_sealed_publishes_only_that_it_was_done(sample: Sample) -> None:
    async with relaying(sample):
        subject = await sample.opened(additions=2)
        await sample.tallies.erase(subject, ["owner", "note"], Redacted(), context())
        assert (await all_published(sample, 4))[subject] == [1, 2, 3, 4]
        await nothing_more(sample, 4)
    assert sample.published()[3].name == "tally.redacted" or len({e.subject for e in sample.published()}) == 2


async def test_other_collections_of_the_service_are_not_published(sample: Sample) -> None:
    async with relaying(sample):
        await sample.database.collection("read_model").insert_one({"_id": 1, "out": [{"seq": 1}]})
        await nothing_more(sample, 0)


async def test_nothing_sealed_and_nobody_who_acted_leaves_with_an_event(sample: Sample) -> None:
    async with relaying(sample):
        await sample.opened(additions=1)
        await all_published(sample, 2)
    for envelope in sample.published():
        assert set(envelope.data) <= {"unit", "limit", "amount"}
        assert "tester" not in repr(envelope) and "Wang" not in repr(envelope) and "secret" not in repr(envelope)


async def test_events_of_an_aggregate_arrive_in_order_though_many_are_written_at_once(sample: Sample) -> None:
    async with relaying(sample):
        subjects = await asyncio.gather(*(sample.opened(additions=9) for _ in range(30)))
        sequences = await all_published(sample, 300)
    assert sequences == {subject: list(range(1, 11)) for subject in subjects}


async def test_events_of_one_write_arrive_in_their_order(sample: Sample) -> None:
    async with relaying(sample):
        subject = await sample.opened()
        await sample.add_each(subject, 7, 8, 9)
        assert await all_published(sample, 4) == {subject: [1, 2, 3, 4]}
    assert [envelope.data["amount"] for envelope in sample.published()[1:]] == [7, 8, 9]


async def test_an_event_carries_what_the_contract_says(sample: Sample) -> None:
    async with relaying(sample):
        subject = await sample.opened()
        await all_published(sample, 1)
    [envelope] = sample.published()
    stored = await sample.tallies.get(subject, scope=None)
    assert (envelope.type, envelope.subject, envelope.sequence) == ("linli.sample.tally.opened.v1", subject, 1)
    assert (envelope.id, envelope.time) == (stored.history[0]["id"], stored.history[0]["at"])
    assert (envelope.district, envelope.unit) == ("unit_a", "unit_a1")
    assert envelope.data == {"unit": "unit_a1", "limit": 1_000_000}


async def test_what_was_written_before_the_first_start_is_published_too(sample: Sample) -> None:
    subject = await sample.opened(additions=2)
    async with relaying(sample):
        assert (await all_published(sample, 3))[subject] == [1, 2, 3]


async def test_what_was_written_while_no_relay_ran_is_published_once(sample: Sample) -> None:
    async with relaying(sample):
        subject = await sample.opened()
        await all_published(sample, 1)
    await sample.add(subject)
    async with relaying(sample):
        assert (await all_published(sample, 2))[subject] == [1, 2]


async def test_a_reading_of_everything_includes_what_lies_in_the_archive(sample: Sample) -> None:
    subject = await sample.opened(additions=5)
    sample.tallies.archive.longest, sample.tallies.archive.kept = 3, 1
    await sample.tallies._trim(subject)
    async with relaying(sample):
        assert (await all_published(sample, 6))[subject] == [1, 2, 3, 4, 5, 6]


async def test_up_to_when_all_is_published_is_told_and_never_beyond_what_waits(sample: Sample) -> None:
    assert await published_to(sample.database) is None
    async with relaying(sample):
        await sample.opened()
        written = await written_at(sample)
        await eventually(lambda: reaches(sample, written))
    before = await published_to(sample.database)
    await sample.opened()
    written = await written_at(sample)
    assert before is not None and await published_to(sample.database) == before, "nobody publishes now"
    async with relaying(sample):
        await eventually(lambda: reaches(sample, max(written, before + timedelta(milliseconds=1))))


async def reaches(sample: Sample, at: datetime) -> bool:
    """Whether it is told that everything of before ``at`` is published."""
    to = await published_to(sample.database)
    return to is not None and to >= at


async def written_at(sample: Sample) -> datetime:
    """The server's time of the last write of a tally, in whole seconds."""
    (last,) = await sample.tallies.collection.find({}, {"changed": 1}, sort=[("changed", -1)], limit=1)
    at: datetime = last["changed"].as_datetime()
    return at


async def test_a_stale_holder_cannot_store_a_position(sample: Sample) -> None:
    with sample.client.blocking() as mongo:
        collection = mongo[sample.settings.database]["relay"]
        stale, later = Positions(collection, 1), Positions(collection, 2)
        stale.claim()
        stale.store({"_data": "first"}, changed=None, age=0)
        later.claim()
        with pytest.raises(Fenced):
            stale.store({"_data": "ahead"}, changed=None, age=0)
        with pytest.raises(Fenced):
            stale.claim()
        token = later.claim().token
    assert token == {"_data": "first"}


async def test_a_standby_publishes_nothing_and_takes_over_when_the_other_ends(sample: Sample) -> None:
    async with AsyncExitStack() as both:
        first_ends = await both.enter_async_context(AsyncExitStack())
        first = await first_ends.enter_async_context(relaying(sample))
        second = await both.enter_async_context(relaying(sample))
        await eventually(lambda: second.ready()[0])
        subject = await sample.opened()
        await all_published(sample, 1)
        assert first._leading is not None and second._leading is None
        await first_ends.aclose()
        await sample.add(subject)
        assert (await all_published(sample, 2))[subject] == [1, 2]
        assert second._leading is not None


async def test_a_holder_that_is_shut_out_stops_and_stands_by(sample: Sample) -> None:
    async with relaying(sample) as relay:
        leading = await eventually(lambda: relay._leading)
        usurper = Lease(sample.database, "relay", ttl=2)
        taken: Document = {"$set": {"holder": usurper.holder}, "$inc": {"fence": 1}}
        assert await sample.database.collection("leases").update_one({"_id": "relay"}, taken) == 1
        await eventually(lambda: relay._leading is not leading)
        assert not leading._held.valid()
