"""One holder at a time, and a holder that cannot renew stops by itself."""

import asyncio
import time
from uuid import uuid4

import pytest

from deploy.local.servers import Servers
from services.chassis.storage.driver import Database
from services.chassis.storage.lease import Lease, LeaseLost
from tests.integration.relay.sample import Sample, eventually

pytestmark = pytest.mark.asyncio


@pytest.fixture
def database(sample: Sample) -> Database:
    return sample.database


async def test_nobody_else_gets_a_lease_that_is_held(database: Database) -> None:
    async with Lease(database, "work").held():
        assert await Lease(database, "work").take() is None


async def test_of_many_that_ask_at_once_for_a_new_lease_one_gets_it(database: Database) -> None:
    rivals = [Lease(database, "work") for _ in range(20)]
    taken = [held for held in await asyncio.gather(*(rival.take() for rival in rivals)) if held]
    assert len(taken) == 1
    assert await database.collection("leases").count({}) == 1


async def test_the_fencing_token_grows_with_every_holder(database: Database) -> None:
    fences = []
    for _ in range(3):
        async with Lease(database, "work").held() as held:
            fences.append(held.fence)
    assert fences == sorted(set(fences))


async def test_a_released_lease_is_free_at_once(database: Database) -> None:
    async with Lease(database, "work", ttl=60).held():
        pass
    assert await Lease(database, "work").take() is not None


async def test_a_lease_runs_out_when_its_holder_is_gone(database: Database) -> None:
    await _taken(Lease(database, "work", ttl=0.5))
    assert await eventually(Lease(database, "work").take, seconds=3)


async def test_a_lease_is_held_for_longer_than_its_ttl_while_its_holder_lives(database: Database) -> None:
    async with Lease(database, "work", ttl=0.6).held() as held:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert await Lease(database, "work").take() is None
            assert held.valid()


async def test_a_holder_whose_lease_was_taken_is_cut_off(database: Database) -> None:
    with pytest.raises(LeaseLost):
        async with Lease(database, "work", ttl=0.6).held() as held:
            await _stolen(database)
            await asyncio.sleep(30)
    assert not held.valid()


async def test_the_loser_does_not_release_the_lease_of_the_winner(database: Database) -> None:
    with pytest.raises(LeaseLost):
        async with Lease(database, "work", ttl=0.6).held():
            await _stolen(database)
            await asyncio.sleep(30)
    lease = await database.collection("leases").find_one({"_id": "work"})
    assert lease is not None and lease["holder"] == "thief"


async def test_a_cancelled_holder_is_cancelled_and_not_told_of_a_loss(database: Database) -> None:
    holding = asyncio.Event()

    async def hold() -> None:
        async with Lease(database, "work").held():
            holding.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(hold())
    await holding.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await Lease(database, "work").take() is not None


async def test_a_holder_that_cannot_renew_stops_before_its_ttl_has_passed(own_servers: Servers, harmed: Sample) -> None:
    lease = Lease(harmed.database, f"work{uuid4()}", ttl=2)
    member = own_servers.members[0]
    try:
        with pytest.raises(LeaseLost):
            async with lease.held():
                began = time.monotonic()
                member.pause()
                await asyncio.sleep(30)
        assert time.monotonic() - began < 2
    finally:
        member.resume()


async def _taken(lease: Lease) -> None:
    assert await lease.take() is not None


async def _stolen(database: Database) -> None:
    change = {"$set": {"holder": "thief"}, "$inc": {"fence": 1}}
    assert await database.collection("leases").update_one({"_id": "work"}, change) == 1
