"""Personal data stays home: sealed at rest, opened only with a record, gone when it is erased."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import bson
import pytest

from services.chassis.callers.access import Caller
from services.chassis.context import Context
from services.chassis.errors import Busy, Invalid, NotFound, Problem, Unavailable
from services.chassis.personal.sealing import Sealing
from services.chassis.settings import SettingMissing, Settings
from services.chassis.storage.driver import Client, Database, connect
from services.chassis.storage.history import History, Stored, new_id
from tests.integration.history.counter import TALLY, Add, KnownUnits, Open, Redacted

NAME, PHONE = "欧阳印记", "13911112222"
CLERK = Caller("sub-clerk", frozenset({"clerk", "worker"}), "unit_a1", frozenset())
CONTACT = {"name": NAME, "phone": PHONE, "since": date(2024, 2, 29), "at": datetime(2024, 2, 29, 8, 0, tzinfo=UTC)}


def stored(sealed: dict[str, Any], id: str = "case_1", scope: tuple[str, ...] = ("unit_a", "unit_a1")) -> Stored[Any]:
    return Stored(id, 1, scope[-1], list(scope), None, sealed, {}, [], 0)


async def everything(database: Database) -> bytes:
    found = b""
    for name in await database.collection_names():
        for document in await database.collection(name).find({}):
            found += bson.encode(document)
    return found


@pytest.mark.mechanism("DIR-15", "INF-20")
@pytest.mark.parametrize("because", ["", "   ", "\n"])
async def test_nothing_is_read_without_saying_why(sealing: Sealing, because: str) -> None:
    sealed = await sealing.seal("unit_a", {"contact": CONTACT})
    with pytest.raises(Invalid) as refused:
        await sealing.reveal(CLERK, stored(sealed), "contact", because=because)
    assert refused.value.code == "purpose-missing"
    assert await sealing.accesses("unit_a") == []


@pytest.mark.mechanism("DIR-15", "INF-20")
async def test_every_read_leaves_a_record_of_who_when_what_and_why(sealing: Sealing) -> None:
    sealed = await sealing.seal("unit_a", {"contact": CONTACT})
    opened = await sealing.reveal(CLERK, stored(sealed), "contact", because="call back about the leak")
    assert opened == CONTACT | {"since": "2024-02-29"}
    (record,) = await sealing.accesses("unit_a")
    assert abs(record.pop("at") - datetime.now(UTC)) < timedelta(minutes=1)
    assert record.pop("_id")
    assert record == {
        "by": "sub-clerk",
        "roles": ["clerk", "worker"],
        "aggregate": "case_1",
        "purpose": "contact",
        "because": "call back about the leak",
        "scope": ["unit_a", "unit_a1"],
        "trace": None,
    }


@pytest.mark.mechanism("INF-20")
async def test_the_record_stands_also_when_the_data_cannot_be_opened(sealing: Sealing) -> None:
    sealed = await sealing.seal("unit_a", {"contact": CONTACT})
    broken = {"contact": sealed["contact"][:-1] + b"\x00"}
    with pytest.raises(Problem) as failed:
        await sealing.reveal(CLERK, stored(broken), "contact", because="call back")
    assert failed.value.code == "sealing-broken"
    with pytest.raises(NotFound) as absent:
        await sealing.reveal(CLERK, stored({}), "contact", because="call back again")
    assert absent.value.code == "personal-data-absent"
    assert [record["because"] for record in await sealing.accesses("unit_a")] == ["call back again", "call back"]


async def test_nothing_is_opened_when_the_record_cannot_be_kept(settings: Settings) -> None:
    nowhere = connect("mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=200")
    sealing = Sealing(nowhere, nowhere.database(settings.database), settings)
    with pytest.raises(Unavailable):
        await sealing.reveal(CLERK, stored({"contact": b"\x02" + bytes(60)}), "contact", because="call back")
    await sealing.stop()
    await nowhere.close()


@pytest.mark.mechanism("INF-20")
async def test_a_data_officer_sees_the_reads_of_their_own_units_only(sealing: Sealing) -> None:
    for number, scope in enumerate([("unit_a", "unit_a1"), ("unit_a", "unit_a2"), ("unit_b", "unit_b1")]):
        sealed = await sealing.seal(scope[0], {"contact": CONTACT})
        await sealing.reveal(CLERK, stored(sealed, f"case_{number}", scope), "contact", because="call back")
    assert [one["aggregate"] for one in await sealing.accesses("unit_a")] == ["case_1", "case_0"]
    assert [one["aggregate"] for one in await sealing.accesses("unit_a2")] == ["case_1"]
    assert [one["aggregate"] for one in await sealing.accesses("unit_a", aggregate="case_0")] == ["case_0"]
    newest, oldest = await sealing.accesses("unit_a", by="sub-clerk")
    assert await sealing.accesses("unit_a", before=newest["_id"], limit=1) == [oldest]
    assert await sealing.accesses("unit_a", by="somebody else") == []


@pytest.mark.mechanism("DIR-15")
async def test_a_name_and_a_phone_are_found_in_no_document(database: Database, sealing: Sealing) -> None:
    history: History[Any] = History(TALLY, database, KnownUnits(), sealing)  # type: ignore[arg-type]
    context = Context(by="sub-clerk", at=datetime.now(UTC), operation="open")
    tally = new_id("tally")
    await history.create(tally, "unit_a1", Open("unit_a1", name=NAME), context)
    await history.change(tally, Add(1, f"{NAME} at {PHONE}"), replace(context, operation="add"))
    at_rest = await everything(database)
    assert tally.encode() in at_rest
    assert NAME.encode() not in at_rest
    assert PHONE.encode() not in at_rest
    kept = await history.get(tally, scope=None)
    assert await sealing.reveal(CLERK, kept, "owner", because="call back") == {"name": NAME}
    await history.drain()


async def test_what_is_erased_is_in_neither_state_nor_history(database: Database, sealing: Sealing) -> None:
    history: History[Any] = History(TALLY, database, KnownUnits(), sealing)  # type: ignore[arg-type]
    context = Context(by="sub-clerk", at=datetime.now(UTC), operation="open")
    tally = new_id("tally")
    await history.create(tally, "unit_a1", Open("unit_a1", name=NAME), context)
    before = (await history.get(tally, scope=None)).sealed["owner"]
    assert bytes(before) in await everything(database)
    await history.erase(tally, ["owner"], Redacted(), replace(context, operation="erase"))
    assert bytes(before) not in await everything(database)
    with pytest.raises(NotFound, match="personal-data-absent"):
        await sealing.reveal(CLERK, await history.get(tally, scope=None), "owner", because="call back")
    await history.drain()


async def test_each_purpose_has_its_own_blob_and_equal_values_look_different(sealing: Sealing) -> None:
    first = await sealing.seal("unit_a", {"contact": {"name": NAME}, "health": {"note": "x"}})
    second = await sealing.seal("unit_a", {"contact": {"name": NAME}})
    assert first.keys() == {"contact", "health"}
    assert first["contact"] != second["contact"]
    assert await sealing.unseal(bytes(second["contact"])) == {"name": NAME}


@pytest.mark.parametrize("value", ["\ud800", 2**63, {1: "a key that is no text"}, object()])
async def test_what_no_store_holds_is_refused_without_being_told(sealing: Sealing, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        await sealing.seal("unit_a", {"contact": {"name": value}})
    assert (refused.value.code, refused.value.params) == ("value-not-storable", {})


async def test_processes_that_race_make_one_key(database: Database, another: Callable[[], Sealing]) -> None:
    processes = [another() for _ in range(8)]
    blobs = await asyncio.gather(*(one.seal("unit_a", {"contact": {"name": NAME}}) for one in processes * 3))
    assert len(await database.collection("__keys").find({})) == 1
    for blob in blobs:
        assert await processes[0].unseal(blob["contact"]) == {"name": NAME}


RACE = """
import asyncio, sys
from services.chassis.storage.driver import connect
from services.chassis.personal.sealing import Sealing
from services.chassis.settings import Settings

