from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.clocks.deadlines import Sweep
from services.chassis.context import Context
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.storage.history import new_id
from tests.integration.deadlines.promise import SERVICE, Faults, Give

HOUR = timedelta(hours=1)
Promised = Callable[..., Awaitable[str]]


@pytest.fixture
def settings(servers: Any) -> Settings:
    return Settings(
        "sample", servers.kafka, servers.mongo, f"test_{uuid4().hex[:12]}", master_key=bytes(96),
        lookup_key=bytes(32), movable_clock=True,
    )  # fmt: skip


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    runtime = Runtime(SERVICE, settings)
    await runtime.start()
    await runtime.units.apply(
        "unit_d", 1, "unit.registered.v1", {"kind": "district", "name": "D", "path": ["unit_d"]}
    )
    yield runtime
    await runtime.database.drop()
    await runtime.client.database(f"{settings.prefix}_clock").drop()
    await runtime.stop()


@pytest.fixture
def sweep(runtime: Runtime) -> Sweep:
    return Sweep(runtime)


@pytest.fixture(autouse=True)
def faultless() -> Iterator[None]:
    """The domain does nothing wrong unless a test says so."""
    yield
    Faults.present = ""


@pytest.fixture
def promised(runtime: Runtime) -> Promised:
    """Makes a promise that is due after so long."""

    async def make(after: timedelta = -HOUR, *, at: datetime | None = None, provisional: bool = False) -> str:
        promise = new_id("promise")
        now = runtime.clock.now()
        context = Context(by="sub-1", at=now, operation=f"give {promise}")
        give = Give("unit_d", at or now + after, provisional)
        await runtime.histories["promise"].create(promise, "unit_d", give, context)
        return promise

    return make
