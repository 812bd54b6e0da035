"""What histories hold, what topics hold and what is applied, compared by closed hour.

See docs/promises/reconciliation.md. The hours of these tests are seconds: they close at once.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from kafka.errors import KafkaError
from prometheus_client import REGISTRY

from deploy.local.servers import Servers
from services.chassis.reconciling import stating
from services.chassis.reconciling.hours import Hours
from services.chassis.reconciling.stating import Interrupted
from tests.integration.guard.conftest import eventually
from tests.integration.reconciling.world import UNLUCKY, World, made
from tests.integration.relay.conftest import drop_topics


async def test_an_event_that_was_never_published_is_named_and_the_hour_is_right_once_it_is(world: World) -> None:
    async with world.alive():
        subject = await world.opened(additions=1)
        await world.applied(subject, 2, "ear", "eye")
        await world.turn()
    await world.add(subject)  # nobody publishes it
    async with world.working("ear", "eye"):
        await world.turn()
        (row,) = await world.rows("owner", "stated", open=True)
        entry = await world.entry(subject, 3)
        assert row["missing"] == [{"subject": subject, "seq": 3, "event": entry["id"], "type": "tally.added.v1"}]
        assert (row["events"], row["published"], row["lost"]) == (1, 0, 1)
        for consumer in ("ear", "eye"):
            (late,) = await world.rows(consumer, "compared", unapplied=1)
            assert late["behind"] == [{"subject": subject, "first": 3, "last": 3, "event": entry["id"]}]
            assert unapplied(consumer) == 1
        async with world.relaying():
            await world.applied(subject, 3, "ear", "eye")
        await world.turn()
    assert await world.rows("owner", "stated", open=True) == []
    assert (unpublished(), unapplied("ear"), unapplied("eye")) == (0, 0, 0)


async def test_records_that_were_deleted_are_missing_in_the_topic_though_everything_was_applied(world: World) -> None:
    async with world.alive():
        subject = await world.opened(additions=2)
        await world.applied(subject, 3, "ear", "eye")
        await asyncio.to_thread(world.drop_records, "owner.tally")
        await world.turn()
    lost = [each["seq"] for row in await world.rows("owner", "stated", open=True) for each in row["missing"]]
    assert sorted(lost) == [1, 2, 3]
    assert (unpublished(), unapplied("ear"), unapplied("eye")) == (3, 0, 0)


async def test_what_is_parked_is_unapplied_with_its_reason_until_it_is_replayed(world: World) -> None:
    async with world.alive():
        subject = await world.opened()
        await world.add(subject, UNLUCKY)
        await world.add(subject)
        await eventually(lambda: number_parked(world, "eye", 2))
        await world.be_patient("ear")
        await world.turn()
        parked: dict[str, int] = {}
        for row in await world.rows("eye", "compared"):
            parked |= {reason: parked.get(reason, 0) + count for reason, count in row["parked"].items()}
        assert parked == {"refused": 1, "behind": 1}
        assert unapplied("eye") == 2


async def test_with_nothing_wrong_every_hour_says_zero(world: World) -> None:
    async with world.alive():
        subjects = [await world.opened(additions=3) for _ in range(5)]
        ledger = await world.opened(additions=1, kind="ledger")
        for subject in subjects:
            await world.applied(subject, 4, "ear", "eye")
        await world.applied(ledger, 2, "ear")
        await world.turn()
    assert await world.sums("ear") == {"events": 22, "unapplied": 0}
    stated = await world.rows("owner", "stated")
    assert (sum(row["events"] for row in stated), sum(row["published"] for row in stated)) == (22, 22)
    assert (unapplied("ear"), unapplied("ear", "owner.ledger"), unapplied("eye"), unpublished()) == (0, 0, 0, 0)


async def test_a_consumer_is_compared_with_the_topics_it_consumes_and_no_others(world: World) -> None:
    await world.opened()
    await world.opened(kind="ledger")
    await world.turn()
    assert {row["source"] for row in await world.rows("ear", "compared")} == {"owner.tally", "owner.ledger"}
    assert {row["source"] for row in await world.rows("eye", "compared")} == {"owner.tally"}
    assert await world.sums("eye") == {"events": 1, "unapplied": 1}


async def test_before_anything_was_compared_there_is_no_figure_at_all(servers: Servers) -> None:
    """A zero that nobody has counted would be a lie."""
    world = made(servers.kafka, servers.mongo)
    try:
        ear = world.job("ear")
        ear.figures.forget()  # of other tests
        await ear.once()
        assert unapplied("ear") is None
        await world.job("owner").once()
        await ear.once()
        assert unapplied("ear") == 0
        ear.figures.forget()  # as a process does whose lease has gone to another
        assert unapplied("ear") is None
    finally:
        await world.close()
        drop_topics(servers.kafka, world.settings.prefix)


async def test_hours_are_real_whatever_the_domains_clock_says_also_of_archived_and_erased(world: World) -> None:
    history = world.histories["tally"]
    history.archive.longest, history.archive.kept = 6, 2
    next_year = datetime.now(UTC) + timedelta(days=400)
    began = await world.now()
    async with world.alive():
        subject = await world.opened()
        for number in range(20):
            await world.add(subject, 1, at=next_year + timedelta(days=number))
        await world.erase(subject)
        await history.drain()
        await world.applied(subject, 22, "ear", "eye")
        await world.turn()
    assert await world.sums("ear") == {"events": 22, "unapplied": 0}
    rows = [row for row in await world.rows("owner", "stated") if row["events"]]
    assert sum(row["events"] for row in rows) == sum(row["published"] for row in rows) == 22
    ended = datetime.fromtimestamp(await world.now(), UTC)
    assert all(datetime.fromtimestamp(began, UTC) <= row["since"] <= ended for row in rows)


async def test_many_hours_are_caught_up_with_and_each_entry_counts_in_its_own(world: World) -> None:
    subjects = [await world.opened() for _ in range(3)]
    seconds = []
    for _ in range(4):
        await world.a_second_later()
        seconds.append(await world.now())
        for subject in subjects:
            await world.add(subject)
    await world.turn("owner")
    rows = {int(row["since"].timestamp()): row for row in await world.rows("owner", "stated") if row["events"]}
    assert sum(row["events"] for row in rows.values()) == 15
    assert set(seconds) <= {second + shift for second in rows for shift in (0, -1)}
    assert len(rows) >= 4


async def test_a_turn_reads_only_what_was_written_since(world: World) -> None:
    """A million old records cost nothing: what was not written since is not even looked at."""
    old = [await world.opened() for _ in range(20)]
    await world.turn("owner")
    # Who reads one of these stumbles.
    unreadable = {"$set": {"history": [{"id": "kept out of it"}]}}
    await world.histories["tally"].collection.update_many({"_id": {"$in": old}}, unreadable)
    await world.a_second_later()
    new = await world.opened(additions=1)
    await world.turn("owner")
    told = [each["subject"] for row in await world.rows("owner", "stated", open=True) for each in row["missing"]]
    assert told.count(new) == 2


async def test_very_many_aggregates_are_compared_in_shares(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stating, "SHARE", 7)
    monkeypatch.setattr(stating, "LINES", 2)
    async with world.alive():
        subjects = [await world.opened(additions=1) for _ in range(30)]
        for subject in subjects:
            await world.applied(subject, 2, "ear", "eye")
        await world.turn(hours=Hours(length=3600, grace=-7200))  # one hour that holds them all
    rows = await world.rows("ear", "compared")
    assert len(rows) > 10
    assert await world.sums("ear") == {"events": 60, "unapplied": 0}
    assert await world.rows("owner", "stated", open=True) == []


async def test_a_turn_that_is_cut_off_is_done_again_and_counts_nothing_twice(world: World) -> None:
    async with world.alive():
        subjects = [await world.opened(additions=2) for _ in range(4)]
        for subject in subjects:
            await world.applied(subject, 3, "ear", "eye")
        await world.a_second_later()
        for allowed in range(6):
            asked = iter([True] * allowed)
            with pytest.raises(Interrupted):
                await world.job("owner").once(lambda asked=asked: next(asked, False))
        await world.turn()
        await world.turn()
    assert await world.sums("ear") == {"events": 12, "unapplied": 0}


async def test_of_several_processes_one_compares_and_when_it_ends_its_figures_go_with_it(world: World) -> None:
    stopping = asyncio.Event()
    jobs = [world.job("owner") for _ in range(2)]
    jobs[0].figures.forget()  # of what ran before
    running = [asyncio.create_task(job.run(stopping)) for job in jobs]
    await eventually(lambda: is_told("linli_stated_until_seconds", source="owner.ledger"))
    (lease,) = await world.rows("owner", "leases", _id="reconciliation")
    assert lease["fence"] == 1
    stopping.set()
    await asyncio.gather(*running)
    assert not await is_told("linli_stated_until_seconds", source="owner.ledger")


async def test_while_kafka_is_away_nothing_is_compared_and_nothing_is_marked(world: World) -> None:
    before = await world.rows("owner", "reconciliation")
    away = replace(world, settings=replace(world.settings, kafka="127.0.0.1:1"))
    await world.a_second_later()
    with pytest.raises(KafkaError):
        await away.job("owner").once()
    assert await world.rows("owner", "reconciliation") == before


async def test_under_load_no_closed_hour_ever_shows_a_false_alarm(world: World) -> None:
    """Again and again: what was written is applied, the hours up to then close while others are being written."""
    history = world.histories["tally"]
    history.archive.longest, history.archive.kept = 30, 10
    stop = asyncio.Event()
    async with world.alive():
        hot = await world.opened()
        loading = [asyncio.create_task(load(world, hot, stop)) for _ in range(4)]
        for _ in range(3):
            seen = await versions(world)
            await eventually(lambda seen=seen: have_come(world, seen))
            now = min(await written_before(world, seen), await world.now())
            for service in ("owner", "ear", "eye"):
                await world.job(service).once(now=now)
            assert (unpublished(), unapplied("ear"), unapplied("eye")) == (0, 0, 0)
            assert await world.rows("ear", "astray", certain=True) == []
        stop.set()
        await asyncio.gather(*loading)
    assert (await world.sums("ear"))["events"] > 50


async def load(world: World, hot: str, stop: asyncio.Event) -> None:
    while not stop.is_set():
        own = await world.opened()
        await world.add(own)
        await world.add(hot)


async def versions(world: World) -> dict[str, int]:
    rows = await world.histories["tally"].collection.find({}, {"version": 1})
    return {row["_id"]: int(row["version"]) for row in rows}


async def have_come(world: World, least: dict[str, int]) -> bool:
    for consumer in ("ear", "eye"):
        rows = await world.database(consumer).collection("places").find({}, {"seq": 1})
        places = {row["_id"].partition("|")[2]: row["seq"] for row in rows}
        if any(places.get(subject, 0) < seq for subject, seq in least.items()):
            return False
    return True


async def written_before(world: World, seen: dict[str, int]) -> int:
    """The second in which the first event was written that was not seen: until then everything is applied."""
    found = await world.histories["tally"].collection.find({}, {"version": 1, "changed": 1})
    return min((row["changed"].time for row in found if row["version"] > seen.get(row["_id"], 0)), default=2**40)


async def number_parked(world: World, consumer: str, number: int) -> bool:
    return len(await world.parked(consumer)) == number


async def is_told(name: str, **labels: str) -> bool:
    return sample(name, **labels) is not None


def unapplied(consumer: str, source: str = "owner.tally") -> float | None:
    return sample("linli_events_unapplied", consumer=consumer, source=source)


def unpublished() -> float | None:
    return sample("linli_events_unpublished", source="owner.tally")


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)
