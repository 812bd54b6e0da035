"""The guard's rounds on a real MongoDB, without Kafka: any delivery, any interleaving, the same end."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.servers import Servers
from services.chassis.consuming.patience import Hold, Stopping
from services.chassis.consuming.places import Move
from services.chassis.consuming.records import Stored
from services.chassis.consuming.rounds import Rounds
from services.chassis.runtime import Runtime
from tests.integration.guard.conftest import Town, eventually
from tests.integration.guard.proxy import Proxy
from tests.integration.guard.sample import SERVICE, reactions, settings_of

LENGTH = 6
EVENTS = [(name, seq) for name in "abc" for seq in range(1, LENGTH + 1)]
EXAMPLES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def prefix(servers: Servers) -> Iterator[str]:
    """One database for all examples; each has aggregates of its own."""
    town = f"guard_{uuid4().hex[:8]}"
    yield town
    asyncio.run(drop(servers, town))


@EXAMPLES
@given(seed=st.integers(0, 2**32), cuts=CUTS)
def test_any_order_with_repeats_ends_in_the_order_of_each_aggregate(
    servers: Servers, prefix: str, seed: int, cuts: list[int]
) -> None:
    asyncio.run(deliver(servers, prefix, seed, cuts, workers=1))


@EXAMPLES
@given(seed=st.integers(0, 2**32), cuts=CUTS)
def test_two_workers_with_the_same_partition_and_a_replay_end_in_the_same(
    servers: Servers, prefix: str, seed: int, cuts: list[int]
) -> None:
    asyncio.run(deliver(servers, prefix, seed, cuts, workers=2))


async def test_what_was_done_before_the_place_was_written_takes_no_second_effect(town: Town) -> None:
    """The process ends between effect and place: the effect is there, the place is not."""
    rounds = await rounds_of(town)
    records = [stored(town, "thing_a", 1), stored(town, "thing_a", 2)]
    await rounds.take(records)
    await town.database.collection("places").delete_many({})
    await rounds.take(records)
    assert await town.book() == {"thing_a": [1, 2]}


async def test_the_same_moment_moves_a_place_once(town: Town) -> None:
    first, second = await rounds_of(town), await rounds_of(town)
    record = [stored(town, "thing_a", 1)]
    await asyncio.gather(first.take(record), second.take(record), first.take(record))
    assert (await first.places.of("thing_a")).revision == 1


async def test_a_place_that_somebody_has_moved_is_not_set_back(town: Town) -> None:
    rounds = await rounds_of(town)
    await rounds.take([stored(town, "thing_a", 1)])
    seen = await rounds.places.of("thing_a")
    await rounds.take([stored(town, "thing_a", 2), stored(town, "thing_a", 3)])
    late = seen.copy()
    late.seq, late.last_id = 2, "thing_a-2"
    assert await rounds.places.move([Move("thing_a", seen, late)]) == {"thing_a"}
    assert (await rounds.places.of("thing_a")).seq == 3


async def test_while_mongodb_is_away_the_round_waits_and_says_why(servers: Servers, town: Town) -> None:
    async with Proxy(servers.mongo) as proxy:
        behind = settings_of(servers.kafka, proxy.uri, town.settings.prefix)
        runtime = Runtime(SERVICE, behind)
        rounds = Rounds(runtime, reactions)
        await rounds.start()
        proxy.cut()
        taking = asyncio.create_task(rounds.take([stored(town, "thing_a", 1)]))
        await eventually(lambda: waits(rounds.hold))
        proxy.mend()
        assert await asyncio.wait_for(taking, 40)
        assert not rounds.hold.reason
        await runtime.client.close()
    assert await town.book() == {"thing_a": [1]}
    assert await town.parked() == []


async def test_a_stop_ends_the_wait_for_mongodb(servers: Servers, town: Town) -> None:
    async with Proxy(servers.mongo) as proxy:
        runtime = Runtime(SERVICE, settings_of(servers.kafka, proxy.uri, town.settings.prefix))
        rounds = Rounds(runtime, reactions)
        await rounds.start()
        proxy.cut()
        taking = asyncio.create_task(rounds.take([stored(town, "thing_a", 1)]))
        await eventually(lambda: waits(rounds.hold))
        rounds.hold.stop()
        with pytest.raises(Stopping):
            await asyncio.wait_for(taking, 40)
        await runtime.client.close()


async def deliver(servers: Servers, prefix: str, seed: int, cuts: list[int], workers: int) -> None:
    """Every event at least once, some twice, in any order, cut into batches; to one or two workers at once."""
    town = Town(servers, prefix)
    world = uuid4().hex[:8]
    chance = random.Random(seed)
    deliveries = EVENTS + chance.choices(EVENTS, k=6)
    chance.shuffle(deliveries)
    rounds = [await rounds_of(town) for _ in range(workers)]
    for batch in batches(deliveries, cuts):
        records = [stored(town, f"{world}_{name}", seq) for name, seq in batch]
        await asyncio.gather(*(each.take(records) for each in rounds), replay_some(town, rounds[-1], workers))
    book = await town.book()
    assert {name: book[f"{world}_{name}"] for name in "abc"} == {name: list(range(1, LENGTH + 1)) for name in "abc"}
    assert await town.parked() == []
    await town.runtime.client.close()


async def drop(servers: Servers, prefix: str) -> None:
    town = Town(servers, prefix)
    await town.database.drop()
    await town.runtime.client.close()


async def replay_some(town: Town, rounds: Rounds, workers: int) -> None:
    if workers > 1:
        for row in await town.parked():
            await rounds.replay(row["_id"])


def batches(deliveries: list[tuple[str, int]], cuts: list[int]) -> list[list[tuple[str, int]]]:
    cut: list[list[tuple[str, int]]] = []
    while deliveries:
        size = cuts[len(cut) % len(cuts)]
        cut.append(deliveries[:size])
        deliveries = deliveries[size:]
    return cut


async def rounds_of(town: Town) -> Rounds:
    rounds = Rounds(town.runtime, reactions)
    await rounds.start()
    return rounds


def stored(town: Town, subject: str, seq: int, how: str = "keep") -> Stored:
    record = town.source.record(subject, seq, how)
    return Stored("topic", 0, seq, record.key, record.value, record.headers)


async def waits(hold: Hold) -> Any:
    return hold.reason

