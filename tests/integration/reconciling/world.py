"""An owner with two aggregate types, a consumer of both and a consumer of one, on real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

from kafka import KafkaAdminClient, TopicPartition
from kafka.protocol.consumer import OffsetSpec
from pymongo import UpdateOne

from services.chassis.aggregate import AggregateType, Service
from services.chassis.catalogue import Catalogue
from services.chassis.consuming.guard import Guard, Tuning
from services.chassis.consuming.reactions import Doing, Reactions
from services.chassis.context import Context
from services.chassis.contracts.wire import Reader
from services.chassis.health import Health
from services.chassis.publishing.publisher import Publisher
from services.chassis.publishing.relay import Relay
from services.chassis.publishing.relays import Ground
from services.chassis.reconciling.hours import Hours, server_seconds
from services.chassis.reconciling.job import Reconciliation
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.storage.driver import Document, connect
from services.chassis.storage.history import History
from services.kernel.events import Refused
from tests.integration.guard.conftest import eventually
from tests.integration.history import counter
from tests.integration.history.counter import TALLY, Add, KnownUnits, Open, PlainSealing, Redacted, Tally

UNLUCKY = 13  # an addition that the consumers refuse while they are in a bad mood
SECONDS = Hours(length=1, grace=0)  # hours that close at once
PATIENCE = 600.0  # a late answer of a busy broker must not end the tests' process


class LedgerOpened(counter.Opened):
    TYPE: ClassVar[str] = "ledger.opened"


class LedgerAdded(counter.Added):
    TYPE: ClassVar[str] = "ledger.added"


def decide_ledger(state: Tally | None, command: Any, now: datetime) -> list[Any]:
    """A tally's decision under names of its own."""
    other = {counter.Opened: LedgerOpened, counter.Added: LedgerAdded}
    return [
        replace(one, event=other[type(one.event)](**one.event.model_dump()))
        for one in counter.decide(state, command, now)
    ]


LEDGER = AggregateType("ledger", Tally, (LedgerOpened, LedgerAdded), decide_ledger, counter.evolve)


class Noted(Reader):
    amount: int = 0


def reactions_for(service: str, *types: str) -> Reactions:
    """Keep each event's sequence by aggregate, in the order in which they are applied."""
    reactions = Reactions(service)

    async def note(event: Noted, do: Doing) -> None:
        mood = await do.collection("mood").find_one({"_id": "mood"})
        if event.amount == UNLUCKY and not (mood and mood["patient"]):
            raise Refused("not-today", field="amount")
        subject, seq = do.envelope.subject, do.envelope.sequence
        await do.write("book", UpdateOne({"_id": subject}, {"$addToSet": {"seqs": seq}}, upsert=True))

    for each in types:
        reactions.on(f"linli.owner.{each}.v1")(note)
    return reactions


TALLIES, LEDGERS = ("tally.opened", "tally.added", "tally.redacted"), ("ledger.opened", "ledger.added")
OWNER = Service("owner", (TALLY, LEDGER), (), {"operator": frozenset({"reconciliation.read"})}, {})
EAR = Service("ear", (), (), {}, {}, reactions_for("ear", *TALLIES, *LEDGERS))
EYE = Service("eye", (), (), {}, {}, reactions_for("eye", *TALLIES))
SERVICES = {"owner": OWNER, "ear": EAR, "eye": EYE}
CONSUMED = {"owner": (), "ear": ("owner.tally", "owner.ledger"), "eye": ("owner.tally",)}


class OnlyThese(Catalogue):
    """The three services."""

    def load(self, name: str) -> Service:
        return SERVICES[name]


CATALOGUE = OnlyThese(tuple(SERVICES))


