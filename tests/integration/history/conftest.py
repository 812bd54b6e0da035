from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.storage.driver import Database, connect
from services.chassis.storage.history import History
from tests.integration.history.counter import TALLY, KnownUnits, PlainSealing


@pytest.fixture(params=["motor", "pymongo"])
async def database(servers: Any, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    client = connect(servers.mongo, request.param)
    database = client.database(f"test_{uuid4().hex[:12]}")
    yield database
    await database.drop()
    await client.close()


@pytest.fixture
async def tallies(database: Database) -> AsyncIterator[History[Any]]:
    history: History[Any] = History(TALLY, database, KnownUnits(), PlainSealing())  # type: ignore[arg-type]
    await history.archive.ensure_indexes()
    yield history
    await history.drain()
