"""Lists on a real MongoDB: no page ever shows another district, none is skipped, and each has its index."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
from bson.timestamp import Timestamp

from services.chassis.errors import Invalid, NotFound
from services.chassis.storage.driver import Database, index_keys
from services.chassis.storage.queries import Asked, Filter, ListSpec, Scoped, selection

EAST, WEST = "unit_east", "unit_west"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
CASES = ListSpec(
    collection="case",
    sort=("-changed",),
    filters={"stage": "state.stage", "minutes": Filter("state.minutes", int)},
    project=lambda document: document["_id"],
)
BY_DAY = ListSpec(
    collection="case",
    sort=("state.at", "-state.minutes"),
    filters={"since": Filter("state.at", datetime, "from"), "until": Filter("state.at", datetime, "before")},
    fields=("state.at", "state.stage"),
)


def case(number: int, random: Random) -> dict[str, Any]:
    district = EAST if number % 3 else WEST
    return {
        "_id": f"case_{number:04}",
        "scope": [district, f"{district}_street", f"{district}_{number % 5}"],
        "changed": Timestamp(1_770_000_000 + random.randrange(6), 1),  # many are equal: the order must still be total
        "state": {
            "stage": random.choice(["open", "done"]),
            "minutes": random.randrange(3),
            "at": BEGIN + timedelta(hours=random.randrange(5)),
        },
        "history": [{"id": "x", "data": {}}],
        "sealed": {"told": b"x"},
        "keys": {"code": [f"hash-{number}"]},
        "out": [],
    }


@pytest.fixture
async def cases(database: Database) -> AsyncIterator[Scoped]:
    random = Random(7)
    collection = database.collection("case")
    await collection.insert_many([case(number, random) for number in range(300)])
    await collection.ensure_indexes(*(("scope", *names) for spec in (CASES, BY_DAY) for names in spec.indexes()))
    yield Scoped.on(database, "case")


async def walked(cases: Scoped, scope: str, spec: ListSpec, limit: int, **filters: Any) -> list[Any]:
    items: list[Any] = []
    cursor = None
    while True:
        page = await cases.page(scope, Asked(spec, filters, limit, cursor))
        assert len(page.items) <= limit
        items += page.items
        cursor = page.next
        if cursor is None:
            return items


async def test_a_record_elsewhere_is_not_there(cases: Scoped) -> None:
    for scope, record in ((WEST, "case_0001"), (EAST, "case_0003"), (EAST, "case_9999"), (f"{EAST}_2", "case_0001")):
        with pytest.raises(NotFound):
            await cases.get(scope, record)
    assert (await cases.get(EAST, "case_0001"))["_id"] == "case_0001"
    assert (await cases.get(f"{EAST}_1", "case_0001"))["_id"] == "case_0001"


async def test_a_scope_that_is_only_the_beginning_of_another_sees_nothing(cases: Scoped) -> None:
    assert (await cases.page("unit_eas", Asked(CASES))).items == []
    assert await cases.count("unit", {}) == 0


async def test_no_query_of_any_kind_leaves_the_scope(cases: Scoped) -> None:
    assert await cases.count(WEST, {}) == 100
    assert await cases.count(WEST, {"$or": [{"scope": EAST}, {"state.stage": "open"}]}) < 100
    assert all(WEST in found["scope"] for found in await cases.find(WEST, {}))
    counted = await cases.aggregate(WEST, [{"$group": {"_id": None, "n": {"$sum": 1}}}])
    assert counted == [{"_id": None, "n": 100}]
    for stage in ("$lookup", "$unionWith", "$graphLookup", "$out", "$merge", "$facet"):
        with pytest.raises(TypeError):
            await cases.aggregate(WEST, [{stage: {}}])


@pytest.mark.parametrize("limit", [1, 7, 50, 200])
async def test_pages_give_every_record_once_in_order(cases: Scoped, limit: int) -> None:
    found = await walked(cases, EAST, CASES, limit)
    assert len(found) == len(set(found)) == 200
    filtered = await walked(cases, EAST, CASES, limit, stage="open", minutes=1)
    assert filtered == [one for one in found if one in set(filtered)]
    assert len(filtered) == await cases.count(EAST, {"state.stage": "open", "state.minutes": 1})


async def test_orders_that_mix_directions_are_walked_too(cases: Scoped) -> None:
    found = await walked(cases, EAST, BY_DAY, 13, since=BEGIN + timedelta(hours=1), until=BEGIN + timedelta(hours=4))
    order = [(one["state"]["at"], -one["state"]["minutes"], one["_id"]) for one in found]
    hours = {BEGIN + timedelta(hours=hour) for hour in (1, 2, 3)}
    assert {one["state"]["at"] for one in found} == hours
    assert [(at, minutes) for at, minutes, _ in order] == sorted((at, minutes) for at, minutes, _ in order)
    assert len({one["_id"] for one in found}) == len(found)


async def test_lists_hold_no_history_and_nothing_sealed(cases: Scoped) -> None:
    for found in await cases.find(EAST, {}, limit=3):
        assert not found.keys() & {"history", "out", "sealed", "keys"}
    page = await cases.page(EAST, Asked(BY_DAY, limit=1))
    assert set(page.items[0]["state"]) == {"at", "stage", "minutes"}


async def test_a_cursor_does_not_hold_for_another_scope_list_or_filter(cases: Scoped) -> None:
    cursor = (await cases.page(EAST, Asked(CASES, {"stage": "open"}, 5))).next
    for scope, asked in [
        (WEST, Asked(CASES, {"stage": "open"}, 5, cursor)),
        (EAST, Asked(CASES, {"stage": "done"}, 5, cursor)),
        (EAST, Asked(CASES, {}, 5, cursor)),
        (EAST, Asked(BY_DAY, {}, 5, cursor)),
    ]:
        with pytest.raises(Invalid) as caught:
            await cases.page(scope, asked)
        assert caught.value.code == "cursor-invalid"


async def test_a_cursor_that_was_tampered_with_is_refused_or_stays_within_the_scope(cases: Scoped) -> None:
    cursor = (await cases.page(WEST, Asked(CASES, {}, 5))).next
    assert cursor is not None
    mark = orjson.loads(urlsafe_b64decode(cursor + "=="))[0]

    def forged(*values: Any) -> str:
        return urlsafe_b64encode(orjson.dumps([mark, *values])).rstrip(b"=").decode()

    operators: list[Any] = [
        {"$gt": ""},
        {"$where": "1"},
        ["a"],
        None,
        {"t": "x"},
        {"s": [1]},
        {"t": 10**18},
        {"s": [-1, 1]},
    ]
    broken = ["", "x", "翻页", cursor[:-4], cursor + "A", "A" * 3000, forged(), forged(1), forged(1, 2, 3)]
    for bad in [
        *broken,
        *(forged({"s": [1, 1]}, value) for value in operators),
        *(forged(value, "a") for value in operators),
    ]:
        with pytest.raises(Invalid):
            await cases.page(WEST, Asked(CASES, {}, 5, bad))
    elsewhere = await cases.page(WEST, Asked(CASES, {}, 200, forged({"s": [2_000_000_000, 1]}, "zzz")))
    assert len(elsewhere.items) == 100, "a forged beginning shows the caller's own list and nothing else"


async def test_a_unit_outside_the_callers_scope_holds_nothing(cases: Scoped, database: Database) -> None:
    for unit in (WEST, f"{WEST}_1", "unit_nowhere", f"{EAST}_"):
        assert await walked(cases, EAST, CASES, 50, unit=unit) == []
    shared = [{**case(number, Random(1)), "_id": f"shared_{number}"} for number in (1, 3)]
    for one in shared:
        one["scope"].append("unit_shared")
    await database.collection("case").insert_many(shared)
    assert await walked(cases, EAST, CASES, 50, unit="unit_shared") == ["shared_1"]
    assert await walked(cases, f"{EAST}_1", CASES, 50, unit=EAST) == await walked(cases, f"{EAST}_1", CASES, 50)


async def test_a_unit_is_the_unit_with_everything_under_it(cases: Scoped) -> None:
    everything = await walked(cases, EAST, CASES, 50)
    assert await walked(cases, EAST, CASES, 50, unit=f"{EAST}_street") == everything
    parts = [await walked(cases, EAST, CASES, 7, unit=f"{EAST}_{number}") for number in range(5)]
    assert sorted(one for part in parts for one in part) == sorted(everything)
    assert parts[1] == await walked(cases, f"{EAST}_1", CASES, 50)
    open_ones = set(await walked(cases, EAST, CASES, 50, stage="open"))
    assert await walked(cases, EAST, CASES, 7, unit=f"{EAST}_1", stage="open") == [
        one for one in parts[1] if one in open_ones
    ]


async def test_a_unit_is_found_by_the_index_whoever_asks(cases: Scoped, database: Database) -> None:
    for spec, filters in ((CASES, {}), (CASES, {"stage": "open"}), (BY_DAY, {"since": BEGIN})):
        wanted = selection(EAST, Asked(spec, {"unit": f"{EAST}_1", **filters}))
        find = {"find": "case", "filter": wanted, "sort": dict(index_keys(spec.sort)), "limit": 6}
        for _ in range(3):  # the third time by the plan that was kept
            await database.command(find)
        done = await database.command({"explain": find, "verbosity": "executionStats"})
        assert "COLLSCAN" not in str(done["queryPlanner"]["winningPlan"])
        assert "'SORT'" not in str(done["queryPlanner"]["winningPlan"])
        assert done["executionStats"]["nReturned"] == 6
        assert done["executionStats"]["totalDocsExamined"] <= 8, "the unit's records, not the whole district's"


async def test_every_list_and_every_filter_runs_on_its_index(cases: Scoped, database: Database) -> None:
    for spec, query in [
        (CASES, {}),
        (CASES, {"state.stage": {"$eq": "open"}}),
        (CASES, {"state.minutes": {"$eq": 1}}),
        (BY_DAY, {"state.at": {"$gte": BEGIN}}),
    ]:
        sort = {name.lstrip("-"): -1 if name.startswith("-") else 1 for name in spec.sort}
        plan = await database.command(
            {"explain": {"find": "case", "filter": {"scope": EAST, **query}, "sort": sort, "limit": 51}}
        )
        stages = str(plan["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in stages
        assert "'SORT'" not in stages and "COLLSCAN" not in stages


async def test_who_holds_a_secret_finds_that_one_record(cases: Scoped) -> None:
    assert (await cases.held("code", "hash-3"))["_id"] == "case_0003"
    for wrong in ("hash-999", "", {"$gt": ""}, None):
        with pytest.raises(NotFound):
            await cases.held("code", wrong)  # type: ignore[arg-type]
