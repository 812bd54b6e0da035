from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.storage.driver import Database, connect


@pytest.fixture
async def database(servers: Any) -> AsyncIterator[Database]:
    client = connect(servers.mongo)
    database = client.database(f"test_{uuid4().hex[:12]}")
    yield database
    await database.drop()
    await client.close()