async def race(mongo, prefix):
    client = connect(mongo)
    settings = Settings("directory", "", mongo, prefix, bytes(range(96)), b"l" * 32)
    sealing = Sealing(client, client.database(settings.database), settings)
    sys.stdin.readline()
    for number in range(20):
        await sealing.seal(f"unit_{number}", {"contact": {"name": "x"}})

print("ready", flush=True)
asyncio.run(race(*sys.argv[1:]))
"""


def racer(settings: Settings) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", RACE, settings.mongo, settings.prefix]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def test_real_processes_that_race_make_one_key_each(database: Database, settings: Settings) -> None:
    processes = [racer(settings) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [await asyncio.to_thread(process.wait, 60) for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    keys = await database.collection("__keys").find({})
    assert sorted(name for key in keys for name in key["keyAltNames"]) == sorted(f"unit_{n}" for n in range(20))


async def test_a_districts_data_are_gone_with_its_key(
    database: Database, sealing: Sealing, another: Callable[[], Sealing]
) -> None:
    theirs = (await sealing.seal("unit_a", {"contact": {"name": NAME}}))["contact"]
    others = (await sealing.seal("unit_b", {"contact": {"name": NAME}}))["contact"]
    await database.collection("__keys").delete_one({"keyAltNames": "unit_a"})
    restarted = another()
    with pytest.raises(NotFound) as gone:
        await restarted.unseal(theirs)
    assert gone.value.code == "personal-data-shredded"
    assert await restarted.unseal(others) == {"name": NAME}


async def test_a_wrong_master_key_ends_the_start_with_one_sentence(
    client: Client, database: Database, sealing: Sealing, settings: Settings
) -> None:
    await sealing.seal("unit_a", {"contact": {"name": NAME}})
    mistaken = Sealing(client, database, replace(settings, master_key=bytes(96)))
    with pytest.raises(SettingMissing, match="LINLI_MASTER_KEY"):
        await mistaken.start()
    await mistaken.stop()


async def test_searching_by_a_tail_is_recorded_and_stops_after_ten_in_a_minute(sealing: Sealing) -> None:
    scope = ("unit_a", "unit_a1")
    for _ in range(10):
        found = await sealing.search(CLERK, scope, "phone-tail", "2222", because="caller knows the tail only")
        assert found == sealing.tail("unit_a", PHONE)
    with pytest.raises(Busy) as refused:
        await sealing.search(CLERK, scope, "phone-tail", "2222", because="once more")
    assert (refused.value.code, refused.value.retry_after) == ("searched-too-often", 60)
    assert await sealing.search(CLERK, scope, "phone", PHONE, because="the whole number") == sealing.lookup(
        "unit_a", "phone", PHONE
    )
    records = await sealing.accesses("unit_a")
    assert {record["purpose"] for record in records} == {"search:phone", "search:phone-tail"}
    assert PHONE not in str(records)
    assert len(records) == 12
