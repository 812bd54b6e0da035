"""Volunteers on a real MongoDB: a district with its decisions, a neighbouring one, callers in both, and its worker."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from services.chassis.clocks.deadlines import Sweep
from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.records import Stored
from services.chassis.consuming.rounds import Rounds
from services.chassis.contracts.wire import Record, encode
from services.chassis.http import application
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.volunteers.service import SERVICE
from tests.unit.http.issuer import TestIssuer

DEMO = Path(__file__).parents[3] / "deploy" / "local" / "demo_policies" / "volunteers.json"
POLICIES = json.loads(DEMO.read_text("utf-8"))
TREE = (
    ("unit_d1", "district", None),
    ("unit_s1", "street", "unit_d1"),
    ("unit_c1", "community", "unit_s1"),
    ("unit_g1", "grid", "unit_c1"),
    ("unit_g2", "grid", "unit_c1"),
    ("unit_b1", "building", "unit_c1"),
    ("unit_c2", "community", "unit_s1"),
    ("unit_g3", "grid", "unit_c2"),
    ("unit_d2", "district", None),
    ("unit_c9", "community", "unit_d2"),
    ("unit_g9", "grid", "unit_c9"),
)
NAME, PHONE, ADDRESS = "欧阳标记", "13911112222", "标记路7号院3单元501"


class Desk:
    """One caller, or nobody in particular."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Read."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.get(path, headers=self._headers | named)

    async def post(self, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> httpx.Response:
        """Do, under a new key unless one is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"idempotency-key": key or uuid4().hex} | self._headers | named
        content = json.dumps(body).encode() if body is not None else b""
        return await self._client.post(path, content=content, headers={"content-type": "application/json"} | sent)

    async def does(self, path: str, body: Any = None) -> dict[str, Any]:
        """Do what must succeed; the answer."""
        answer = await self.post(path, body)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    async def sees(self, path: str) -> Any:
        """Read what must be there."""
        answer = await self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()


class Town:
    """The service's database and its worker: what the relay would publish is given to the guard's own rounds."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.database = runtime, runtime.database
        self.sweep = Sweep(runtime)
        self.rounds = Rounds(runtime, reactions_of(SERVICE), patience=0.1)
        self._published: set[str] = set()

    async def settle(self) -> None:
        """Deliver our own events until nothing new happens."""
        while records := await self._fresh():
            assert await self.rounds.take(records)

    async def _fresh(self) -> list[Stored]:
        found: list[Stored] = []
        for aggregate in SERVICE.aggregates:
            for document in await self.database.collection(aggregate.name).find({}, sort=[("_id", 1)]):
                new = [entry for entry in document["history"] if entry["id"] not in self._published]
                found += [self._record(aggregate.name, encode(entry, "volunteers", document["_id"])) for entry in new]
                self._published |= {entry["id"] for entry in new}
        return found

    async def everything_again(self) -> None:
        """Every event of ours once more, as after a lost relay position."""
        self._published.clear()
        await self.settle()

    def foreign(self, subject: str, seq: int, name: str, **data: Any) -> Stored:
        """An event of complaints about a concern."""
        entry = {
            "id": f"{subject}-{seq}",
            "seq": seq,
            "type": f"case.{name}.v1",
            "at": datetime.now(UTC),
            "unit": "unit_g1",
            "district": "unit_d1",
            "data": data,
        }
        return self._record("case", encode(entry, "complaints", subject))

    async def hears(self, *records: Stored) -> None:
        """Deliver, and settle what follows."""
        assert await self.rounds.take(records)
        await self.settle()

    def _record(self, aggregate: str, record: Record) -> Stored:
        return Stored(aggregate, 0, 0, record.key, record.value, list(record.headers))

    async def pass_time(self, by: timedelta) -> None:
        """Time passes, the clock sweeps, and what follows settles."""
        await self.runtime.clock.advance(by)
        while await self.sweep.once():
            await self.settle()
        await self.settle()

    async def parked(self) -> list[dict[str, Any]]:
        """What lies parked."""
        return await self.database.collection("parked").find({}, sort=[("subject", 1), ("seq", 1)])

    async def events(self, aggregate: str, subject: str) -> list[str]:
        """The names of what happened, without the aggregate's."""
        entries = await self.runtime.histories[aggregate].entries(subject, scope=None)
        return [entry["type"].split(".")[1] for entry in entries]


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture(scope="session")
def prefix(servers: Any) -> Iterator[str]:
    """One database for all tests, emptied after each: its indexes take longer than most tests."""
    prefix = f"test_{uuid4().hex[:12]}"
    yield prefix
    client: MongoClient[Any] = MongoClient(servers.mongo)
    client.drop_database(f"{prefix}_volunteers")
    client.drop_database(f"{prefix}_clock")
    client.close()


@pytest.fixture
def settings(servers: Any, issuer: TestIssuer, prefix: str) -> Settings:
    return Settings(
        service="volunteers",
        kafka=servers.kafka,
        mongo=servers.mongo,
        prefix=prefix,
        master_key=bytes(range(96)),
        lookup_key=b"l" * 32,
        issuer=issuer.url,
        partitions=1,
        movable_clock=True,
    )


@pytest.fixture
async def bare(settings: Settings) -> AsyncIterator[Runtime]:
    """A runtime that knows the tree and none of the districts' decisions."""
    runtime = Runtime(SERVICE, settings)
    await runtime.start()
    await runtime.access.refresh()
    for unit, kind, parent in TREE:
        data = {"kind": kind, "name": unit, "parent": parent, "path": [], "zone": "Asia/Shanghai"}
        await runtime.units.apply(unit, 1, "unit.registered.v1", data)
    await runtime.units.apply("unit_b1", 2, "unit.covered.v1", {"grid": "unit_g1", "layer": "community", "scope": []})
    yield runtime
    await runtime.stop()
    _empty(settings.mongo, settings.prefix)


def _empty(mongo: str, prefix: str) -> None:
    client: MongoClient[Any] = MongoClient(mongo)
    for name in (f"{prefix}_volunteers", f"{prefix}_clock"):
        for collection in client[name].list_collection_names():
            client[name][collection].delete_many({})
    client.close()


async def decide(runtime: Runtime, *, seq: int = 1, **values: Any) -> None:
    """Both districts publish the demonstration's policies; ``values`` replace one by its last name."""
    for policy in POLICIES:
        for district in ("unit_d1", "unit_d2"):
            value = values.get(policy["key"].partition(".")[2], policy["value"])
            data = policy | {"unit": district, "value": value}
            await runtime.policies.apply(f"{policy['key']} {district}", seq, "policy.published.v1", data)


@pytest.fixture
async def runtime(bare: Runtime) -> Runtime:
    await decide(bare)
    return bare


@pytest.fixture
async def town(runtime: Runtime) -> Town:
    town = Town(runtime)
    await town.rounds.start()
    return town


@pytest.fixture
async def client(bare: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(bare))
    async with httpx.AsyncClient(transport=transport, base_url="http://volunteers") as client:
        yield client


Callers = Callable[..., Desk]


@pytest.fixture
def as_(client: httpx.AsyncClient, issuer: TestIssuer) -> Callers:
    """``as_("community-worker", "unit_c1")``: somebody with that role there; more roles by ``also``."""

    def desk(role: str, unit: str, sub: str | None = None, also: tuple[str, ...] = ()) -> Desk:
        return Desk(client, issuer.bearer(sub=sub or f"usr_{role}-{unit}", roles=[role, *also], unit=unit))

    return desk


@pytest.fixture
def coordinator(as_: Callers) -> Desk:
    return as_("volunteer-coordinator", "unit_c1")


@pytest.fixture
def neighbour(as_: Callers) -> Desk:
    """Somebody of the other district who may do nearly everything there."""
    return as_("district-admin", "unit_d2", also=("data-officer", "volunteer"))


@pytest.fixture
def anyone(client: httpx.AsyncClient) -> Desk:
    return Desk(client, {})


def person(account: str | None = None, **changes: Any) -> dict[str, Any]:
    """Somebody who wants to help with small repairs in the first grid."""
    body: dict[str, Any] = {
        "unit": "unit_g1",
        "person": {"name": NAME, "phone": PHONE} | ({"account": account} if account else {}),
        "skills": {"lines": ["maintenance"]},
        "availability": {"consent": True},
    }
    return body | changes


async def registered(desk: Desk, account: str | None = None, **changes: Any) -> str:
    """A volunteer's id."""
    return str((await desk.does("/volunteers", person(account, **changes)))["aggregate"])


def deed(**changes: Any) -> dict[str, Any]:
    """A small repair in the first grid."""
    body: dict[str, Any] = {
        "unit": "unit_g1",
        "line": "maintenance",
        "task": {"task": f"给{NAME}换灯泡", "place": ADDRESS, "contact": PHONE},
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


async def requested(desk: Desk, town: Town, **changes: Any) -> dict[str, Any]:
    """Asked for, and offered to the best match if there is one: its id as ``aggregate``, and its ``code``."""
    made = await desk.does("/orders", deed(**changes))
    await town.settle()
    return made
