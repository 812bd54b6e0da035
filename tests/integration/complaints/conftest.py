"""Complaints on a real MongoDB: a district with its decisions, a neighbouring one, and callers in both."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.chassis.http import application
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.complaints.service import SERVICE
from tests.unit.http.issuer import TestIssuer

POLICIES = json.loads((Path(__file__).parents[3] / "deploy" / "local" / "demo_policies.json").read_text("utf-8"))
TREE = (
    ("unit_d1", "district", None, "一区"),
    ("unit_s1", "street", "unit_d1", "一街"),
    ("unit_c1", "community", "unit_s1", "一社区"),
    ("unit_c2", "community", "unit_s1", "二社区"),
    ("unit_g1", "grid", "unit_c1", "一网格"),
    ("unit_d2", "district", None, "二区"),
    ("unit_s2", "street", "unit_d2", "二街"),
    ("unit_c3", "community", "unit_s2", "三社区"),
)


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
        return (
            await self._client.post(path, json=body, headers=sent)
            if body is not None
            else await self._client.post(path, headers=sent)
        )

    async def upload(self, path: str, content: bytes) -> httpx.Response:
        """Send a file."""
        return await self._client.post(path, content=content, headers=self._headers | {"idempotency-key": uuid4().hex})


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture
async def runtime(servers: Any, issuer: TestIssuer) -> AsyncIterator[Runtime]:
    settings = Settings(
        service="complaints",
        kafka=servers.kafka,
        mongo=servers.mongo,
        prefix=f"test_{uuid4().hex[:12]}",
        master_key=bytes(range(96)),
        lookup_key=b"l" * 32,
        issuer=issuer.url,
        movable_clock=True,
    )
    runtime = Runtime(SERVICE, settings)
    await runtime.start()
    await runtime.access.refresh()
    for unit, kind, parent, name in TREE:
        await know(runtime, unit, kind, parent, name)
    for number, policy in enumerate(POLICIES):
        if policy["key"].startswith("complaints."):
            for district in ("unit_d1", "unit_d2"):
                data = policy | {"unit": district}
                await runtime.policies.apply(f"policy_{number}_{district}", 1, "policy.published.v1", data)
    yield runtime
    await runtime.database.drop()
    await runtime.client.database(f"{settings.prefix}_clock").drop()
    await runtime.stop()


async def know(runtime: Runtime, unit: str, kind: str, parent: str | None, name: str) -> None:
    """As if the directory had registered it."""
    data = {"kind": kind, "name": name, "parent": parent, "path": [], "zone": "Asia/Shanghai"}
    await runtime.units.apply(unit, 1, "unit.registered.v1", data)


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://complaints") as client:
        yield client


Callers = Callable[..., Desk]


@pytest.fixture
def as_(client: httpx.AsyncClient, issuer: TestIssuer) -> Callers:
    """``as_("community-worker", "unit_c1")``: somebody with that role there."""

    def desk(role: str, unit: str, sub: str | None = None) -> Desk:
        return Desk(client, issuer.bearer(sub=sub or f"usr_{role}-{unit}", roles=[role], unit=unit))

    return desk


@pytest.fixture
def worker(as_: Callers) -> Desk:
    return as_("community-worker", "unit_c1")


@pytest.fixture
def street(as_: Callers) -> Desk:
    return as_("street-officer", "unit_s1")


@pytest.fixture
def neighbour(as_: Callers) -> Desk:
    """A caller of the other district."""
    return as_("district-admin", "unit_d2")


@pytest.fixture
def anyone(client: httpx.AsyncClient) -> Desk:
    return Desk(client, {})


def concern(**changes: Any) -> dict[str, Any]:
    """A concern told at a visit."""
    body = {
        "unit": "unit_c1",
        "kind": "condition",
        "category": "welfare",
        "channel": "visit",
        "subject": "厨房水管漏水",
        "text": "王大妈说厨房水管漏水,住3号楼2单元501室",
        "reporter": {"name": "王大妈", "phone": "13900001234", "address": "3号楼2单元501室"},
        "visit": "visit_1",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


async def recorded(desk: Desk, **changes: Any) -> dict[str, Any]:
    """Recorded: its id as ``aggregate``, and its ``code``."""
    answer = await desk.post("/cases", concern(**changes))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def through(desk: Desk, case: str, *steps: tuple[str, Any]) -> None:
    """Take steps that must all succeed."""
    for step, body in steps:
        answer = await desk.post(f"/cases/{case}/{step}", body)
        assert answer.status_code == 200, f"{step}: {answer.text}"


REPLY = {"reply": "水管已更换"}
TO_DONE = (("accept", None), ("take", None), ("solve", REPLY))
