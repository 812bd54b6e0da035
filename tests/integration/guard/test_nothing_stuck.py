"""What cannot be processed is parked with its reason, and goes on by itself or by command.

See docs/promises/nothing-stuck.md.
"""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer

from services.chassis.consuming.applying import Crash
from services.chassis.consuming.breaker import Limits
from services.chassis.consuming.breakers import Breakers
from services.chassis.consuming.complete import completeness
from services.chassis.consuming.guard import Guard, Tuning
from services.chassis.contracts.topics import ensure, republish_topic
from tests.integration.guard.conftest import Town, eventually


async def test_a_later_event_waits_for_the_missing_one_and_both_are_applied(town: Town) -> None:
    town.source.send(town.source.record("thing_a", 1), *(town.source.record("thing_a", seq) for seq in (3, 4)))
    async with town.worker():
        rows = await eventually(lambda: parked(town, 2))
        assert [(row["seq"], row["reason"]) for row in rows] == [(3, "gap"), (4, "gap")]
        town.source.send(town.source.record("thing_a", 2))
        await eventually(lambda: applied(town, "thing_a", [1, 2, 3, 4]))
        await eventually(lambda: nothing_parked(town))


async def test_the_first_event_seen_of_an_aggregate_must_be_its_first(town: Town) -> None:
    town.source.send(town.source.record("thing_a", 2))
    async with town.worker():
        (row,) = await eventually(lambda: parked(town, 1))
    assert (row["reason"], row["seq"]) == ("gap", 2)
    assert await town.book() == {}


async def test_a_refused_event_holds_back_its_own_aggregate_only(town: Town) -> None:
    town.source.send(
        town.source.record("thing_a", 1, how="refuse"),
        town.source.record("thing_a", 2),
        town.source.record("thing_b", 1),
    )
    async with town.worker() as guard:
        rows = await eventually(lambda: parked(town, 2))
        await eventually(lambda: applied(town, "thing_b", [1]))
        assert (rows[0]["reason"], rows[0]["code"]) == ("refused", "not-today")
        assert rows[1]["reason"] == "behind"
        assert await guard.rounds.replay(rows[1]["_id"]) == "waiting"
        assert await guard.rounds.replay(rows[0]["_id"]) == "parked"
        await town.be_patient()
        assert await guard.rounds.replay(rows[0]["_id"]) == "applied"
        assert (await town.book())["thing_a"] == [1, 2]
    assert await town.parked() == []


async def test_what_is_parked_keeps_the_record_whole_and_counts_its_tries(town: Town) -> None:
    record = town.source.record("thing_a", 1, how="refuse")
    town.source.send(record, record)
    async with town.worker():
        (row,) = await eventually(lambda: parked(town, 1, attempts=2))
    assert (row["key"], row["value"]) == (record.key, record.value)
    assert [(name, bytes(content)) for name, content in row["headers"]] == record.headers
    assert (row["field"], row["topic"]) == ("number", town.settings.topic("source", "thing"))


@pytest.mark.parametrize(
    ("changes", "reason", "code", "field"),
    [
        ({"type": "thing.noted.v2"}, "unknown-version", "version-unknown", "ce_type"),
        ({"data": {"number": "seven"}}, "schema", "int_parsing", "data/number"),
        ({"data": {}}, "schema", "missing", "data/number"),
    ],
)
async def test_an_event_that_cannot_be_read_is_parked_with_the_field(
    town: Town, changes: dict[str, Any], reason: str, code: str, field: str
) -> None:
    town.source.send(town.source.record("thing_a", 1, **changes), town.source.record("thing_b", 1))
    async with town.worker():
        (row,) = await eventually(lambda: parked(town, 1))
        await eventually(lambda: applied(town, "thing_b", [1]))
    assert (row["reason"], row["code"], row["field"]) == (reason, code, field)


async def test_records_that_are_no_events_are_parked_and_the_stream_goes_on(town: Town) -> None:
    good = town.source.record("thing_a", 1)
    town.source.send_raw(b"", None, [])
    town.source.send_raw(b"\xff\x00", b"\xff{", [("ce_id", b"\xff"), ("content-type", b"")])
    town.source.send_raw(b"thing_z", good.value, good.headers)
    town.source.send_raw(good.key, b"not json", good.headers)
    async with town.worker() as guard:
        rows = await eventually(lambda: parked(town, 4))
        assert {row["reason"] for row in rows} == {"undecodable"}
        assert [row["subject"] for row in rows] == [None, None, None, "thing_a"]
        assert await guard.rounds.replay(rows[0]["_id"]) == "parked"
        town.source.send(good)  # the same event, whole this time
        await eventually(lambda: applied(town, "thing_a", [1]))
        await eventually(lambda: parked(town, 3))


async def test_a_second_event_under_a_sequence_stops_that_aggregate(town: Town) -> None:
    changed = town.source.record("thing_a", 1, id="another")
    town.source.send(town.source.record("thing_a", 1), changed, town.source.record("thing_a", 2))
    async with town.worker() as guard:
        rows = await eventually(lambda: parked(town, 2))
        assert [(row["reason"], row["event"]) for row in rows] == [("forked", "another"), ("behind", "thing_a-2")]
        await eventually(lambda: is_forked(guard, "thing_a"))
        assert await guard.rounds.discard(rows[0]["_id"], "staff_1", "restored backup, checked") == "discarded"
        await eventually(lambda: applied(town, "thing_a", [1, 2]))
    assert await town.parked() == []


