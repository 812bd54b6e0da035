"""Topics and first offsets exist before a worker starts, and what is lost is told."""

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from deploy.local.servers import Servers
from services.chassis.contracts import topics
from services.chassis.contracts.topics import GroupBusy, LostRange, ensure
from services.chassis.settings import Settings
from tests.integration.relay.conftest import drop_topics
from tests.integration.relay.sample import settings


@pytest.fixture
def own(servers: Servers) -> Iterator[Settings]:
    own = settings(servers.kafka, servers.mongo)
    yield own
    drop_topics(servers.kafka, own.prefix)


@pytest.fixture
def admin(servers: Servers) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=servers.kafka)
    yield admin
    admin.close()


def group(own: Settings) -> str:
    return topics.group_of(own)


def offsets(admin: KafkaAdminClient, own: Settings) -> dict[int, int]:
    found = admin.list_group_offsets(group(own))[group(own)]
    return {partition.partition: position.offset for partition, position in found.items()}


def fill(own: Settings, topic: str, partition: int, count: int) -> None:
    producer = KafkaProducer(bootstrap_servers=own.kafka)
    for _ in range(count):
        producer.send(topic, b"x", partition=partition)
    producer.close()


async def test_every_partition_of_a_new_topic_gets_a_first_offset(own: Settings, admin: KafkaAdminClient) -> None:
    topic = own.topic("sample", "tally")
    assert await ensure(own, [topic], group(own)) == []
    assert offsets(admin, own) == {0: 0, 1: 0, 2: 0}


async def test_what_has_expired_is_skipped_only_by_a_group_that_begins(own: Settings, admin: KafkaAdminClient) -> None:
    topic = own.topic("sample", "tally")
    await ensure(own, [topic])
    fill(own, topic, 1, 9)
    admin.delete_records({TopicPartition(topic, 1): 4})
    assert await ensure(own, [topic], group(own)) == []
    assert offsets(admin, own) == {0: 0, 1: 4, 2: 0}


async def test_a_group_is_told_what_it_has_lost(own: Settings, admin: KafkaAdminClient) -> None:
    topic = own.topic("sample", "tally")
    await ensure(own, [topic], group(own))
    fill(own, topic, 1, 9)
    admin.alter_group_offsets(group(own), {TopicPartition(topic, 1): OffsetAndMetadata(2, "", -1)})
    admin.delete_records({TopicPartition(topic, 1): 5})
    assert await ensure(own, [topic], group(own)) == [LostRange(topic, 1, 2, 5)]
    assert offsets(admin, own)[1] == 2


async def test_offsets_and_partitions_that_exist_are_left_alone(own: Settings, admin: KafkaAdminClient) -> None:
    topic = own.topic("sample", "tally")
    admin.create_topics({topic: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
    await ensure(own, [topic], group(own))
    fill(own, topic, 0, 3)
    admin.alter_group_offsets(group(own), {TopicPartition(topic, 0): OffsetAndMetadata(3, "", -1)})
    await ensure(own, [topic], group(own))
    assert offsets(admin, own) == {0: 3, 1: 0}


async def test_partitions_added_later_get_a_first_offset_before_anybody_reads(
    own: Settings, admin: KafkaAdminClient
) -> None:
    topic = own.topic("sample", "tally")
    await ensure(own, [topic], group(own))
    admin.create_partitions({topic: 5})
    admin.wait_for_topics([topic])
    await ensure(own, [topic], group(own))
    assert offsets(admin, own) == dict.fromkeys(range(5), 0)


async def test_a_group_in_use_is_not_given_offsets_behind_its_back(
    own: Settings, admin: KafkaAdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "READY_MS", 1_000)
    topic, later = own.topic("sample", "tally"), own.topic("sample", "later")
    await ensure(own, [topic], group(own))
    await ensure(own, [later])
    member = KafkaConsumer(topic, bootstrap_servers=own.kafka, group_id=group(own))
    while not member.assignment():
        member.poll(timeout_ms=200)
    with pytest.raises(GroupBusy):
        await ensure(own, [topic, later], group(own))
    member.close()
    assert await ensure(own, [topic, later], group(own)) == []
