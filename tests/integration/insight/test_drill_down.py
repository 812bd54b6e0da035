"""Over HTTP: each figure's link leads to as many subjects as the figure says, page by page, and no stranger further."""

import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from services.chassis.http import application
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.insight.service import SERVICE
from tests.integration.insight.test_figures import UNITS, apply, life_of_concerns
from tests.unit.http.issuer import TestIssuer

KINDS = ("district", "street", "community", "grid")
ELSEWHERE = "unit_elsewhere"
AT_ONCE = 7  # subjects of a page


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture
async def runtime(servers: Any, issuer: TestIssuer) -> AsyncIterator[Runtime]:
    prefix = f"test_{uuid4().hex[:12]}"
    settings = Settings("insight", servers.kafka, servers.mongo, prefix, bytes(range(96)), b"l" * 32, issuer=issuer.url)
    runtime = Runtime(SERVICE, settings)
    await runtime.start()
    await runtime.access.refresh()
    for path in ((ELSEWHERE,), *UNITS.values()):
        for depth, unit in enumerate(path):
            data = {"kind": KINDS[depth], "name": unit, "path": [], "zone": "Asia/Shanghai"}
            data |= {"parent": path[depth - 1] if depth else None}
            await runtime.units.apply(unit, 1, "unit.registered.v1", data)
    yield runtime
    await runtime.database.drop()
    await runtime.stop()


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://insight") as client:
        yield client


async def listed(client: httpx.AsyncClient, headers: dict[str, str], link: str) -> list[str]:
    """Every id behind a link, as a reader who follows ``next`` finds them."""
    found: list[str] = []
    following = ""
    while True:
        answer = await client.get(f"{link}&limit={AT_ONCE}{following}", headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return found
        following = f"&cursor={quote(page['next'])}"


@pytest.mark.mechanism("INF-08")
async def test_whoever_follows_a_figures_link_finds_as_many_as_it_says(
    runtime: Runtime, client: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    await apply(runtime.database, life_of_concerns(random.Random(23), 60))
    street = issuer.bearer(roles=["street-officer"], unit="unit_s")
    report = (await client.get("/reports/street-concerns?unit=unit_s", headers=street)).json()
    counted = [figure for figure in report["figures"] if figure["indicator"].startswith("complaints.")]
    assert max(figure["value"] for figure in counted if "numerator" not in figure) == 60
    for figure in counted:
        parts = ("numerator", "denominator") if "numerator" in figure else ("value",)
        for part in parts:
            link = figure["subjects"] if part == "value" else figure["subjects"][part]
            ids = await listed(client, street, link)
            assert len(set(ids)) == len(ids) == figure[part], (figure["indicator"], part)


async def test_a_neighbour_opens_neither_figure_nor_list(
    runtime: Runtime, client: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    await apply(runtime.database, life_of_concerns(random.Random(24), 10))
    neighbour = issuer.bearer(roles=["district-admin"], unit=ELSEWHERE)
    for path in ("/figures/complaints.recorded", "/figures/complaints.recorded/subjects"):
        assert (await client.get(f"{path}?unit=unit_s", headers=neighbour)).status_code == 404
        assert (await client.get(f"{path}?unit={ELSEWHERE}", headers=neighbour)).status_code == 200
