from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.personal.sealing import Sealing
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, Database, connect

MASTER = bytes(range(96))


@pytest.fixture
def settings(servers: Any) -> Settings:
    return Settings(
        service="directory", kafka=servers.kafka, mongo=servers.mongo, prefix=f"test_{uuid4().hex[:12]}",
        master_key=MASTER, lookup_key=b"l" * 32,
    )  # fmt: skip


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    client = connect(settings.mongo)
    yield client
    await client.close()


@pytest.fixture
async def database(client: Client, settings: Settings) -> AsyncIterator[Database]:
    database = client.database(settings.database)
    yield database
    await database.drop()


@pytest.fixture
async def another(client: Client, database: Database, settings: Settings) -> AsyncIterator[Callable[[], Sealing]]:
    """Makes the sealing of one more process on the same database."""
    made: list[Sealing] = []

    def make() -> Sealing:
        made.append(Sealing(client, database, settings))
        return made[-1]

    yield make
    for sealing in made:
        await sealing.stop()


@pytest.fixture
async def sealing(another: Callable[[], Sealing]) -> Sealing:
    sealing = another()
    await sealing.start()
    return sealing
