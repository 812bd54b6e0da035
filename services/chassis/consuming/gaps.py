"""What waits for an earlier event, looked at again and again: drained, asked for, or left behind what blocks it."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from kafka import KafkaProducer
from prometheus_client import Gauge

from services.chassis.consuming.rounds import Rounds
from services.chassis.contracts.topics import RECONNECT, republish_topic
from services.chassis.publishing.republish import Request
from services.chassis.settings import Settings
from services.chassis.storage.driver import Document

LOG = structlog.get_logger()
GAPS = Gauge("linli_events_gaps", "Aggregates that wait for an event that has not come", ["consumer"])
OLDER = timedelta(seconds=30)  # until the owner is asked
AGAIN = timedelta(seconds=60)  # until it is asked again
EVERYTHING = "*"  # the subject of a request for a whole aggregate type
ANSWER_SECONDS = 10


class Gaps:
    """The gaps of one consumer."""

    def __init__(self, settings: Settings, rounds: Rounds, older: timedelta = OLDER, again: timedelta = AGAIN) -> None:
        self._settings = settings
        self._rounds = rounds
        self._older, self._again = older, again

    async def look(self) -> None:
        """Drain what can go on; ask the owners for what has been missing too long."""
        parked = self._rounds.parked
        waiting = await parked.waiting(self._older, self._again)
        places = await self._rounds.places.read(row["_id"] for row in waiting)
        missing: list[Document] = []
        behind: list[str] = []
        for row in waiting:
            place = places[row["_id"]]
            if row["seq"] <= place.seq + 1 and not place.forked:
                await self._rounds.drain(row["_id"])
            elif place.forked or place.blocked == place.seq + 1:
                behind.append(row["_id"])
            else:
                missing.append(row | {"from": place.seq + 1})
        await self._ask(missing)
        await parked.mark_looked_at([row["_id"] for row in missing], "gap")
        await parked.mark_looked_at(behind, "behind")

    async def replay_due(self) -> None:
        """Take again what was parked for trouble that may have passed."""
        for row in await self._rounds.parked.due():
            await self._rounds.replay(row)

    async def _ask(self, missing: Sequence[Document]) -> None:
        requests = [
            Request(service=service, aggregate=aggregate, subject=row["_id"], from_seq=row["from"])
            for row in missing
            for service, aggregate in [source_of(row["type"])]
        ]
        if requests:
            LOG.warning("gaps_asked_for", aggregates=len(requests))
            await ask_owners(self._settings, requests)


def source_of(full_type: str) -> tuple[str, str]:
    """Service and aggregate of ``linli.<service>.<aggregate>.<verb>.v<n>``."""
    _, service, aggregate, *_ = full_type.split(".")
    return service, aggregate


async def ask_owners(settings: Settings, requests: Iterable[Request]) -> None:
    """Publish the requests and wait until Kafka has them. Raises KafkaError."""
    await asyncio.to_thread(_publish, settings, list(requests))


def _publish(settings: Settings, requests: list[Request]) -> None:
    producer = KafkaProducer(
        bootstrap_servers=settings.kafka.split(","),
        client_id=f"{settings.prefix}.{settings.service}.gaps",
        acks="all",
        max_block_ms=ANSWER_SECONDS * 1000,
        **RECONNECT,
    )
    try:
        topic = republish_topic(settings)
        records = [request.record() for request in requests]
        futures = [producer.send(topic, key=each.key, value=each.value, headers=each.headers) for each in records]
        for future in futures:
            future.get(timeout=ANSWER_SECONDS)
    finally:
        producer.close(timeout=ANSWER_SECONDS)
