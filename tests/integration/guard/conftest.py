"""A foreign service that publishes, workers of the sample service, and what they left in MongoDB."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaProducer

from deploy.local.servers import Servers
from services.chassis.consuming.guard import Guard, Tuning
from services.chassis.consuming.lag import Group
from services.chassis.contracts.topics import ensure
from services.chassis.contracts.wire import Record, encode
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from tests.integration.guard.sample import BOOK, SERVICE, reactions, settings_of

QUICK = Tuning(look_every=0.3, replay_every=0.3)


class Source:
    """Publishes events of the foreign service as its relay would."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._made: KafkaProducer | None = None

    @property
    def _producer(self) -> KafkaProducer:
        if self._made is None:
            self._made = KafkaProducer(bootstrap_servers=self.settings.kafka.split(","), acks="all", linger_ms=2)
        return self._made

    def record(self, subject: str, seq: int, how: str = "keep", service: str = "source", **changes: Any) -> Record:
        """One event of ``subject``; ``changes`` replace fields of its entry."""
        entry = {
            "id": f"{subject}-{seq}",
            "seq": seq,
            "type": "thing.noted.v1",
            "at": datetime.now(UTC),
            "unit": "unit_1",
            "district": "unit_0",
            "data": {"number": seq, "how": how},
        }
        return encode(entry | changes, service, subject)

    def send(self, *records: Record, aggregate: str = "thing") -> None:
        """Publish and wait until Kafka has them."""
        topic = self.settings.topic("source", aggregate)
        futures = [self._producer.send(topic, key=r.key, value=r.value, headers=r.headers) for r in records]
        for future in futures:
            future.get(timeout=10)

    def send_raw(self, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        """Publish anything at all."""
        self._producer.send(self.settings.topic("source", "thing"), key=key, value=value, headers=headers).get(10)

    def close(self) -> None:
        """Let go of Kafka, if it was ever spoken to."""
        if self._made is not None:
            self._made.close()


class Town:
    """One test's world: its servers under a prefix of its own, the source, and the sample service's data."""

    def __init__(self, servers: Servers, prefix: str = "") -> None:
        self.settings = settings_of(servers.kafka, servers.mongo, prefix or f"guard_{uuid4().hex[:8]}")
        self.runtime = Runtime(SERVICE, self.settings)
        self.database = self.runtime.database
        self.source = Source(self.settings)

    async def open(self, topics: bool = True) -> None:
        """Make the source's topics, unless the test wants them missing."""
        if topics:
            await ensure(self.settings, reactions.topics(self.settings))

    async def close(self) -> None:
        self.source.close()
        await self.database.drop()
        await self.runtime.client.close()

    @asynccontextmanager
    async def worker(self, tuning: Tuning = QUICK) -> AsyncIterator[Guard]:
        """A worker in this process, stopped in good order at the end; what it raises is raised here."""
        runtime = Runtime(SERVICE, self.settings)
        guard = Guard(runtime, reactions, tuning)
        stopping = asyncio.Event()
        running = asyncio.create_task(guard.run(stopping))
        try:
            yield guard
        finally:
            stopping.set()
            await running
            await runtime.client.close()

    async def book(self) -> dict[str, list[int]]:
        """The sequences applied, by aggregate."""
        return {row["_id"]: row["seqs"] for row in await self.database.collection(BOOK).find({})}

    async def parked(self) -> list[dict[str, Any]]:
        """What lies parked, oldest first."""
        return await self.database.collection("parked").find({}, sort=[("subject", 1), ("seq", 1)])

    async def be_patient(self, patient: bool = True) -> None:
        """What was refused is refused no more."""
        await self.database.collection("mood").update_one(
            {"_id": "mood"}, {"$set": {"patient": patient}}, upsert=True
        )

    async def undone(self) -> int:
        """Records that the group has not acknowledged."""
        group = Group(self.settings, reactions.topics(self.settings))
        try:
            return sum((await asyncio.to_thread(group.look)).lag().values())
        finally:
            group.close()


async def eventually(holds: Callable[[], Awaitable[Any]], within: float = 30.0) -> Any:
    """Wait until it holds; fails with what was last seen."""
    limit = time.monotonic() + within
    while True:
        seen = await holds()
        if seen:
            return seen
        assert time.monotonic() < limit, f"still not so after {within} s: {seen!r}"
        await asyncio.sleep(0.05)


@pytest.fixture
async def town(servers: Servers) -> AsyncIterator[Town]:
    """A world with its topics made."""
    town = Town(servers)
    await town.open()
    yield town
    await town.close()
