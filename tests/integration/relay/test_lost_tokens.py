"""A server forgets: what its log of changes no longer holds cannot be followed, only read again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from bson.timestamp import Timestamp
from prometheus_client import REGISTRY
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local import mongo
from deploy.local.ports import free_ports
from deploy.local.servers import Server, Servers
from services.chassis.publishing import relay as relay_module
from tests.integration.relay.conftest import drop_topics
from tests.integration.relay.sample import Sample, eventually, made, relaying, settings

HISTORY_LOST = 286


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MongoDB that keeps one megabyte of changes, and lets go of the rest each second."""
    folder, [port] = tmp_path_factory.mktemp("forgetful"), free_ports(1)
    command = [*mongo.command(port, Path(folder), cache_gb=0.25, oplog_mb=1), "--syncdelay", "1"]
    server = Server("MongoDB", command, folder / "log", port)
    server.start()
    try:
        server.wait_ready()
        mongo.form_replica_set([port])
        Servers("", mongo.address([port]), [], [server]).wait_ready()
        yield mongo.address([port])
    finally:
        server.stop()


@pytest.fixture
async def sample(servers: Servers, forgetful: str) -> AsyncIterator[Sample]:
    sample = made(settings(servers.kafka, forgetful))
    yield sample
    await sample.tallies.drain()
    await sample.client.close()
    drop_topics(servers.kafka, sample.settings.prefix)


@pytest.fixture
def until_forgotten(forgetful: str) -> Iterator[Callable[[], None]]:
    """Write elsewhere until changes of this moment are forgotten."""
    with MongoClient(forgetful) as client:
        elsewhere = client["elsewhere"]

        def forget() -> None:
            with elsewhere.watch() as stream:
                token = stream.resume_token
            while True:
                elsewhere["junk"].insert_many([{"text": "y" * 100_000} for _ in range(30)])
                elsewhere["junk"].delete_many({})
                try:
                    with elsewhere.watch(resume_after=token) as stream:
                        stream.try_next()
                except OperationFailure as error:
                    assert error.code == HISTORY_LOST
                    return

        yield forget


def rescans() -> float:
    return REGISTRY.get_sample_value("linli_relay_rescans_total", {"service": "sample"}) or 0.0


def an_hour_before(mark: datetime) -> Timestamp:
    return Timestamp(int(mark.timestamp()) - 3600, 0)


async def test_after_a_lost_token_every_aggregate_changed_since_is_published_again(
    sample: Sample, until_forgotten: Callable[[], None]
) -> None:
    async with relaying(sample):
        old, new = await sample.opened(additions=1), await sample.opened()
        await eventually(lambda: len(sample.published()) == 3)
    await sample.add(new)
    long_ago = an_hour_before((await sample.position())["mark"])
    await sample.tallies.collection.update_one({"_id": old}, {"$set": {"changed": long_ago}})
    await asyncio.to_thread(until_forgotten)
    async with relaying(sample):
        await eventually(lambda: len(sample.sequences()[new]) >= 3)
        assert sample.sequences() == {old: [1, 2], new: [1, 1, 2]}
        await sample.add(new)
        await eventually(lambda: sample.sequences()[new] == [1, 1, 2, 3])


async def test_a_service_that_publishes_nothing_does_not_lose_its_place(
    sample: Sample, until_forgotten: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "IDLE_STORE_SECONDS", 0.2)
    async with relaying(sample):
        before = await eventually(sample.position)
        await asyncio.to_thread(until_forgotten)

        async def moved() -> bool:
            now = await sample.position()
            return bool(now["token"] != before["token"] and now["mark"] > before["mark"])

        await eventually(moved)
    already = rescans()
    async with relaying(sample):
        subject = await sample.opened()
        await eventually(lambda: sample.sequences() == {subject: [1]})
    assert rescans() == already


async def test_the_dropping_of_the_database_is_survived(sample: Sample) -> None:
    async with relaying(sample):
        await sample.opened()
        await eventually(lambda: len(sample.published()) == 1)
        await sample.database.drop()
        already = rescans()
        await eventually(lambda: rescans() > already)
        subject = await sample.opened()
        await eventually(lambda: sample.sequences().get(subject))
