"""An answer says up to when its facts are complete, and never that they are when they are not known to be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from kafka import KafkaProducer

from services.chassis.consuming import complete
from services.chassis.consuming.complete import MARGIN
from services.chassis.consuming.guard import Guard, Tuning
from services.chassis.contracts.topics import ensure
from services.chassis.contracts.wire import encode
from services.chassis.health import Health, serve_health
from services.chassis.http import application
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.insight import completeness
from services.insight.reactions import REACTIONS
from services.insight.service import SERVICE
from services.kernel.values import instant
from tests.unit.http.issuer import TestIssuer

OWNERS = ("complaints", "directory", "volunteers")
UNITS = {"unit_d": "district", "unit_c": "community", "unit_e": "district"}
PAGES = ("/reports/street-concerns", "/figures/complaints.recorded", "/figures/complaints.recorded/subjects")


class Owners:
    """What the owners of facts do, as insight meets it: publish, and tell up to when they have."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.published = dict.fromkeys(OWNERS, datetime.now(UTC))
        self._producer: KafkaProducer | None = None

    def have_published(self) -> datetime:
        """All of them, everything up to now."""
        now = instant(datetime.now(UTC))
        self.published = dict.fromkeys(OWNERS, now)
        return now

    async def registers(self, case: str, *, seq: int = 1, unit: str = "unit_c", **changes: Any) -> datetime:
        """Complaints publish that a concern was recorded; the event's time."""
        at = datetime.now(UTC)
        data = {"kind": "condition", "category": "other", "channel": "visit", "recorded_at": at.isoformat()} | changes
        scope = ["unit_d", "unit_c"] if unit == "unit_c" else [unit]
        entry = {
            "id": f"{case}-{seq}", "seq": seq, "type": "case.registered.v1", "at": at, "unit": unit,
            "district": scope[0], "scope": scope, "data": data,
        }  # fmt: skip
        await asyncio.to_thread(self._send, encode(entry, "complaints", case))
        return at

    def _send(self, record: Any) -> None:
        if self._producer is None:
            self._producer = KafkaProducer(bootstrap_servers=self.settings.kafka.split(","), acks="all")
        topic = self.settings.topic("complaints", "case")
        self._producer.send(topic, key=record.key, value=record.value, headers=record.headers).get(10)

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close()


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture
async def owners(servers: Any, issuer: TestIssuer) -> AsyncIterator[Owners]:
    """Three processes that tell up to when they have published."""
    async with AsyncExitStack() as processes:
        owners = Owners(Settings(service="insight", kafka=servers.kafka, mongo=servers.mongo))
        peers = {}
        for name in OWNERS:
            health = Health(name)

            async def told(name: str = name) -> datetime | None:
                return owners.published.get(name)

            health.published = told
            peers[name] = f"http://127.0.0.1:{await processes.enter_async_context(serve_health(health, 0))}"
        owners.settings = Settings(
            service="insight", kafka=servers.kafka, mongo=servers.mongo, prefix=f"test_{uuid4().hex[:12]}",
            master_key=bytes(range(96)), lookup_key=b"l" * 32, issuer=issuer.url, partitions=1, peers=peers,
        )  # fmt: skip
        await ensure(owners.settings, REACTIONS.topics(owners.settings))
        yield owners
        owners.close()


@pytest.fixture
async def runtime(owners: Owners) -> AsyncIterator[Runtime]:
    runtime = Runtime(SERVICE, owners.settings)
    await runtime.start()
    await runtime.access.refresh()
    for unit, kind in UNITS.items():
        parent = "unit_d" if kind == "community" else None
        data = {"kind": kind, "name": unit, "parent": parent, "path": [], "zone": "Asia/Shanghai"}
        await runtime.units.apply(unit, 1, "unit.registered.v1", data)
    yield runtime
    await runtime.database.drop()
    await runtime.stop()


