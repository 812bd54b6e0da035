"""What one member alone holds can be rolled back: it is neither accepted nor shown. On three real members."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from deploy.local.servers import Servers, embedded
from deploy.local.waiting import wait_until
from services.chassis.context import Context
from services.chassis.errors import Unavailable
from services.chassis.storage import history as history_module
from services.chassis.storage.commit import Write
from services.chassis.storage.documents import operation
from services.chassis.storage.driver import connect
from services.chassis.storage.history import History
from tests.conftest import TEST_DATA
from tests.integration.history.counter import TALLY, KnownUnits, Open, PlainSealing
from tests.integration.history.test_history import AT, one_more

PATIENCE_MS = 120_000  # for which a primary that hears of nobody stays the primary


@pytest.fixture(scope="module")
def three() -> Iterator[Servers]:
    """Three members, of which none calls an election when another is silent."""
    folder = TEST_DATA / f"session-{os.getpid()}" / "three"
    with embedded(folder, kafka_brokers=0, mongo_members=3, mongo_cache_gb=0.25) as own:
        be_patient(own)
        yield own
        for member in own.members:
            member.kill()  # an orderly end hands over first, and nobody needs what they hold


def be_patient(servers: Servers) -> None:
    """Make every member wait long before it takes the primary for lost."""
    with MongoClient[dict[str, Any]](servers.mongo) as client:
        config: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
        version = config["version"] + 1
        settings = config["settings"] | {"electionTimeoutMillis": PATIENCE_MS}
        client.admin.command("replSetReconfig", config | {"version": version, "settings": settings})

        def all_know() -> bool:
            members = client.admin.command("replSetGetStatus")["members"]
            return all(member["configVersion"] == version for member in members)

        wait_until(all_know, 30, otherwise=lambda: AssertionError("a member did not learn of the new settings"))


@pytest.fixture
async def tallies(three: Servers) -> AsyncIterator[History[Any]]:
    client = connect(three.mongo)
    database = client.database(f"test_{uuid4().hex[:12]}")
    history: History[Any] = History(TALLY, database, KnownUnits(), PlainSealing())  # type: ignore[arg-type]
    yield history
    await history.drain()
    await client.close()


@contextmanager
def only_the_primary_answers(three: Servers) -> Iterator[None]:
    primary = three.primary()
    others = [member for member in three.members if member is not primary]
    for member in others:
        member.pause()
    try:
        yield
    finally:
        for member in others:
            member.resume()


def opening(tallies: History[Any], tally: str) -> Any:
    return tallies.create(tally, "unit_a1", Open("unit_a1"), Context(by="sub-1", at=AT, operation=f"open {tally}"))


async def test_what_one_member_alone_holds_is_not_accepted_and_the_repeat_is(
    three: Servers, tallies: History[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await opening(tallies, "tally_0")
    with only_the_primary_answers(three), monkeypatch.context() as hasty:
        hasty.setattr(history_module, "DEADLINE", 0.2)
        with pytest.raises(Unavailable):
            await opening(tallies, "tally_1")
    assert (await opening(tallies, "tally_1")).seq == 1


async def test_what_one_member_alone_holds_is_neither_read_nor_taken_for_done(
    three: Servers, tallies: History[Any]
) -> None:
    await opening(tallies, "tally_2")
    change = one_more(1, "event-2")
    bulk, size = operation("tally_2", 1, change)

    async def sent_again(within: float) -> None:
        deadline = asyncio.get_running_loop().time() + within
        await tallies.groups.write(Write("tally_2", 1, "event-2", bulk, size, deadline))

    with only_the_primary_answers(three):
        with MongoClient[dict[str, Any]](three.mongo, w=1) as client:
            client[tallies.collection._raw.database.name]["tally"].update_one({"_id": "tally_2", "version": 1}, change)
        assert (await tallies.get("tally_2", scope=None)).version == 1
        with pytest.raises(Unavailable):
            await sent_again(within=0.2)
    await sent_again(within=30)
    document = await tallies.collection.find_one({"_id": "tally_2"})
    assert document is not None and [entry["seq"] for entry in document["history"]] == [1, 2]
