"""The directory on a real MongoDB: a district with its street, community and grid, a neighbouring one, and callers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from services.chassis.clocks.deadlines import Sweep
from services.chassis.consuming.guard import Guard, Tuning
from services.chassis.districts.restamp import Restamp
from services.chassis.http import application
from services.chassis.publishing.relay import Relay
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.directory.service import SERVICE
from tests.unit.http.issuer import TestIssuer

UNITS: tuple[dict[str, Any], ...] = (
    {"id": "unit_city", "kind": "city", "name": "示范市"},
    {"id": "unit_d1", "kind": "district", "parent": "unit_city", "name": "一区", "zone": "Asia/Shanghai"},
    {"id": "unit_s1", "kind": "street", "parent": "unit_d1", "name": "一街"},
    {"id": "unit_c1", "kind": "community", "parent": "unit_s1", "name": "一社区"},
    {"id": "unit_c2", "kind": "community", "parent": "unit_s1", "name": "二社区"},
    {
        "id": "unit_g1", "kind": "grid", "parent": "unit_c1", "name": "一网格",
        "level": "community", "layer": "community", "capabilities": ["social_work"],
    },
    {"id": "unit_x1", "kind": "compound", "parent": "unit_c1", "name": "一小区"},
    {"id": "unit_b1", "kind": "building", "parent": "unit_x1", "name": "1号楼"},
    {"id": "unit_b2", "kind": "building", "parent": "unit_x1", "name": "2号楼"},
    {"id": "unit_d2", "kind": "district", "parent": "unit_city", "name": "二区", "zone": "Asia/Shanghai"},
    {"id": "unit_s2", "kind": "street", "parent": "unit_d2", "name": "二街"},
    {"id": "unit_c9", "kind": "community", "parent": "unit_s2", "name": "九社区"},
)  # fmt: skip


class Desk:
    """One caller, or nobody in particular."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    async def get(self, path: str, **query: str) -> httpx.Response:
        """Read."""
        return await self._client.get(path, params=query, headers=self._headers)

    async def post(self, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> httpx.Response:
        """Do, under a new key unless one is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"idempotency-key": key or uuid4().hex} | self._headers | named
        return await self._client.post(path, json=body if body is not None else {}, headers=sent)

    async def upload(self, path: str, content: bytes, *, key: str | None = None) -> httpx.Response:
        """Send a file."""
        headers = self._headers | {"idempotency-key": key or uuid4().hex}
        return await self._client.post(path, content=content, headers=headers)

    async def done(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """Do what must succeed; the answer's body."""
        answer = await self.post(path, body, **headers)
        assert answer.status_code in (200, 201, 202), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def found(self, path: str, **query: str) -> dict[str, Any]:
        """Read what must be there; the answer's body."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture(scope="session")
def shared_prefix(servers: Any) -> Iterator[str]:
    """Databases that are emptied after each test and not dropped: making all indexes anew takes seconds."""
    prefix = f"test_{uuid4().hex[:12]}"
    yield prefix
    with MongoClient(servers.mongo) as client:
        for name in ("directory", "clock"):
            client.drop_database(f"{prefix}_{name}")


@pytest.fixture
def prefix(request: pytest.FixtureRequest, shared_prefix: str) -> str:
    """Of its own for a test whose events travel: topics are not emptied."""
    return f"test_{uuid4().hex[:12]}" if "at_work" in request.fixturenames else shared_prefix


@pytest.fixture
async def runtime(servers: Any, issuer: TestIssuer, prefix: str, shared_prefix: str) -> AsyncIterator[Runtime]:
    settings = Settings(
        service="directory",
        kafka=servers.kafka,
        mongo=servers.mongo,
        prefix=prefix,
        master_key=bytes(range(96)),
        lookup_key=b"l" * 32,
        issuer=issuer.url,
        partitions=1,
        movable_clock=True,
    )
    runtime = Runtime(SERVICE, settings)
    await runtime.start()
    await runtime.access.refresh()
    yield runtime
    if prefix == shared_prefix:
        for name in await runtime.database.collection_names():
            await runtime.database.collection(name).delete_many({})
    else:
        await runtime.database.drop()
    await runtime.client.database(f"{settings.prefix}_clock").drop()
    await runtime.stop()


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://directory", timeout=30) as client:
        yield client


Callers = Callable[..., Desk]


@pytest.fixture
def as_(client: httpx.AsyncClient, issuer: TestIssuer) -> Callers:
    """``as_("community-worker", "unit_c1")``: somebody with that role there."""

    def desk(role: str, unit: str, sub: str | None = None) -> Desk:
        return Desk(client, issuer.bearer(sub=sub or f"usr_{role}-{unit}", roles=[role], unit=unit))

    return desk


@pytest.fixture
async def town(as_: Callers) -> Desk:
    """The tree, registered over HTTP; the operator who did it."""
    operator = as_("operator", "unit_d1")
    admin = {"unit_d1": operator, "unit_d2": as_("district-admin", "unit_d2")}
    for unit in UNITS:
        founding = unit["kind"] in ("city", "district")
        caller = operator if founding or unit["parent"] not in ("unit_d2", "unit_s2") else admin["unit_d2"]
        await caller.done("/units", unit)
    return operator


@pytest.fixture
def admin(as_: Callers, town: Desk) -> Desk:
    return as_("district-admin", "unit_d1")


@pytest.fixture
def worker(as_: Callers, town: Desk) -> Desk:
    return as_("community-worker", "unit_c1")


@pytest.fixture
def officer(as_: Callers, town: Desk) -> Desk:
    return as_("data-officer", "unit_d1")


@pytest.fixture
def neighbour(as_: Callers, town: Desk) -> Desk:
    """A caller of the other district."""
    return as_("district-admin", "unit_d2")


@pytest.fixture
def anyone(client: httpx.AsyncClient) -> Desk:
    return Desk(client, {})


@pytest.fixture
async def at_work(runtime: Runtime) -> AsyncIterator[Runtime]:
    """A worker and a relay of the service beside the requests."""
    other = Runtime(SERVICE, runtime.settings)
    await other.start()
    stopping = asyncio.Event()
    guard = Guard(other, tuning=Tuning(look_every=0.3, replay_every=0.3))
    running = [
        asyncio.create_task(part.run(stopping)) for part in (guard, Relay(other), Restamp(other), Sweep(other))
    ]
    yield other
    stopping.set()
    await asyncio.gather(*running)
    await other.stop()


async def eventually(holds: Callable[[], Awaitable[Any]], within: float = 30.0) -> Any:
    """Wait until it holds; what it gave then."""
    async with asyncio.timeout(within):
        while not (found := await holds()):  # noqa: ASYNC110 what is waited for lies in a database
            await asyncio.sleep(0.05)
    return found


async def household(desk: Desk, door: str = "101", **changes: Any) -> str:
    """A household behind a door of the first building."""
    body = {"building": "unit_b1", "door": door, "tenure": "permanent", "size": 2} | changes
    answer = await desk.done("/households", {name: value for name, value in body.items() if value is not None})
    return str(answer["aggregate"])


async def resident(desk: Desk, home: str, name: str = "王秀英", **identity: Any) -> str:
    """A person of a household."""
    contacts = [{"phone": identity.pop("phone")}] if "phone" in identity else []
    markers = identity.pop("markers", [])
    body = {"household": home, "identity": {"name": name, **identity}, "contacts": contacts, "markers": markers}
    return str((await desk.done("/residents", body))["aggregate"])