@asynccontextmanager
async def working(runtime: Runtime) -> AsyncIterator[None]:
    """A worker of insight beside the requests."""
    other = Runtime(SERVICE, runtime.settings)
    await other.start()
    stopping = asyncio.Event()
    running = asyncio.create_task(Guard(other, tuning=Tuning(look_every=0.2, replay_every=0.2)).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await running
        await other.stop()


Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def ask(runtime: Runtime, issuer: TestIssuer) -> AsyncIterator[Ask]:
    """``ask("/reports/…", unit=…, after=…)`` as an officer of the district."""
    transport = httpx.ASGITransport(application(runtime))

    async def asked(path: str, *, by: str = "unit_d", unit: str = "unit_d", **query: str) -> dict[str, Any]:
        headers = issuer.bearer(sub=f"usr_{by}", roles=["street-officer"], unit=by)
        answer = await client.get(path, params={"unit": unit, **query}, headers=headers)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async with httpx.AsyncClient(transport=transport, base_url="http://insight", timeout=30) as client:
        yield asked


async def until(ask: Ask, holds: Callable[[dict[str, Any]], bool], within: float = 30.0) -> dict[str, Any]:
    """Ask until the answer is so; the answer."""
    async with asyncio.timeout(within):
        while not holds(told := await ask(PAGES[1])):  # noqa: ASYNC110 what is waited for lies in a database
            await asyncio.sleep(0.05)
    return told


def complete_to(told: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(told["complete_to"] or "0001-01-01T00:00:00+00:00")


async def test_before_anybody_has_looked_nothing_is_claimed(ask: Ask, runtime: Runtime) -> None:
    for page in PAGES:
        told = await ask(page)
        assert (told["complete_to"], told["facts"]["state"]) == (None, "unknown"), page
        assert told["facts"]["waiting"] is told["facts"]["parked"] is None
        assert told["facts"]["note"]["zh"].startswith("目前无法确认")


async def test_an_owner_that_does_not_tell_or_publish_leaves_the_instant_where_it_was(
    ask: Ask, owners: Owners, runtime: Runtime
) -> None:
    owners.published.pop("volunteers")
    async with working(runtime):
        told = await until(ask, lambda told: told["facts"]["silent"] == ["volunteers"])
        assert told["complete_to"] is None
        published = owners.have_published()
        await until(ask, lambda told: complete_to(told) == published - MARGIN)
        owners.published |= {"complaints": datetime.now(UTC), "directory": datetime.now(UTC)}
        owners.published.pop("volunteers")
        told = await until(ask, lambda told: told["facts"]["silent"] == ["volunteers"])
        assert complete_to(told) == published - MARGIN


@pytest.mark.mechanism("INF-07")
async def test_what_was_published_and_taken_is_told_as_complete_in_every_answer(
    ask: Ask, owners: Owners, runtime: Runtime
) -> None:
    async with working(runtime):
        await owners.registers("case_1")
        published = owners.have_published()
        told = await until(ask, lambda told: complete_to(told) >= published - MARGIN)
        assert told["value"] == 1
        assert told["facts"] | {"seen_at": ""} == {
            "state": "current", "waiting": 0, "parked": 0, "silent": [], "seen_at": "", "updating": False,
            "note": {"zh": f"{told['complete_to']} 之前的事实已全部计入。",
                     "en": f"Every fact of before {told['complete_to']} is counted."},
        }  # fmt: skip
        for page in PAGES:
            assert (await ask(page)).keys() >= {"as_of", "computed_at", "complete_to", "facts"}, page


@pytest.mark.mechanism("INF-07")
async def test_what_lies_parked_is_counted_and_the_instant_stays_before_it(
    ask: Ask, owners: Owners, runtime: Runtime
) -> None:
    async with working(runtime):
        at = await owners.registers("case_1", kind=None)  # a field that cannot be read
        owners.published = dict.fromkeys(OWNERS, at + timedelta(hours=1))
        told = await until(ask, lambda told: told["facts"]["parked"] == 1 and told["complete_to"] is not None)
        assert complete_to(told) <= at
        assert told["facts"]["state"] == "behind"
        assert "1 条停放" in told["facts"]["note"]["zh"]


async def test_a_worker_that_has_ended_makes_the_answer_unknown_not_current(
    ask: Ask, owners: Owners, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(runtime):
        published = owners.have_published()
        await until(ask, lambda told: complete_to(told) == published - MARGIN)
    monkeypatch.setattr(complete, "FRESH", timedelta(0))
    await owners.registers("case_1")
    told = await ask(PAGES[1])
    assert (told["facts"]["state"], told["value"]) == ("unknown", 0)
    assert complete_to(told) == published - MARGIN, "what was known stays known"


async def test_facts_that_are_complete_up_to_an_older_as_of_are_current_for_it(
    ask: Ask, owners: Owners, runtime: Runtime
) -> None:
    async with working(runtime):
        owners.published = dict.fromkeys(OWNERS, datetime.now(UTC) - timedelta(days=1))
        told = await until(ask, lambda told: told["complete_to"] is not None)
        assert told["facts"]["state"] == "behind"
        month = (datetime.now(UTC) - timedelta(days=30)).date().isoformat()
        assert (await ask(PAGES[1], as_of=month))["facts"]["state"] == "current"


@pytest.mark.parametrize("after", ["case_1", "case_1:", "case_1:0", "case_1:-1", ":1", "case 1:1", "case_1:1:1"])
async def test_a_write_that_is_not_named_as_its_answer_named_it_is_refused(
    runtime: Runtime, issuer: TestIssuer, after: str
) -> None:
    transport = httpx.ASGITransport(application(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://insight") as client:
        headers = issuer.bearer(sub="usr_1", roles=["street-officer"], unit="unit_d")
        for page in PAGES:
            answer = await client.get(page, params={"unit": "unit_d", "after": after}, headers=headers)
            assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "query.after"


async def test_a_write_that_does_not_come_is_told_as_being_counted(
    ask: Ask, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completeness, "WITHIN", 0.2)
    for page in PAGES:
        told = await ask(page, after="case_1:1")
        assert told["facts"]["updating"] is True, page
        assert told["facts"]["note"]["zh"].startswith("您刚提交的内容正在计入")


async def test_an_answer_waits_for_the_callers_own_write(
    ask: Ask, owners: Owners, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completeness, "WITHIN", 30.0)
    async with working(runtime):
        waiting = asyncio.create_task(ask(PAGES[1], after="case_1:1"))
        await asyncio.sleep(0)
        assert not waiting.done()
        await owners.registers("case_1")
        told = await waiting
        assert (told["value"], told["facts"]["updating"]) == (1, False)
        again = await ask(PAGES[1], after="case_1:1")
        assert (again["value"], again["facts"]["updating"]) == (1, False)


async def test_nobody_learns_by_waiting_what_happens_in_another_district(
    ask: Ask, owners: Owners, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(runtime):
        await owners.registers("case_1")
        monkeypatch.setattr(completeness, "WITHIN", 30.0)
        assert not (await ask(PAGES[1], after="case_1:1"))["facts"]["updating"]
        monkeypatch.setattr(completeness, "WITHIN", 0.2)
        theirs = await ask(PAGES[1], by="unit_e", unit="unit_e", after="case_1:1")
        never_was = await ask(PAGES[1], by="unit_e", unit="unit_e", after="case_9:1")
        assert theirs["facts"]["updating"] is never_was["facts"]["updating"] is True
