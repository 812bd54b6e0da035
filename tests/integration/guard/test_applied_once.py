"""Applied once, in the order of the aggregate, whatever is delivered (docs/promises/applied-once.md)."""

import asyncio
import sys

import pytest
from kafka import KafkaAdminClient, TopicPartition

from services.chassis.consuming.patience import Hold
from services.chassis.consuming.stream import ConsumerFailed, Stream
from services.chassis.contracts.topics import ensure, group_of
from tests.integration.guard.conftest import Town, eventually
from tests.integration.guard.sample import reactions


async def test_two_identical_deliveries_take_one_effect(town: Town) -> None:
    first, second = town.source.record("thing_a", 1), town.source.record("thing_a", 2)
    town.source.send(first, first, second, first, second)
    async with town.worker():
        await eventually(lambda: applied(town, {"thing_a": [1, 2]}))
        await eventually(lambda: nothing_undone(town))
    assert await town.parked() == []


async def test_an_old_event_behind_newer_ones_is_dropped(town: Town) -> None:
    town.source.send(*(town.source.record("thing_a", seq) for seq in (1, 2, 3, 1, 2, 4)))
    async with town.worker():
        await eventually(lambda: applied(town, {"thing_a": [1, 2, 3, 4]}))


async def test_events_of_a_type_that_nobody_reacts_to_move_the_place(town: Town) -> None:
    town.source.send(
        town.source.record("thing_a", 1, type="thing.painted.v1"), town.source.record("thing_a", 2)
    )
    async with town.worker() as guard:
        await eventually(lambda: at(guard, "thing_a", 2))
    assert await town.parked() == []


async def test_events_published_before_the_group_exists_are_not_skipped(town: Town) -> None:
    town.source.send(*(town.source.record("thing_a", seq) for seq in range(1, 6)))
    async with town.worker():
        await eventually(lambda: applied(town, {"thing_a": [1, 2, 3, 4, 5]}))


async def test_a_topic_missing_at_the_start_is_made_and_read(servers) -> None:  # type: ignore[no-untyped-def]
    town = Town(servers)
    await town.open(topics=False)
    try:
        async with town.worker() as guard:
            await eventually(lambda: is_ready(guard))
            town.source.send(town.source.record("thing_a", 1))
            await eventually(lambda: applied(town, {"thing_a": [1]}))
    finally:
        await town.close()


async def test_a_handler_that_raises_loses_nothing(town: Town) -> None:
    """faust alone acknowledges what its passive reader takes after the agent died."""
    town.source.send(*(town.source.record(f"thing_{n:03d}", 1) for n in range(600)))
    taken: list[int] = []

    async def settle(records) -> None:  # type: ignore[no-untyped-def]
        if taken:
            raise RuntimeError("nobody expected this")
        taken.append(len(records))

    with pytest.raises(RuntimeError):
        await consume(town, settle)
    assert await town.undone() == 600 - taken[0]


async def test_a_stop_in_the_middle_of_a_batch_commits_nothing_of_it(town: Town) -> None:
    """With a batch that hangs for longer than the stop waits, the stop gives the batch up."""
    town.source.send(*(town.source.record(f"thing_{n:03d}", 1) for n in range(300)))
    stopping = asyncio.Event()

    async def settle(records) -> None:  # type: ignore[no-untyped-def]
        stopping.set()
        await asyncio.Event().wait()

    await consume(town, settle, stopping, let_go=0.5)
    assert await town.undone() == 300


async def test_an_agent_that_faust_cancels_acknowledges_nothing_of_what_follows(town: Town) -> None:
    """faust's passive reader goes on after its agent, and acknowledges what it takes unless it is told not to."""
    town.source.send(*(town.source.record(f"thing_{n:03d}", 1) for n in range(1500)))
    stopping = asyncio.Event()

    async def settle(records) -> None:  # type: ignore[no-untyped-def]
        asyncio.get_running_loop().call_later(1.5, stopping.set)
        for task in asyncio.all_tasks():
            if "_execute_actor" in repr(task.get_coro()):
                task.cancel()
        await asyncio.Event().wait()

    await consume(town, settle, stopping, let_go=0.5)
    assert await town.undone() == 1500


async def test_a_batch_that_ends_during_the_stop_is_committed(town: Town) -> None:
    town.source.send(*(town.source.record(f"thing_{n:03d}", 1) for n in range(100)))
    stopping = asyncio.Event()
    taken: list[int] = []

    async def settle(records) -> None:  # type: ignore[no-untyped-def]
        taken.append(len(records))
        stopping.set()
        await asyncio.sleep(0.5)

    await consume(town, settle, stopping)
    assert await town.undone() == 100 - sum(taken)


