"""A service of one aggregate whose events a relay publishes, and a look at what has reached Kafka."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from kafka import KafkaConsumer, TopicPartition

from services.chassis.aggregate import Service
from services.chassis.context import Context
from services.chassis.contracts.wire import Envelope, decode
from services.chassis.health import Health
from services.chassis.publishing.publisher import Publisher
from services.chassis.publishing.relay import Relay
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, Database, connect
from services.chassis.storage.history import History
from tests.integration.history.counter import TALLY, Add, AddEach, KnownUnits, Open, PlainSealing

SERVICE = Service("sample", (TALLY,), (), {}, {})
PATIENCE = 600.0
T = TypeVar("T")


def settings(kafka: str, mongo: str, prefix: str | None = None) -> Settings:
    """Settings with a prefix nobody else has."""
    return Settings(
        service="sample", kafka=kafka, mongo=mongo, prefix=prefix or f"test_{uuid4().hex[:10]}", partitions=3
    )


@dataclass
class Sample:
    """The service, its histories and its relay's ground."""

    service: Service
    settings: Settings
    client: Client
    database: Database
    health: Health
    tallies: History[Any]

    @property
    def topic(self) -> str:
        return self.settings.topic("sample", "tally")

    async def opened(self, additions: int = 0, unit: str = "unit_a1") -> str:
        """A tally with so many additions, each a write of its own; returns its id."""
        subject = f"tally_{uuid4()}"
        await self.tallies.create(subject, unit, Open(unit=unit, name="Wang"), context())
        for number in range(additions):
            await self.add(subject, number + 1)
        return subject

    async def add(self, subject: str, amount: int = 1) -> None:
        await self.tallies.change(subject, Add(amount, note="secret"), context())

    async def add_each(self, subject: str, *amounts: int) -> None:
        """Several events in one write."""
        await self.tallies.change(subject, AddEach(amounts), context())

    async def position(self) -> dict[str, Any]:
        """What the relay has stored; an empty dict when nothing."""
        return await self.database.collection("relay").find_one({"_id": "position"}) or {}

    async def followed(self) -> bool:
        """Whether a relay has read what was there at its first start, and follows."""
        return "token" in await self.position()

    def published(self) -> list[Envelope]:
        """Everything in the topic, partition by partition."""
        return [decode(r.key, r.value, r.headers) for r in records(self.settings.kafka, self.topic)]

    def sequences(self) -> dict[str, list[int]]:
        """By aggregate, the sequence numbers in the order in which a consumer meets them."""
        found: dict[str, list[int]] = defaultdict(list)
        for envelope in self.published():
            found[envelope.subject].append(envelope.sequence)
        return dict(found)


def context() -> Context:
    return Context(by="tester", at=datetime.now(UTC), operation=uuid4().hex)


def made(own: Settings) -> Sample:
    """The sample over real servers; the caller closes its client."""
    client = connect(own.mongo)
    database = client.database(own.database)
    tallies: History[Any] = History(TALLY, database, KnownUnits(), PlainSealing())  # type: ignore[arg-type]
    return Sample(SERVICE, own, client, database, Health("sample"), tallies)


@asynccontextmanager
async def relaying(sample: Sample) -> Any:
    """A relay at work while the body runs. Its publisher is patient: a late answer must not end the tests' process."""
    stopping = asyncio.Event()
    publisher = await asyncio.to_thread(Publisher, sample.settings, PATIENCE)
    relay = Relay(sample, publisher)
    running = asyncio.create_task(relay.run(stopping))
    try:
        await eventually(sample.followed)
        yield relay
    finally:
        stopping.set()
        await running
        await asyncio.to_thread(publisher.close)


def records(kafka: str, topic: str) -> list[Any]:
    """Every record of a topic, partition by partition; nothing when there is no such topic yet."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    try:
        numbers = consumer.partitions_for_topic(topic) or set()
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        if not partitions:
            return []
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: dict[TopicPartition, list[Any]] = {partition: [] for partition in partitions}
        while any(consumer.position(each) < ends[each] for each in partitions):
            for partition, batch in consumer.poll(timeout_ms=200).items():
                found[partition].extend(batch)
        return [record for partition in partitions for record in found[partition]]
    finally:
        consumer.close()


async def eventually(holds: Callable[[], T | Awaitable[T]], seconds: float = 30) -> T:
    """Wait until ``holds()`` is true and return what it gave; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found: Any = holds()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found  # type: ignore[no-any-return]
        assert time.monotonic() < deadline, "did not come true in time"
        await asyncio.sleep(0.05)