@dataclass
class World:
    """Everything of one test."""

    settings: Settings
    client: Any
    histories: dict[str, History[Any]]

    def of(self, service: str) -> Settings:
        return replace(self.settings, service=service)

    def database(self, service: str) -> Any:
        return self.client.database(self.of(service).database)

    def ground(self, service: str) -> Any:
        ground = Ground(SERVICES[service], self.of(service), self.client, Health(service))
        ground.database = self.database(service)  # type: ignore[attr-defined]
        return ground

    def job(self, service: str, hours: Hours = SECONDS) -> Reconciliation:
        topics = [f"{self.settings.prefix}.{source}" for source in CONSUMED[service]]
        return Reconciliation(self.ground(service), topics, hours, later=0)

    async def turn(self, *services: str, hours: Hours = SECONDS) -> None:
        """One turn of the owner and of each consumer, in this order, after every second so far has closed."""
        await self.a_second_later()
        for service in services or SERVICES:
            await self.job(service, hours).once()

    async def now(self) -> int:
        return await server_seconds(self.database("owner"))

    async def a_second_later(self) -> None:
        """The server's clock has gone on: everything written before lies in a second that is over."""
        began = await self.now()

        async def later() -> bool:
            await self.database("owner").collection("ticks").update_one({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)
            return await self.now() > began

        await eventually(later)

    async def opened(self, additions: int = 0, kind: str = "tally") -> str:
        subject = f"{kind}_{uuid4()}"
        await self.histories[kind].create(subject, "unit_a1", Open(unit="unit_a1"), context())
        for number in range(additions):
            await self.add(subject, number + 1)
        return subject

    async def add(self, subject: str, amount: int = 1, at: datetime | None = None) -> None:
        kind = subject.partition("_")[0]
        await self.histories[kind].change(subject, Add(amount), context(at))

    async def erase(self, subject: str) -> None:
        await self.histories["tally"].erase(subject, ["note"], Redacted(), context())

    async def entry(self, subject: str, seq: int) -> Document:
        entries = await self.histories[subject.partition("_")[0]].entries(subject, scope=None)
        return next(entry for entry in entries if entry["seq"] == seq)

    async def book(self, consumer: str) -> dict[str, list[int]]:
        rows = await self.database(consumer).collection("book").find({})
        return {row["_id"]: sorted(row["seqs"]) for row in rows}

    async def applied(self, subject: str, seqs: int, *consumers: str) -> None:
        """Wait until these consumers have applied so many events of the aggregate."""

        async def all_there() -> bool:
            for consumer in consumers:
                if (await self.place(consumer, subject)).get("seq") != seqs:
                    return False
            return True

        await eventually(all_there)

    async def place(self, consumer: str, subject: str) -> Document:
        return await self.database(consumer).collection("places").find_one({"_id": f"{consumer}|{subject}"}) or {}

    async def set_place(self, consumer: str, subject: str, **fields: Any) -> None:
        wanted = {"_id": f"{consumer}|{subject}"}
        change = {"$set": fields, "$inc": {"revision": 1}}
        assert await self.database(consumer).collection("places").update_one(wanted, change) == 1

    async def parked(self, consumer: str) -> list[Document]:
        return await self.database(consumer).collection("parked").find({})

    async def be_patient(self, consumer: str) -> None:
        mood = self.database(consumer).collection("mood")
        await mood.update_one({"_id": "mood"}, {"$set": {"patient": True}}, upsert=True)

    def drop_records(self, source: str) -> None:
        """Delete everything that the topic holds."""
        topic = f"{self.settings.prefix}.{source}"
        admin = KafkaAdminClient(bootstrap_servers=self.settings.kafka)
        try:
            parts = [TopicPartition(topic, number) for number in range(self.settings.partitions)]
            ends = admin.list_partition_offsets({part: OffsetSpec.LATEST for part in parts})
            admin.delete_records({part: at.offset for part, at in ends.items()})
        finally:
            admin.close()

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        publisher = await asyncio.to_thread(Publisher, self.of("owner"), PATIENCE)
        running = asyncio.create_task(Relay(self.ground("owner"), publisher).run(stopping))
        try:
            await eventually(self._followed)
            yield
        finally:
            stopping.set()
            await running
            await asyncio.to_thread(publisher.close)

    async def _followed(self) -> bool:
        return "token" in (await self.database("owner").collection("relay").find_one({"_id": "position"}) or {})

    @asynccontextmanager
    async def working(self, *services: str) -> AsyncIterator[None]:
        """The consumers' guards."""
        stopping = asyncio.Event()
        runtimes = [Runtime(SERVICES[service], self.of(service)) for service in services]
        tuning = Tuning(look_every=0.3, replay_every=0.3, gap_older=timedelta(days=1))  # nobody asks by himself
        guards = [
            Guard(runtime, SERVICES[service].reactions, tuning)
            for service, runtime in zip(services, runtimes, strict=True)
        ]
        running = [asyncio.create_task(guard.run(stopping)) for guard in guards]
        try:
            yield
        finally:
            stopping.set()
            await asyncio.gather(*running)
            for runtime in runtimes:
                await runtime.client.close()

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Relay and both consumers."""
        async with self.relaying(), self.working("ear", "eye"):
            yield

    async def rows(self, service: str, collection: str, **wanted: Any) -> list[Document]:
        return await self.database(service).collection(collection).find(wanted)

    async def sums(self, service: str) -> dict[str, int]:
        """What the consumer's closed hours say, in sum, by source: ``events`` and ``unapplied``."""
        rows = await self.rows(service, "compared")
        return {name: sum(row[name] for row in rows) for name in ("events", "unapplied")}

    async def close(self) -> None:
        for history in self.histories.values():
            await history.drain()
        for service in SERVICES:
            await self.database(service).drop()
        await self.client.close()


def context(at: datetime | None = None) -> Context:
    return Context(by="tester", at=at or datetime.now(UTC), operation=uuid4().hex)


def made(kafka: str, mongo: str) -> World:
    settings = Settings(
        "owner", kafka, mongo, f"rec_{uuid4().hex[:8]}", master_key=bytes(96), lookup_key=bytes(32), partitions=3
    )
    client = connect(mongo)
    database = client.database(settings.database)
    histories: dict[str, History[Any]] = {
        kind.name: History(kind, database, KnownUnits(), PlainSealing())  # type: ignore[arg-type]
        for kind in OWNER.aggregates
    }
    return World(settings, client, histories)
