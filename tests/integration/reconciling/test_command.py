"""The command names each difference down to the event and mends what can be mended, as an operator runs it."""

import argparse
import asyncio
from base64 import b64encode
from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.chassis.consuming.lag import Group
from services.chassis.reconciling import command
from tests.integration.guard.conftest import eventually
from tests.integration.reconciling.test_hours import number_parked
from tests.integration.reconciling.test_rounds import restore_to
from tests.integration.reconciling.world import CATALOGUE, UNLUCKY, World
from tests.integration.relay.sample import records


@pytest.fixture
def operator(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world, and its servers in the environment."""
    settings = world.settings
    for name, value in {
        "KAFKA": settings.kafka,
        "MONGO": settings.mongo,
        "PREFIX": settings.prefix,
        "PARTITIONS": str(settings.partitions),
        "MASTER_KEY": b64encode(settings.master_key).decode(),
        "LOOKUP_KEY": b64encode(settings.lookup_key).decode(),
        "OIDC_ISSUER": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(f"LINLI_{name}", value)
    return world


async def test_what_there_is_not_is_said(operator: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("--service", "nobody") == 2
    assert await run("--aggregate", "case") == 2
    assert "There is no aggregate case, only ledger, tally" in capsys.readouterr().out
    assert await run("--subject", "tally_nobody") == 2
    assert "There is no such record: tally_nobody" in capsys.readouterr().out
    for most in ("0", "-1", "many"):
        with pytest.raises(SystemExit):
            await run("--most", most)


async def test_with_nothing_wrong_it_says_zero(operator: World, capsys: pytest.CaptureFixture[str]) -> None:
    async with operator.alive():
        subject = await operator.opened(additions=3)
        await operator.applied(subject, 4, "ear", "eye")
        assert await run() == 0
    assert "events_unapplied 0, not in the topic 0, other than the history 0" in capsys.readouterr().out


async def test_each_of_several_losses_is_named_and_mended(operator: World, capsys: pytest.CaptureFixture[str]) -> None:
    """One event is never published, one place is put back, one is deleted, one event is parked, records are deleted."""
    world = operator
    async with world.alive():
        unsent, back, gone, refused = [await world.opened(additions=2) for _ in range(4)]
        for subject in (unsent, back, gone, refused):
            await world.applied(subject, 3, "ear", "eye")
        await world.add(refused, UNLUCKY)
        await world.add(refused)
        await eventually(lambda: number_parked(world, "ear", 2))
        await eventually(lambda: number_parked(world, "eye", 2))
    await asyncio.to_thread(world.drop_records, "owner.tally")
    await world.add(unsent)
    await world.set_place("ear", back, seq=2, last_id=(await world.entry(back, 2))["id"])
    await world.database("eye").collection("places").delete_one({"_id": f"eye|{gone}"})
    for consumer in ("ear", "eye"):
        await world.be_patient(consumer)
    async with world.working("ear", "eye"):
        assert await run("--json") == 1
        told = orjson.loads(capsys.readouterr().out)
        assert named(told, consumer="ear") == {
            (unsent, 4, "not-in-topic"), (back, 3, "not-in-topic"), (refused, 4, "parked"), (refused, 5, "parked"),
        }  # fmt: skip
        assert named(told, consumer="eye") == {
            (unsent, 4, "not-in-topic"), (refused, 4, "parked"), (refused, 5, "parked"),
            *((gone, seq, "not-in-topic") for seq in (1, 2, 3)),
        }  # fmt: skip
        # Applied by all, and yet nobody who comes later would get them.
        lost = {(subject, seq, "not-in-topic") for subject in (unsent, back, refused) for seq in (1, 2, 3)}
        assert lost - {(back, 3, "not-in-topic")} <= named(told, consumer="")
        exact = next(each for each in told["differences"] if each["subject"] == unsent and each["consumer"] == "ear")
        entry = await world.entry(unsent, 4)
        assert (exact["service"], exact["aggregate"], exact["type"]) == ("owner", "tally", "tally.added.v1")
        assert (exact["event"], exact["hour"][14:19]) == (entry["id"], "00:00")
        parked = next(each for each in told["differences"] if each["sequence"] == 4 and each["where"] == "parked")
        assert (parked["reason"], parked["code"], parked["field"]) == ("refused", "not-today", "amount")

        assert await run("--heal", "--json") == 0
        healed = orjson.loads(capsys.readouterr().out)
        assert healed["after"]["differences"] == []
        assert (healed["healed"]["in_time"], healed["healed"]["replayed"]) == (True, {"applied": 2})
    for consumer in ("ear", "eye"):
        assert await world.parked(consumer) == []
        book = await world.book(consumer)
        assert (book[unsent], book[back], book[gone]) == ([1, 2, 3, 4], [1, 2, 3], [1, 2, 3])
        assert book[refused] == [1, 2, 3, 4, 5]
    async with world.working("ear", "eye"):
        await world.turn()
    assert await world.rows("owner", "stated", open=True) == []


async def test_what_was_taken_and_not_applied_is_told_apart_from_what_waits(
    operator: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = operator
    async with world.alive():
        back = await world.opened(additions=1)
        await world.applied(back, 2, "ear", "eye")
        await eventually(lambda: nothing_waits(world))
    await world.set_place("eye", back, seq=1, last_id=(await world.entry(back, 1))["id"])
    async with world.relaying():
        waiting = await world.opened()
        await eventually(lambda: is_published(world, waiting))
    assert await run("--json", "--service", "eye") == 1
    told = orjson.loads(capsys.readouterr().out)
    assert named(told, consumer="eye") == {(back, 2, "passed-over"), (waiting, 1, "waiting")}
    assert named(told, consumer="ear") == set()
    assert await run("--json", "--subject", back) == 1
    assert named(orjson.loads(capsys.readouterr().out)) == {(back, 2, "passed-over")}


async def test_a_refusal_stays_parked_and_a_person_is_told_what_to_do(
    operator: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = operator
    async with world.alive():
        subject = await world.opened()
        await world.add(subject, UNLUCKY)
        await eventually(lambda: number_parked(world, "eye", 1))
        await eventually(lambda: number_parked(world, "ear", 1))
        assert await run("--heal", "--service", "eye") == 1
    told = capsys.readouterr().out
    (row,) = await world.parked("eye")
    assert f"python -m services parked discard {row['_id']} --service eye --why" in told
    assert "replayed: parked 1" in told


async def test_what_a_restored_backup_left_behind_is_told_and_never_touched(
    operator: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = operator
    async with world.alive():
        beyond, gone, other = [await world.opened(additions=2) for _ in range(3)]
        for subject in (beyond, gone, other):
            await world.applied(subject, 3, "ear", "eye")
    await restore_to(world, beyond, 2)
    await world.histories["tally"].collection.delete_one({"_id": gone})
    await world.set_place("ear", other, last_id="of another history")
    before = {subject: await world.place("ear", subject) for subject in (beyond, gone, other)}
    assert await run("--heal", "--json") == 1
    told = orjson.loads(capsys.readouterr().out)
    expected = {(beyond, 3, "beyond-history"), (gone, 3, "beyond-history"), (other, 3, "other-history")}
    assert named(told, consumer="ear") == named(told["after"], consumer="ear") == expected
    assert named(told, consumer="eye") == expected - {(other, 3, "other-history")}
    assert told["healed"] == {"sent": 0, "in_time": True, "replayed": {}}
    assert await run("--json", "--subject", gone) == 1
    assert named(orjson.loads(capsys.readouterr().out)) == {(gone, 3, "beyond-history")}
    assert {subject: await world.place("ear", subject) for subject in (beyond, gone, other)} == before


async def test_two_events_under_one_sequence_are_left_to_a_person(
    operator: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The owner's database was restored, and another event was written where one had been published."""
    world = operator
    async with world.alive():
        subject = await world.opened(additions=1)
        await world.applied(subject, 2, "ear", "eye")
    await restore_to(world, subject, 1)
    await world.add(subject, 7)
    async with world.alive():
        await eventually(lambda: number_parked(world, "ear", 1))
        assert await run("--heal", "--json", "--service", "ear") == 1
    told = orjson.loads(capsys.readouterr().out)
    (found,) = [each for each in told["after"]["differences"] if each["where"] == "forked"]
    (row,) = await world.parked("ear")
    assert (found["consumer"], found["sequence"], found["row"]) == ("ear", 2, row["_id"])


async def nothing_waits(world: World) -> bool:
    def waiting() -> int:
        total = 0
        for consumer in ("ear", "eye"):
            group = Group(world.of(consumer), [f"{world.settings.prefix}.owner.tally"])
            try:
                total += sum(group.look().lag().values())
            finally:
                group.close()
        return total

    return await asyncio.to_thread(waiting) == 0


async def is_published(world: World, subject: str) -> bool:
    found = await asyncio.to_thread(records, world.settings.kafka, f"{world.settings.prefix}.owner.tally")
    return any(record.key == subject.encode() for record in found)


def named(told: dict[str, Any], **wanted: str) -> set[tuple[str, int, str]]:
    return {
        (each["subject"], each["sequence"], each["where"])
        for each in told["differences"]
        if all(each[name] == value for name, value in wanted.items())
    }


async def run(*words: str) -> int:
    """As ``python -m services reconcile`` does; what was written this moment is looked at, too."""
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    given = parser.parse_args(words)
    given.older_than = timedelta(seconds=-2)  # the second in which the test writes is not over
    return await asyncio.to_thread(command.run, given, CATALOGUE)
