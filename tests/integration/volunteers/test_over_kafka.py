"""The whole service on real servers: api, relay, guard and sweep, joined by Kafka alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from pymongo import MongoClient

from services.chassis.clocks.deadlines import Sweep
from services.chassis.consuming.guard import Guard, Tuning
from services.chassis.contracts.topics import ensure
from services.chassis.publishing.relay import Relay
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.volunteers.service import SERVICE
from tests.integration.guard.conftest import eventually
from tests.integration.volunteers.conftest import ADDRESS, NAME, PHONE, Desk, Town, registered

WITHIN = 60.0  # seconds for one step through Kafka on a busy machine
WANTED = {"order": "order_1", "line": "maintenance", "mode": "dispatch", "unit": "unit_g1", "must": True}


@pytest.fixture(scope="module")
def prefix(servers: Any) -> Iterator[str]:
    """Topics of its own: what other tests did was never published."""
    prefix = f"test_{uuid4().hex[:12]}"
    yield prefix
    client: MongoClient[Any] = MongoClient(servers.mongo)
    client.drop_database(f"{prefix}_volunteers")
    client.drop_database(f"{prefix}_clock")
    client.close()


@pytest.fixture
async def running(runtime: Runtime, settings: Settings) -> AsyncIterator[None]:
    """A worker and a relay, stopped in good order."""
    await ensure(settings, [settings.topic("complaints", "case")])
    stopping = asyncio.Event()
    others = [Runtime(SERVICE, settings) for _ in range(2)]
    for other in others:
        await other.start()
    worker, relay = others
    quick = Tuning(look_every=0.3, replay_every=0.3)
    parts = (Guard(worker, tuning=quick).run(stopping), Sweep(worker).run(stopping), Relay(relay).run(stopping))
    tasks = [asyncio.create_task(part) for part in parts]
    yield
    stopping.set()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert outcome is None, repr(outcome)
    for other in others:
        await other.stop()


def publish(settings: Settings, *records: Any) -> None:
    """As the relay of complaints would."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka.split(","), acks="all")
    for record in records:
        producer.send(
            settings.topic("complaints", "case"), key=record.key, value=record.value, headers=record.headers
        ).get(timeout=30)
    producer.close()


def published(settings: Settings) -> list[Any]:
    """Everything in the topics of this service."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.split(","), consumer_timeout_ms=5000)
    parts = [TopicPartition(settings.topic("volunteers", one.name), 0) for one in SERVICE.aggregates]
    consumer.assign(parts)
    consumer.seek_to_beginning(*parts)
    ends = consumer.end_offsets(parts)
    found: list[Any] = []
    while any(consumer.position(part) < ends[part] for part in parts):
        found += [record for batch in consumer.poll(timeout_ms=1000).values() for record in batch]
    consumer.close()
    return found


@pytest.mark.mechanism("VOL-03", "VOL-05", "VOL-36", "LAW-32")
async def test_a_concern_becomes_a_deed_and_a_deed_becomes_hours(
    running: None, town: Town, settings: Settings, coordinator: Desk, anyone: Desk
) -> None:
    ann = await registered(coordinator, availability={"consent": True, "capacity": 9})
    bea = await registered(coordinator, availability={"consent": True, "capacity": 5})
    cai = await registered(coordinator, unit="unit_g2")
    event = town.foreign("case_1", 1, "order_requested", **WANTED)
    publish(settings, event, event)

    async def with_whom(volunteer: str | None, stage: str = "offered") -> bool:
        answer = await coordinator.get("/orders/order_1")
        if answer.status_code == 404:
            return False
        shown = answer.json()
        return (shown["stage"], shown["volunteer"]) == (stage, volunteer)

    await eventually(lambda: with_whom(ann), WITHIN)
    await coordinator.does("/orders/order_1/task", {"task": f"帮{NAME}换灯泡", "place": ADDRESS, "contact": PHONE})
    await coordinator.does("/orders/order_1/decline", {"volunteer": ann, "reason": "busy", "note": f"{NAME}太远"})
    await eventually(lambda: with_whom(bea), WITHIN)
    await town.runtime.clock.advance(timedelta(days=1))
    await eventually(lambda: with_whom(cai), WITHIN)
    await coordinator.does("/orders/order_1/accept", {"volunteer": cai})
    await coordinator.does("/orders/order_1/done", {"volunteer": cai, "minutes": 35})
    code = (await coordinator.sees("/orders/order_1/code"))["code"]
    assert (await anyone.post(f"/public/orders/{code}/confirm")).status_code == 200

    async def booked() -> list[Any]:
        found: list[Any] = (await coordinator.sees("/hours"))["items"]
        return found

    hours = await eventually(booked, WITHIN)
    assert [(item["volunteer"], item["total"], item["case"]) for item in hours] == [(cai, 35, "case_1")]

    async def told() -> bool:
        types = [dict(record.headers)["ce_type"].decode() for record in await asyncio.to_thread(published, settings)]
        return "linli.volunteers.hours.booked.v1" in types

    await eventually(told, WITHIN)
    records = await asyncio.to_thread(published, settings)
    steps = [dict(record.headers)["ce_type"].decode().split(".")[3] for record in records if record.key == b"order_1"]
    again = ["declined", "matched", "offered", "expired", "matched", "offered", "accepted", "done", "confirmed"]
    assert steps == ["requested", "matched", "offered", "described", *again]
    everything = b"".join(record.value + repr(record.headers).encode() for record in records).decode()
    assert not any(word in everything for word in (NAME, PHONE, ADDRESS))
    assert len(await booked()) == 1
    assert await town.parked() == []
