"""Accepted is kept, and a request repeated takes effect once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.timestamp import Timestamp

from services.chassis.context import Context
from services.chassis.errors import Busy, Conflict, Invalid, KeyReused, NotFound, PreconditionFailed, Unavailable
from services.chassis.storage.archive import Archive
from services.chassis.storage.commit import Groups, Write
from services.chassis.storage.documents import operation
from services.chassis.storage.driver import Collection, Database
from services.chassis.storage.history import History, Written, id_for, new_id
from services.kernel.events import Refused
from tests.integration.history.counter import TALLY, Add, KnownUnits, Open, PlainSealing, Redacted

AT = datetime(2026, 3, 2, 8, 0, 0, 123000, tzinfo=UTC)


def because(operation: str, **more: Any) -> Context:
    return Context(by="sub-1", at=AT, operation=operation, **more)


async def opened(tallies: History[Any], limit: int = 1_000_000, name: str = "") -> str:
    tally = new_id("tally")
    await tallies.create(tally, "unit_a1", Open("unit_a1", limit, name), because(f"open {tally}"))
    return tally


async def test_a_caller_of_another_district_finds_nothing(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    with pytest.raises(NotFound):
        await tallies.get(tally, scope="unit_b")
    with pytest.raises(NotFound):
        await tallies.change(tally, Add(1), because("x", scope="unit_b"))
    assert (await tallies.get(tally, scope="unit_a")).version == 1


async def test_nobody_creates_in_a_unit_outside_their_scope(tallies: History[Any]) -> None:
    with pytest.raises(Invalid) as refused:
        await tallies.create("tally_1", "unit_b1", Open("unit_b1"), because("x", scope="unit_a"))
    assert refused.value.code == "unit-unknown"


async def test_what_the_domain_refuses_changes_nothing(tallies: History[Any]) -> None:
    tally = await opened(tallies, limit=5)
    with pytest.raises(Refused):
        await tallies.change(tally, Add(6), because("too much"))
    stored = await tallies.get(tally, scope=None)
    assert (stored.version, stored.state.total, len(stored.history)) == (1, 0, 1)


async def test_state_history_and_outbox_are_one_write(tallies: History[Any]) -> None:
    tally = await opened(tallies, name="somebody")
    await tallies.change(tally, Add(3, "a note"), because("add", cause="event-9", trace="00-aa-bb-01"))
    document = await tallies.collection.find_one({"_id": tally})
    assert document is not None
    assert document["state"]["total"] == 3
    assert document["version"] == 2
    assert isinstance(document["changed"], Timestamp) and document["changed"].time > 0
    assert [entry["seq"] for entry in document["history"]] == [1, 2]
    assert document["out"][0]["id"] == document["history"][1]["id"]
    assert document["out"][0]["data"] == {"amount": 3}
    assert set(document["out"][0]).isdisjoint({"by", "op", "body", "private"})
    assert document["sealed"].keys() == {"owner", "note"}


async def test_the_same_operation_gives_the_first_answer(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    first = await tallies.change(tally, Add(2), because("key-1", body="b"))
    second = await tallies.change(tally, Add(2), because("key-1", body="b"))
    assert second == Written(tally, 2, True, first.events)
    assert (await tallies.get(tally, scope=None)).state.total == 2


async def test_the_same_key_with_another_body_is_refused(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    await tallies.change(tally, Add(2), because("key-1", body="b"))
    with pytest.raises(KeyReused):
        await tallies.change(tally, Add(3), because("key-1", body="c"))


async def test_two_equal_creates_at_once_make_one(tallies: History[Any]) -> None:
    tally = id_for("tally", "key-7")
    answers = await asyncio.gather(
        *(tallies.create(tally, "unit_a1", Open("unit_a1"), because("key-7", body="b")) for _ in range(20))
    )
    assert {answer.seq for answer in answers} == {1}
    assert sum(not answer.repeated for answer in answers) == 1


async def test_two_processes_creating_the_same_give_one_answer(tallies: History[Any], database: Any) -> None:
    other: History[Any] = History(TALLY, database, KnownUnits(), PlainSealing())  # type: ignore[arg-type]
    tally = id_for("tally", "key-8")
    both = await asyncio.gather(
        *(h.create(tally, "unit_a1", Open("unit_a1"), because("key-8")) for h in (tallies, other))
    )
    assert [answer.seq for answer in both] == [1, 1]
    assert sorted(answer.repeated for answer in both) == [False, True]


async def test_an_id_taken_by_another_operation_is_a_conflict(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    with pytest.raises(Conflict):
        await tallies.create(tally, "unit_a1", Open("unit_a1"), because("another"))


async def test_concurrent_changes_of_two_processes_are_all_applied_once(tallies: History[Any], database: Any) -> None:
    other: History[Any] = History(TALLY, database, KnownUnits(), PlainSealing())  # type: ignore[arg-type]
    tally = await opened(tallies)
    await asyncio.gather(
        *(h.change(tally, Add(1), because(f"{n}-{i}")) for i in range(20) for n, h in enumerate((tallies, other)))
    )
    stored = await tallies.get(tally, scope=None)
    assert stored.state.total == 40
    assert [entry["seq"] for entry in stored.history] == list(range(1, 42))


async def test_a_stale_version_is_told_the_present_one(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    await tallies.change(tally, Add(1), because("one"))
    with pytest.raises(PreconditionFailed) as failed:
        await tallies.change(tally, Add(1), because("two"), if_version=1)
    assert failed.value.params == {"version": 2}


async def test_one_bad_value_fails_nobody_else(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    huge = because("huge")
    results = await asyncio.gather(
        tallies.change(tally, Add(1, "x"), because("good")),
        tallies.create("tally_huge", "unit_a1", Open("unit_a1", name="n"), because("big", body="x" * 300_000)),
        tallies.change(tally, Add(2), huge),
        return_exceptions=True,
    )
    assert isinstance(results[1], Invalid) and results[1].code == "record-too-large"
    assert (await tallies.get(tally, scope=None)).state.total == 3


async def test_a_lone_surrogate_is_refused_in_its_own_request(tallies: History[Any]) -> None:
    with pytest.raises(Invalid) as refused:
        await tallies.create("tally_s", "unit_a1", Open("unit_a1"), because("s", trace="\ud800"))
    assert refused.value.code == "value-not-storable"


async def test_a_full_queue_answers_busy_and_begins_nothing(database: Any) -> None:
    small: History[Any] = History(TALLY, database, KnownUnits(), PlainSealing(), limit=3)  # type: ignore[arg-type]
    results = await asyncio.gather(
        *(small.create(f"tally_{i}", "unit_a1", Open("unit_a1"), because(f"{i}")) for i in range(40)),
        return_exceptions=True,
    )
    refused = [r for r in results if isinstance(r, Busy)]
    assert refused
    assert await small.collection.count({}) == 40 - len(refused)


async def test_a_long_history_moves_to_the_archive_and_is_read_whole(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    for i in range(150):
        await tallies.change(tally, Add(1), because(f"op-{i}", body=str(i)))
    await tallies.drain()
    stored = await tallies.get(tally, scope=None)
    assert stored.archived > 0 and len(stored.history) < 121
    assert [e["seq"] for e in await tallies.entries(tally, scope=None)] == list(range(1, 152))
    assert (await tallies.change(tally, Add(1), because("op-3", body="3"))).repeated
    with pytest.raises(KeyReused):
        await tallies.change(tally, Add(1), because("op-3", body="other"))
    assert (await tallies.get(tally, scope=None)).state.total == 150


async def test_moving_the_head_of_a_history_sets_no_outbox(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    for i in range(120):
        await tallies.change(tally, Add(1), because(f"op-{i}"))
    before = await tallies.collection.find_one({"_id": tally})
    await tallies.drain()
    after = await tallies.collection.find_one({"_id": tally})
    assert before is not None and after is not None
    assert after["archived"] > 0
    assert (after["out"], after["version"]) == (before["out"], before["version"])


async def test_erasing_removes_sealed_values_from_state_history_and_archive(tallies: History[Any]) -> None:
    tally = await opened(tallies, name="somebody")
    for i in range(130):
        await tallies.change(tally, Add(1, "note"), because(f"op-{i}"))
    await tallies.drain()
    await tallies.erase(tally, ["owner", "note"], Redacted(), because("erase"))
    again = await tallies.erase(tally, ["owner", "note"], Redacted(), because("erase"))
    stored = await tallies.get(tally, scope=None)
    assert again.repeated
    assert (stored.sealed, stored.keys, stored.version) == ({}, {}, 132)
    assert all("private" not in entry for entry in await tallies.entries(tally, scope=None))
    assert stored.history[-1]["type"] == "tally.redacted.v1"


async def test_a_look_up_key_of_no_declared_purpose_is_not_written(tallies: History[Any]) -> None:
    with pytest.raises(TypeError, match="strange"):
        await tallies.create("tally_1", "unit_a1", Open("unit_a1", name="x", keys=("strange",)), because("open"))
    assert await tallies.collection.count({}) == 0


@pytest.mark.parametrize(
    ("purpose", "kept", "found_by"),
    [("note", {"owner"}, {"name", "code"}), ("owner", {"note"}, {"code"}), ("other", {"owner", "note"}, None)],
)
async def test_erasing_a_purpose_takes_what_belongs_to_it_and_nothing_else(
    tallies: History[Any], purpose: str, kept: set[str], found_by: set[str] | None
) -> None:
    tally, keys = new_id("tally"), ("name", "number", "code")
    await tallies.create(tally, "unit_a1", Open("unit_a1", name="somebody", keys=keys), because("open"))
    for i in range(130):
        await tallies.change(tally, Add(1, "note"), because(f"op-{i}"))
    await tallies.drain()
    await tallies.erase(tally, [purpose], Redacted(), because("erase"))
    stored = await tallies.get(tally, scope=None)
    assert stored.sealed.keys() == kept
    assert stored.keys.keys() == (set(keys) if found_by is None else found_by)
    sealed = [set(entry.get("private", {})) for entry in await tallies.entries(tally, scope=None)]
    before = [{"owner"}, *[{"note"}] * 130, set()]
    assert sealed == [names - {purpose} for names in before]


async def archived_bytes(tallies: History[Any]) -> bytes:
    return b"".join(bson.encode(part) for part in await tallies.archive.collection.find({}))


async def long_one(tallies: History[Any], database: Database) -> tuple[str, History[Any]]:
    """A history whose head is about to be moved, and another process that is about to do so."""
    slow: History[Any] = History(TALLY, database, KnownUnits(), PlainSealing())  # type: ignore[arg-type]
    slow.archive.longest = tallies.archive.longest = 10_000
    tally = await opened(tallies, name="somebody")
    for i in range(130):
        await tallies.change(tally, Add(1, "note"), because(f"op-{i}"))
    slow.archive.longest = Archive.longest
    return tally, slow


async def test_what_another_process_moves_to_the_archive_meanwhile_is_erased_there_too(
    tallies: History[Any], database: Database
) -> None:
    tally, other = await long_one(tallies, database)

    class Meanwhile(Archive):
        async def erase(self, aggregate_id: str, purposes: Sequence[str]) -> None:
            await super().erase(aggregate_id, purposes)
            document = await other.collection.find_one({"_id": aggregate_id})
            assert document is not None
            if document["version"] == 131:
                await other.archive.cut(other.collection, document)
                assert b"sealed for" in await archived_bytes(tallies)

    tallies.archive = Meanwhile(database, "tally")
    await tallies.erase(tally, ["owner", "note"], Redacted(), because("erase"))
    assert b"sealed for" not in await archived_bytes(tallies)
    whole = await tallies.entries(tally, scope=None)
    assert [entry["seq"] for entry in whole] == list(range(1, 133))
    await other.change(tally, Add(1, "later"), because("later"))
    await other.drain()
    assert (await other.get(tally, scope=None)).archived
    assert [entry["seq"] for entry in await other.entries(tally, scope=None)] == list(range(1, 134))
    assert (await other.change(tally, Add(1, "note"), because("op-3"))).events == [("tally.added.v1", {"amount": 1})]


async def test_a_head_that_was_read_before_the_erasure_does_not_come_back(
    tallies: History[Any], database: Database
) -> None:
    tally, other = await long_one(tallies, database)
    read_before = await other.collection.find_one({"_id": tally})
    assert read_before is not None
    await tallies.erase(tally, ["owner", "note"], Redacted(), because("erase"))
    await other.archive.cut(other.collection, read_before)
    assert b"sealed for" not in await archived_bytes(tallies)
    assert [entry["seq"] for entry in await tallies.entries(tally, scope=None)] == list(range(1, 133))


async def test_an_erasure_whose_answer_was_lost_is_finished_by_its_repeat(
    tallies: History[Any], database: Database
) -> None:
    tally, other = await long_one(tallies, database)
    document = await other.collection.find_one({"_id": tally})
    assert document is not None
    await tallies.erase(tally, ["owner"], Redacted(), because("erase", body="owner"))
    head = {"_id": f"{tally}|90", "aggregate": tally, "last": 90, "ops": [], "entries": document["history"][:90]}
    await tallies.archive.collection.insert_one(head)  # as a process leaves it that died while it moved the head
    with pytest.raises(KeyReused):
        await tallies.erase(tally, ["note"], Redacted(), because("erase", body="note"))
    assert await archived_bytes(tallies) == bson.encode(head)
    await tallies.erase(tally, ["owner"], Redacted(), because("erase", body="owner"))
    (part,) = await tallies.archive.collection.find({})
    assert {name for entry in part["entries"] for name in entry.get("private", {})} == {"note"}


async def test_an_update_of_what_is_gone_makes_no_ghost(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    await tallies.collection.delete_one({"_id": tally})
    with pytest.raises(NotFound):
        await tallies.change(tally, Add(1), because("late"))
    bulk, size = operation(tally, 1, one_more(1, "event-2"))  # loaded before it went, and written after
    with pytest.raises(Unavailable):
        await tallies.groups.write(Write(tally, 1, "event-2", bulk, size, asyncio.get_running_loop().time() + 0.2))
    assert await tallies.collection.find_one({"_id": tally}) is None


class Noting(Collection):
    """Notes whose writes left together."""

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self.groups: list[list[str]] = []

    async def bulk_write(self, operations: Sequence[Any], ordered: bool = False) -> Any:
        self.groups.append([one._filter["_id"] for one in operations])
        return await super().bulk_write(operations, ordered)


async def test_two_writes_of_one_aggregate_never_leave_in_one_group(tallies: History[Any]) -> None:
    """The order within an unordered group is nobody's promise, least of all a sharded cluster's."""
    noting = Noting(tallies.collection._raw)
    groups = Groups(noting, in_flight=1)
    first, hot = await opened(tallies), await opened(tallies)

    async def write(tally: str, version: int) -> None:
        event = f"{tally}-{version + 1}"
        bulk, size = operation(tally, version, one_more(version, event))
        await groups.write(Write(tally, version, event, bulk, size, asyncio.get_running_loop().time() + 5))

    await asyncio.gather(write(first, 1), write(hot, 1), write(hot, 2))  # the first flies, and the others wait
    assert noting.groups == [[first], [hot], [hot]]
    assert (await tallies.collection.find_one({"_id": hot}) or {})["version"] == 3


def one_more(version: int, event: str) -> dict[str, Any]:
    """The change that appends one more event to a tally of this version."""
    return {"$set": {"version": version + 1}, "$push": {"history": {"id": event, "seq": version + 1}}}


async def test_a_write_whose_fate_is_unknown_until_the_deadline_is_unavailable(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    bulk, size = operation("tally_missing", 4, {"$set": {"version": 5}})
    late = asyncio.get_running_loop().time() + 0.2
    with pytest.raises(Unavailable):
        await tallies.groups.write(Write("tally_missing", 4, "event-1", bulk, size, late))
    assert (await tallies.get(tally, scope=None)).version == 1


async def test_a_write_that_landed_unseen_is_recognised_by_its_event(tallies: History[Any]) -> None:
    tally = await opened(tallies)
    stored = await tallies.get(tally, scope=None)
    bulk, size = operation(tally, 1, one_more(1, "event-2"))
    deadline = asyncio.get_running_loop().time() + 5
    await tallies.groups.write(Write(tally, 1, "event-2", bulk, size, deadline))
    await tallies.groups.write(Write(tally, 1, "event-2", bulk, size, deadline))  # sent again: done, not doubled
    document = await tallies.collection.find_one({"_id": tally})
    assert document is not None
    assert [entry["id"] for entry in document["history"]] == [stored.history[0]["id"], "event-2"]