async def test_a_batch_that_is_held_keeps_no_other_worker_waiting(town: Town) -> None:
    """A second worker joins while the first waits for MongoDB: it gets its share, and the batch in hand as well."""
    town.source.send(*(town.source.record(f"thing_{n:03d}", 1) for n in range(200)))
    stopping, hold = asyncio.Event(), Hold()

    async def held(records) -> None:  # type: ignore[no-untyped-def]
        with hold.waiting("MongoDB is away"):
            await hold.pause(60)

    first = asyncio.create_task(consume(town, held, stopping, let_go=0.5, hold=hold))
    await asyncio.wait_for(hold.began.wait(), 15)
    async with town.worker() as guard:
        await eventually(lambda: has_partitions(guard), within=25)
        stopping.set()
        await first
        await eventually(lambda: nothing_undone(town), within=25)
    assert len(await town.book()) == 200


async def test_a_group_without_an_offset_is_refused_rather_than_begun_anywhere(town: Town) -> None:
    with pytest.raises(ConsumerFailed):
        await consume(town, None, asyncio.Event(), offsets=False)  # type: ignore[arg-type]


async def test_offsets_that_kafka_dropped_are_an_alarm_and_the_rest_is_read(town: Town) -> None:
    town.source.send(*(town.source.record("thing_a", seq) for seq in range(1, 11)))
    await ensure(town.settings, reactions.topics(town.settings), group_of(town.settings))
    await asyncio.to_thread(drop_records, town, 5)
    async with town.worker():
        await eventually(lambda: parked_of(town, "gap"))
        await eventually(lambda: nothing_undone(town))
    assert [row["seq"] for row in await parked_of(town, "gap")] == [6, 7, 8, 9, 10]
    town.source.send(*(town.source.record("thing_a", seq) for seq in range(1, 11)))
    async with town.worker():
        await eventually(lambda: applied(town, {"thing_a": list(range(1, 11))}))
    assert await town.parked() == []


async def test_killed_workers_and_lost_and_refused_events_end_in_order(town: Town) -> None:
    """Two workers, one killed in the middle of a batch; events lost, some refused; then sent again and replayed."""
    aggregates, length = [f"thing_{n:02d}" for n in range(40)], 12
    events = [(subject, seq) for seq in range(1, length + 1) for subject in aggregates]
    how = {event: "refuse" if index % 31 == 7 else "keep" for index, event in enumerate(events)}
    lost = {event for index, event in enumerate(events) if index % 10 == 3}
    town.source.send(town.source.record("thing_slow", 1, how="slow"))
    town.source.send(*(town.source.record(*event, how=how[event]) for event in events if event not in lost))
    await killed_in_a_batch(town)
    async with town.worker() as guard:
        await eventually(lambda: nothing_undone(town), within=60)
        assert len([row for row in await town.parked() if row["reason"] == "refused"]) > 5
        await town.be_patient()
        town.source.send(*(town.source.record(*event, how=how[event]) for event in events))
        for row in await town.parked():
            await guard.rounds.replay(row["_id"])
        book = {subject: list(range(1, length + 1)) for subject in aggregates} | {"thing_slow": [1]}
        await eventually(lambda: applied(town, book), within=60)
        await eventually(lambda: nothing_undone(town))
    assert await town.parked() == []


async def killed_in_a_batch(town: Town) -> None:
    """A worker process that has taken effects but written no place yet, killed."""
    settings = town.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.guard.sample", settings.kafka, settings.mongo, settings.prefix
    )
    await eventually(town.book, within=60)
    process.kill()
    await process.wait()
    assert await town.undone() > 0


async def consume(  # type: ignore[no-untyped-def]
    town: Town, settle, stopping=None, let_go=10.0, offsets=True, hold=None
) -> None:
    """The stream alone, with a handler of the test's own."""
    topics = reactions.topics(town.settings)
    if offsets:
        await ensure(town.settings, topics, group_of(town.settings))
    stream = Stream(town.settings, topics, hold or Hold(), settle, let_go=let_go)
    await asyncio.wait_for(stream.run(stopping or asyncio.Event()), 60)


def drop_records(town: Town, before: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=town.settings.kafka.split(","))
    topic = town.settings.topic("source", "thing")
    wanted = {TopicPartition(topic, number): -1 for number in range(town.settings.partitions)}
    ends = admin.list_partition_offsets({each: -1 for each in wanted})
    admin.delete_records({each: before for each, at in ends.items() if at.offset > before})
    admin.close()


async def applied(town: Town, book: dict[str, list[int]]) -> bool:
    return await town.book() == book


async def at(guard, subject: str, seq: int) -> bool:  # type: ignore[no-untyped-def]
    return (await guard.rounds.places.of(subject)).seq == seq


async def nothing_undone(town: Town) -> bool:
    return await town.undone() == 0


async def is_ready(guard) -> bool:  # type: ignore[no-untyped-def]
    return guard.ready()[0]


async def has_partitions(guard) -> bool:  # type: ignore[no-untyped-def]
    return guard._stream is not None and bool(guard._stream.assignment())


async def parked_of(town: Town, reason: str) -> list[dict]:  # type: ignore[type-arg]
    return [row for row in await town.parked() if row["reason"] == reason]

