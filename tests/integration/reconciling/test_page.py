"""The operators' page: each hour and aggregate type in numbers and words, and no id of any record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from services.chassis.callers.access import Access
from services.chassis.health import Health
from services.chassis.reconciling.figures import lately
from tests.integration.http.served import serving
from tests.integration.reconciling.world import OWNER, World
from tests.unit.http.issuer import TestIssuer

OPERATOR = {"roles": ["operator"]}


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


async def test_only_operators_are_told_and_of_days_that_are_kept(world: World, issuer: TestIssuer) -> None:
    async with page(world, issuer) as http:
        assert (await http.get("/reconciliation")).status_code == 401
        assert (await http.get("/reconciliation", headers=issuer.bearer(roles=["clerk"]))).status_code == 403
        wrong = await http.get("/reconciliation?days=90", headers=issuer.bearer(**OPERATOR))
        assert wrong.status_code == 422


async def test_an_owner_tells_what_its_topics_lack_hour_by_hour_and_what_to_do(
    world: World, issuer: TestIssuer
) -> None:
    subject = await world.opened(additions=1)  # nobody publishes it
    await world.turn()
    async with page(world, issuer) as http:
        answer = await http.get("/reconciliation", headers=issuer.bearer(**OPERATOR))
    told = answer.json()
    assert (told["metric"], told["unpublished"]) == ("linli_events_unapplied", 2)
    assert "python -m services reconcile --service owner" in told["zh"]
    open_hours = [item for item in told["items"] if item["unpublished"]]
    assert sum(item["histories"] for item in open_hours) == 2
    assert {item["topic"] for item in open_hours} == {0}
    assert all("are missing" in item["en"] and "缺" in item["zh"] for item in open_hours)
    assert subject not in answer.text


async def test_a_consumer_tells_what_it_has_yet_to_apply_newest_hour_first(world: World) -> None:
    await world.opened(additions=1)
    await world.turn()
    await world.turn()
    told = await lately(world.database("ear"), "ear", 1)
    assert told["unapplied"] == 2
    items = told["items"]
    assert [item["since"] for item in items] == sorted((item["since"] for item in items), reverse=True)
    late = [item for item in items if item["unapplied"]]
    assert sum(item["histories"] for item in late) == 2
    assert {(item["aggregate"], item["consumer"], item["applied"]) for item in late} == {("owner.tally", "ear", 0)}
    assert "ear has yet to apply" in late[0]["en"]
    assert {item["aggregate"] for item in told["rounds"]} == {"owner.tally", "owner.ledger"}


async def test_a_figure_of_an_hour_that_was_stated_again_is_the_newest(world: World) -> None:
    async with world.alive():
        began = await world.now()
        subject = await world.opened()
        await world.applied(subject, 1, "ear", "eye")
        for _ in range(2):
            marks = world.database("owner").collection("reconciliation")
            await marks.update_many({"_id": {"$regex": "^stated"}}, {"$set": {"until": began}})
            await world.turn()
    told = await lately(world.database("eye"), "eye", 1)
    assert sum(item["histories"] for item in told["items"]) == 1
    assert told["unapplied"] == 0
    assert "published and applied" in told["en"]


@asynccontextmanager
async def page(world: World, issuer: TestIssuer) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the owner's api on a port of its own."""
    settings = replace(world.settings, issuer=issuer.url)
    runtime: Any = SimpleNamespace(
        service=OWNER,
        settings=settings,
        database=world.database("owner"),
        health=Health("owner"),
        access=Access(settings, OWNER.permissions),
    )
    await runtime.access.refresh()
    async with serving(runtime) as (address, _), httpx.AsyncClient(base_url=address) as http:
        yield http
    await runtime.access.stop()
