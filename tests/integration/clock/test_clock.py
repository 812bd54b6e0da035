"""One time for all processes of a prefix, which moves forward only, and only where that is allowed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.clocks.clock import Clock
from services.chassis.errors import Conflict, Invalid
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, connect

HOURS = timedelta(hours=8)
CLOSE = timedelta(seconds=5)


@pytest.fixture
def settings(servers: Any) -> Settings:
    return Settings(
        "complaints", servers.kafka, servers.mongo, f"test_{uuid4().hex[:12]}", movable_clock=True
    )


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    client = connect(settings.mongo)
    yield client
    await client.database(f"{settings.prefix}_clock").drop()
    await client.close()


@pytest.fixture
async def process(client: Client, settings: Settings) -> AsyncIterator[Callable[..., Any]]:
    """Starts the clock of one more process."""
    clocks: list[Clock] = []

    async def start(**other: Any) -> Clock:
        clock = Clock(client, replace(settings, **other))
        await clock.start()
        clocks.append(clock)
        return clock

    yield start
    for clock in clocks:
        await clock.stop()


def ahead(clock: Clock) -> timedelta:
    return clock.now() - datetime.now(UTC)


async def test_where_it_may_not_move_it_does_not(process: Any) -> None:
    clock = await process(movable_clock=False)
    with pytest.raises(Conflict, match="clock-fixed"):
        await clock.advance(HOURS)
    moved = await process()
    await moved.advance(HOURS)
    assert abs(ahead(clock)) < CLOSE


@pytest.mark.parametrize("step", [timedelta(0), -HOURS, timedelta(microseconds=1)])
async def test_it_never_goes_back(process: Any, step: timedelta) -> None:
    clock = await process()
    await clock.advance(HOURS)
    with pytest.raises(Invalid, match="clock-never-back"):
        await clock.advance(step)
    assert abs(ahead(clock) - HOURS) < CLOSE


async def test_it_never_goes_back_when_its_database_does(process: Any, client: Client, settings: Settings) -> None:
    clock = await process()
    await clock.advance(HOURS)
    state = client.database(f"{settings.prefix}_clock").collection("state")
    await state.update_one({"_id": "offset"}, {"$set": {"ms": 0}})
    await clock.advance(timedelta(minutes=1))
    assert abs(ahead(clock) - HOURS) < CLOSE


async def test_moving_it_waits_for_every_process_and_one_that_starts_later_follows_too(process: Any) -> None:
    mover, others = await process(), [await process(service=name) for name in ("directory", "volunteers")]
    before = mover.now()
    assert await mover.advance(HOURS) - before >= HOURS
    for clock in [*others, await process()]:
        assert abs(ahead(clock) - HOURS) < CLOSE


async def test_two_moves_at_once_add_up(process: Any) -> None:
    clocks = [await process(), await process()]
    await asyncio.gather(*(clock.advance(HOURS) for clock in clocks))
    assert all(abs(ahead(clock) - 2 * HOURS) < CLOSE for clock in clocks)


async def test_a_process_that_has_ended_is_waited_for_no_longer(process: Any, client: Client) -> None:
    gone = await process(service="volunteers")
    await gone.stop()
    mover = await process()
    began = asyncio.get_running_loop().time()
    await mover.advance(HOURS)
    assert asyncio.get_running_loop().time() - began < 5


async def test_a_time_has_the_precision_that_is_stored(process: Any) -> None:
    clock = await process(movable_clock=False)
    assert clock.now().tzinfo is UTC
    assert clock.now().microsecond % 1000 == 0
