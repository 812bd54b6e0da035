from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.chassis.http import application
from tests.unit.http.issuer import TestIssuer
from tests.unit.http.sample import WISHES, runtime_for


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture
async def runtime(issuer: TestIssuer) -> AsyncIterator[Any]:
    runtime = runtime_for(issuer.url)
    await runtime.access.refresh()
    yield runtime
    await runtime.access.stop()


@pytest.fixture
async def app(runtime: Any) -> Any:
    WISHES._buckets.clear()
    return application(runtime)


@pytest.fixture
async def anyone(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A caller without a token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as client:
        yield client


@pytest.fixture
async def recorder(app: Any, issuer: TestIssuer) -> AsyncIterator[httpx.AsyncClient]:
    """A caller who may record and read."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://sample", headers=issuer.bearer()
    ) as client:
        yield client
