from collections.abc import AsyncIterator

import pytest

from deploy.local.servers import Servers
from tests.integration.reconciling.world import World, made
from tests.integration.relay.conftest import drop_topics


@pytest.fixture
async def world(servers: Servers) -> AsyncIterator[World]:
    """The three services; the owner has stated for the first time, so that what is written from here on counts."""
    world = made(servers.kafka, servers.mongo)
    await world.turn("owner")
    yield world
    await world.close()
    drop_topics(servers.kafka, world.settings.prefix)
