"""Every service's event handlers on a real MongoDB, and over a real Kafka: no record ends the process, none is lost,
and what is not applied is parked with its reason."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka import KafkaProducer
from kafka.errors import KafkaError
from pydantic import ValidationError

from deploy.local.servers import Servers
from services.__main__ import CATALOGUE
from services.chassis.consuming.guard import Guard, Tuning, reactions_of
from services.chassis.consuming.lag import Group
from services.chassis.consuming.records import Stored
from services.chassis.contracts.topics import ensure
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from tests.integration.hostile.world import PATIENT, World, know_district, settings_of, unaccounted
from tests.unit.guard.hostile import each_wrong, in_its_place, records

NAMES = CATALOGUE.names
SLOWLY = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
FEW = settings(max_examples=12, deadline=None, suppress_health_check=SLOWLY)
REACTIONS = {name: reactions_of(CATALOGUE.load(name)) for name in NAMES}
TYPES = {name: reactions.types() for name, reactions in REACTIONS.items()}


@pytest.fixture(scope="module", params=NAMES)
def world(servers: Servers, request: pytest.FixtureRequest) -> Iterator[tuple[str, World]]:
    made = World(servers, request.param)
    yield request.param, made
    made.close()


@FEW
@given(data=st.data())
def test_no_record_is_lost_and_none_ends_the_consumer(world: tuple[str, World], data: st.DataObject) -> None:
    service, consumer = world
    assert consumer.take(data.draw(st.lists(records(TYPES[service]), min_size=1, max_size=8))) == []


def test_what_can_be_read_and_is_odd_is_applied_or_parked(world: tuple[str, World]) -> None:
    """Each field that a handler reads, with every odd value that its reader lets through: then the handler meets it."""
    service, consumer = world
    met = 0
    for full_type in TYPES[service]:
        odd = [told for told in each_wrong(full_type, _read(service, full_type)) if _is_read(service, full_type, told)]
        met += len(odd)
        batch = [in_its_place(full_type, f"x_{number}", told) for number, told in enumerate(odd)]
        assert consumer.take(batch) == [], full_type
    assert met > 20


def _read(service: str, full_type: str) -> set[str]:
    readers = [reaction.reader for reaction in REACTIONS[service].of(full_type)]
    return {field.alias or name for reader in readers for name, field in reader.model_fields.items()}


def _is_read(service: str, full_type: str, told: Any) -> bool:
    try:
        for reaction in REACTIONS[service].of(full_type):
            reaction.reader.model_validate(told)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("service", NAMES)
@settings(max_examples=1, deadline=None, suppress_health_check=SLOWLY)
@given(data=st.data())
def test_over_kafka_the_worker_goes_on_to_the_end_of_the_topics(
    servers: Servers, service: str, data: st.DataObject
) -> None:
    sent = data.draw(st.lists(records(TYPES[service]), min_size=40, max_size=60))
    asyncio.run(_through_kafka(settings_of(servers, service, f"hostile_{data.draw(st.uuids()).hex[:8]}"), sent))


async def _through_kafka(own: Settings, sent: list[Stored]) -> None:
    service = CATALOGUE.load(own.service)
    topics = reactions_of(service).topics(own)
    await ensure(own, topics)
    await asyncio.to_thread(_publish, own, topics, sent)
    runtime = Runtime(service, own)
    await runtime.start()
    await know_district(runtime)
    guard = Guard(runtime, tuning=Tuning(limits=PATIENT, patience=0.1, look_every=0.3))
    stopping = asyncio.Event()
    running = asyncio.create_task(guard.run(stopping))
    try:
        async with asyncio.timeout(60):
            while await _undone(own, topics) and not running.done():  # noqa: ASYNC110 Kafka tells it in no other way
                await asyncio.sleep(0.2)
        assert not running.done(), running.exception()
        assert [wrong for record in sent for wrong in await unaccounted(guard.rounds, record)] == []
    finally:
        stopping.set()
        await running
        await runtime.database.drop()
        await runtime.client.database(f"{own.prefix}_clock").drop()
        await runtime.stop()


def _publish(own: Settings, topics: list[str], sent: list[Stored]) -> None:
    """Each into a topic of the service's own, at the coordinates that Kafka gives it."""
    producer: Any = KafkaProducer(bootstrap_servers=own.kafka.split(","), acks="all", max_request_size=2_000_000)
    for number, record in enumerate(sent):
        topic = topics[number % len(topics)]
        if record.key is None and record.value is None:
            record.value = b""  # this client sends nothing that is nothing
        told = producer.send(topic, key=record.key, value=record.value, headers=record.headers, partition=0).get(20)
        record.topic, record.partition, record.offset = told.topic, told.partition, told.offset
    producer.close()


async def _undone(own: Settings, topics: list[str]) -> int:
    group = Group(own, topics)
    try:
        return sum((await asyncio.to_thread(group.look)).lag().values())
    except KafkaError:  # a group that has just been made has no coordinator yet
        return 1
    finally:
        await asyncio.to_thread(group.close)
