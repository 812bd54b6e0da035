"""When a unit moves, the records of its subtree are seen from their new place and no longer from the old one."""

import asyncio
from datetime import timedelta

import pytest

from services.chassis.districts import restamp
from services.chassis.districts.restamp import Restamp
from services.chassis.districts.units import Units
from services.chassis.errors import NotFound
from services.chassis.runtime import Runtime
from services.chassis.storage.driver import Document
from tests.integration.relay.sample import eventually
from tests.integration.units.conftest import covered, moved, opened

AT_ONCE = timedelta(0)
NEW_PLACE = ["district", "street-2", "community", "compound", "building", "entrance"]
BELOW = ("community", "compound", "building", "entrance")

pytestmark = pytest.mark.mechanism("DIR-01")


@pytest.fixture(autouse=True)
async def _known(tree: Units) -> None:
    """The ladder is known."""


async def scopes(runtime: Runtime) -> dict[str, list[str]]:
    found: list[Document] = []
    for name in ("tally", "lines"):
        found += await runtime.database.collection(name).find({}, {"unit": 1, "scope": 1})
    return {row["_id"]: row["scope"] for row in found}


async def line(runtime: Runtime, id: str, unit: str) -> None:
    scope = await runtime.units.scope_of(unit)
    await runtime.database.collection("lines").insert_one({"_id": id, "unit": unit, "scope": scope, "amount": 1})


async def test_records_of_the_subtree_and_only_those_get_their_new_scope(runtime: Runtime) -> None:
    record, beside = await opened(runtime, "entrance"), await opened(runtime, "street")
    await line(runtime, "line-1", "entrance")
    await runtime.database.collection("marks").insert_one({"_id": "mark", "unit": "entrance", "scope": ["as it was"]})
    before = await runtime.database.collection("tally").find_one({"_id": record})
    await moved(runtime.units, "community", "street-2")
    assert await Restamp(runtime).once() == 1
    assert await scopes(runtime) == {record: NEW_PLACE, "line-1": NEW_PLACE, beside: ["district", "street"]}
    after = await runtime.database.collection("tally").find_one({"_id": record})
    assert before is not None
    assert after == before | {"scope": NEW_PLACE}  # neither version nor event, and nothing for the relay
    mark = await runtime.database.collection("marks").find_one({})
    assert mark is not None
    assert mark["scope"] == ["as it was"]  # a read model that keeps no index by scope keeps its day's tree
    with pytest.raises(NotFound):
        await runtime.histories["tally"].get(record, scope="street")
    assert (await runtime.histories["tally"].get(record, scope="street-2")).id == record


async def test_a_building_comes_under_the_eyes_of_its_grid_with_its_records(runtime: Runtime) -> None:
    record = await opened(runtime, "entrance")
    await covered(runtime.units, "building", "grid", 2)
    await Restamp(runtime).once()
    assert (await runtime.histories["tally"].get(record, scope="grid")).id == record
    await covered(runtime.units, "building", "", 3)
    await Restamp(runtime).once()
    with pytest.raises(NotFound):
        await runtime.histories["tally"].get(record, scope="grid")


async def test_a_record_written_with_an_old_copy_of_the_tree_is_found_by_the_second_pass(runtime: Runtime) -> None:
    late = Units(runtime.database, ())
    old = await late.scope_of("entrance")
    await moved(runtime.units, "community", "street-2")
    work = Restamp(runtime, settled=AT_ONCE)
    await work.once()
    record = await opened(runtime, "entrance")
    await runtime.database.collection("tally").update_one({"_id": record}, {"$set": {"scope": old}})
    await work.once()
    assert (await scopes(runtime))[record] == NEW_PLACE
    assert await work.once() == 0


class Killed(Exception):
    """The process is gone."""


async def test_a_rewriting_that_was_killed_goes_on_where_it_was(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restamp, "CHUNK", 1)
    records = {unit: await opened(runtime, unit) for unit in BELOW}
    await moved(runtime.units, "community", "street-2")
    rewritten: list[tuple[str, str]] = []

    class Watched(Restamp):
        async def _rewrite(self, name: str, units: list[str]) -> bool:
            rewritten.append((name, units[0]))
            return await super()._rewrite(name, units)

    class Doomed(Watched):
        async def _note(self, work: Document, progress: Document) -> None:
            await super()._note(work, progress)
            if progress.get("after") == "compound":
                raise Killed

    with pytest.raises(Killed):
        await Doomed(runtime).once()
    assert rewritten == [("tally", "building"), ("tally", "community"), ("tally", "compound")]
    assert (await scopes(runtime))[records["entrance"]][1] == "street"
    rewritten.clear()
    await Watched(runtime).once()
    assert rewritten[:2] == [("tally", "entrance"), ("tally", "grid")]
    assert rewritten[-1][0] == "lines"
    assert all(scope[1] == "street-2" for scope in (await scopes(runtime)).values())


async def test_an_older_move_never_overwrites_a_newer_one(runtime: Runtime) -> None:
    record = await opened(runtime, "entrance")
    await moved(runtime.units, "community", "street-2", 2)
    await moved(runtime.units, "community", "street", 3)
    await moved(runtime.units, "community", "street-2", 2)  # delivered again
    work = Restamp(runtime, settled=AT_ONCE)
    while await work.once():
        assert (await scopes(runtime))[record][1] == "street"


async def test_while_the_tree_is_not_whole_the_work_waits(runtime: Runtime) -> None:
    record = await opened(runtime, "entrance")
    await moved(runtime.units, "community", "building")
    await Restamp(runtime).once()
    assert (await scopes(runtime))[record][1] == "street"
    await moved(runtime.units, "building", "street-2")
    await Restamp(runtime).once()
    assert (await scopes(runtime))[record] == ["district", "street-2", "building", "entrance"]


async def test_of_two_workers_one_rewrites_and_both_end_when_told(runtime: Runtime) -> None:
    record = await opened(runtime, "entrance")
    await moved(runtime.units, "community", "street-2")
    stopping = asyncio.Event()
    workers = [asyncio.create_task(Restamp(runtime).run(stopping)) for _ in range(2)]

    async def followed() -> bool:
        return (await scopes(runtime))[record] == NEW_PLACE

    await eventually(followed)
    stopping.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*workers)


