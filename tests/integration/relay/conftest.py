import os
from collections.abc import AsyncIterator, Iterator

import pytest
from kafka import KafkaAdminClient

from deploy.local.servers import Servers, embedded
from tests.conftest import TEST_DATA
from tests.integration.relay.sample import Sample, made, settings


@pytest.fixture
async def sample(servers: Servers) -> AsyncIterator[Sample]:
    """The sample service with a database and topics of its own."""
    sample = made(settings(servers.kafka, servers.mongo))
    yield sample
    await sample.tallies.drain()
    await sample.database.drop()
    await sample.client.close()
    drop_topics(servers.kafka, sample.settings.prefix)


@pytest.fixture(scope="session")
def own_servers() -> Iterator[Servers]:
    """A broker and a database that a test may pause and kill."""
    with embedded(TEST_DATA / f"session-{os.getpid()}" / "relay", kafka_heap_mb=256) as own:
        yield own


@pytest.fixture
async def harmed(own_servers: Servers) -> AsyncIterator[Sample]:
    """The sample service on servers that the test may harm."""
    sample = made(settings(own_servers.kafka, own_servers.mongo))
    yield sample
    await sample.tallies.drain()
    await sample.client.close()


def drop_topics(kafka: str, prefix: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        own = [topic for topic in admin.list_topics() if topic.startswith(f"{prefix}.")]
        if own:
            admin.delete_topics(own)
    finally:
        admin.close()