async def test_a_discarded_event_is_passed_over_and_recorded(town: Town) -> None:
    second = town.source.record("thing_a", 2, type="thing.painted.v1")
    town.source.send(town.source.record("thing_a", 1, how="refuse"), second)
    async with town.worker() as guard:
        rows = await eventually(lambda: parked(town, 2))
        assert await guard.rounds.discard(rows[0]["_id"], "staff_1", "entered by mistake") == "discarded"
        assert (await guard.rounds.places.of("thing_a")).seq == 2
    (kept,) = await town.database.collection("discarded").find({})
    assert (kept["event"], kept["discard"]["by"]) == ("thing_a-1", "staff_1")
    assert kept["discard"]["why"] == "entered by mistake"
    assert await town.parked() == []


async def test_passing_trouble_is_tried_again_then_parked_then_tried_again(town: Town) -> None:
    town.source.send(town.source.record("thing_a", 1, how="contend"))
    async with town.worker(Tuning(look_every=0.3, replay_every=0.3, patience=0.5)):
        (row,) = await eventually(lambda: parked(town, 1))
        assert (row["reason"], row["code"]) == ("trouble", "contended")
        assert row["attempts"] > 1
        await town.be_patient()
        await eventually(lambda: applied(town, "thing_a", [1]))


async def test_what_arrives_before_what_it_needs_is_taken_again_by_itself(town: Town) -> None:
    town.source.send(town.source.record("thing_a", 1, how="early"), town.source.record("thing_a", 2))
    async with town.worker():
        rows = await eventually(lambda: parked(town, 2))
        assert (rows[0]["reason"], rows[0]["code"]) == ("early", "unit-unknown")
        await town.be_patient()
        await eventually(lambda: applied(town, "thing_a", [1, 2]))
        await eventually(lambda: nothing_parked(town))


async def test_an_event_that_ends_the_process_is_parked_at_the_fourth_start(town: Town) -> None:
    town.source.send(town.source.record("thing_a", 1, how="raise"), town.source.record("thing_b", 1))
    for _ in range(3):
        with pytest.raises(Crash):
            async with town.worker() as guard:
                await eventually(lambda: town.database.collection("crashes").find({"count": {"$gte": 1}}))
                await ended(guard)
    async with town.worker():
        (row,) = await eventually(lambda: parked(town, 1))
        await eventually(lambda: applied(town, "thing_b", [1]))
    assert (row["reason"], row["code"], row["attempts"]) == ("unexpected", "crashed-repeatedly", 3)


async def test_a_gap_is_asked_of_its_owner(town: Town) -> None:
    await ensure(town.settings, [republish_topic(town.settings)])
    town.source.send(town.source.record("thing_a", 1), town.source.record("thing_a", 4))
    tuning = Tuning(look_every=0.3, gap_older=timedelta(seconds=0.3))
    async with town.worker(tuning):
        asked = await asyncio.to_thread(requests, town)
        assert asked == {"service": "source", "aggregate": "thing", "subject": "thing_a", "from_seq": 2}
        town.source.send(*(town.source.record("thing_a", seq) for seq in (2, 3, 4)))
        await eventually(lambda: applied(town, "thing_a", [1, 2, 3, 4]))


async def test_many_refused_in_a_row_open_the_breaker_and_a_word_closes_it(town: Town) -> None:
    town.source.send(*(town.source.record(f"thing_{n:03d}", 1, how="refuse") for n in range(100)))
    async with town.worker(Tuning(Limits(in_a_row=20), look_every=0.3)) as guard:
        await eventually(lambda: stands_still(guard))
        await eventually(lambda: parked(town, 20))
        assert await town.undone() > 0
        assert guard.live()[0]
        await eventually(lambda: known_to_wait(town, parked=20))
        await town.be_patient()
        await eventually(Breakers(town.database, "sample").close)
        await eventually(lambda: nothing_undone(town))
        for row in await town.parked():
            await guard.rounds.replay(row["_id"])
    assert len(await town.book()) == 100
    assert await town.parked() == []


async def test_a_restart_closes_the_breaker(town: Town) -> None:
    town.source.send(*(town.source.record(f"thing_{n:03d}", 1, how="refuse") for n in range(40)))
    async with town.worker(Tuning(Limits(in_a_row=20), look_every=0.3)) as guard:
        await eventually(lambda: stands_still(guard))
    await town.be_patient()
    async with town.worker():
        await eventually(lambda: nothing_undone(town))
    assert len(await town.book()) + len(await town.parked()) == 40
    assert len(await town.parked()) <= 20


async def parked(town: Town, number: int, attempts: int = 0) -> list[dict[str, Any]] | None:
    rows = await town.parked()
    return rows if len(rows) == number and all(row["attempts"] >= attempts for row in rows) else None


async def nothing_parked(town: Town) -> bool:
    return not await town.parked()


async def applied(town: Town, subject: str, seqs: list[int]) -> bool:
    return (await town.book()).get(subject) == seqs


async def nothing_undone(town: Town) -> bool:
    return await town.undone() == 0


async def known_to_wait(town: Town, parked: int) -> bool:
    """Whether those who answer know what lies parked and that more waits, and claim to be complete up to no instant."""
    known = await completeness(town.runtime)
    return known.parked == parked and bool(known.waiting) and known.complete_to is None and known.silent == ("source",)


async def stands_still(guard: Guard) -> bool:
    return "in a row were parked" in guard.ready()[1]


async def is_forked(guard: Guard, subject: str) -> int:
    return (await guard.rounds.places.of(subject)).forked


async def ended(guard: Guard) -> None:
    await eventually(lambda: has_ended(guard))


async def has_ended(guard: Guard) -> bool:
    return guard._stream is not None and guard._stream.ended.is_set()


def requests(town: Town) -> Any:
    consumer = KafkaConsumer(
        republish_topic(town.settings), bootstrap_servers=town.settings.kafka.split(","), auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
    )  # fmt: skip
    record = next(iter(consumer), None)
    consumer.close()
    assert record is not None, "nobody asked"
    return orjson.loads(record.value)

