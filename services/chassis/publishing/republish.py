"""Events sent again on request: of one aggregate for a consumer that misses some, or of many by an operator.

Another service cannot reach the owner's database, so it asks through the topic ``<prefix>.republish``: key is the
aggregate's id, value ``{"service", "aggregate", "subject", "from_seq"}``. The subject ``*`` stands for every
aggregate of the type. The owner's active relay takes requests of its service, at a bounded rate, and the same one only
once within some seconds.
"""

import asyncio
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata
from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pymongo import MongoClient

from services.chassis.contracts import topics
from services.chassis.contracts.topics import CONNECT_MS
from services.chassis.contracts.wire import Record
from services.chassis.publishing.publisher import Publisher, Window
from services.chassis.publishing.resend import Choice, Pace, resend
from services.chassis.settings import Settings
from services.chassis.storage.lease import Held

if TYPE_CHECKING:
    from services.chassis.aggregate import Service
    from services.chassis.publishing.relay import Ground

LOG = structlog.get_logger()
REQUESTS = Counter("linli_relay_requests", "Requests to republish an aggregate", ["service", "outcome"])
REQUESTS_PER_SECOND = 100.0
EVERY_SUBJECT = "*"
ONCE_WITHIN_SECONDS = 5.0
RECORDS_PER_SECOND = 2000.0
AGAIN_SECONDS = 1.0  # until Kafka is tried again


class Request(BaseModel):
    """One aggregate's events from ``from_seq`` on are asked of ``service``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    service: str
    aggregate: str
    subject: str = Field(min_length=1)
    from_seq: int = Field(default=1, ge=1)

    def record(self) -> Record:
        """The record for the topic ``topics.republish_topic(settings)``."""
        return Record(self.subject.encode(), orjson.dumps(self.model_dump()), [("content-type", b"application/json")])


class Recent:
    """Requests answered within the last seconds, so that many who miss the same are served once."""

    def __init__(self, seconds: float = ONCE_WITHIN_SECONDS) -> None:
        self._seconds = seconds
        self._served: dict[tuple[str, str], tuple[float, int]] = {}

    def covers(self, request: Request) -> bool:
        """Whether a recent answer held everything this request asks for."""
        at, from_seq = self._served.get((request.aggregate, request.subject), (float("-inf"), 0))
        return time.monotonic() - at < self._seconds and from_seq <= request.from_seq

    def add(self, request: Request) -> None:
        """This request is being answered now."""
        now = time.monotonic()
        if len(self._served) > 10_000:
            self._served = {key: row for key, row in self._served.items() if now - row[0] < self._seconds}
        self._served[request.aggregate, request.subject] = (now, request.from_seq)


class _NotActive(Exception):
    """Told to stop in the middle of an answer: the request is not committed, the next holder takes it."""


class Requests:
    """Takes the requests for one service while its relay is active; ``run`` blocks, in a thread of its own."""

    def __init__(
        self,
        settings: Settings,
        service: "Service",
        mongo: MongoClient[dict[str, Any]],
        publisher: Publisher,
        stop: threading.Event,
        held: Held,
    ) -> None:
        self._settings = settings
        self._service = service.name
        self._topics = {each.name: settings.topic(service.name, each.name) for each in service.aggregates}
        self._database = mongo[settings.database]
        self._publisher = publisher
        self._stop = stop
        self._held = held
        self._recent = Recent()
        self._requests_pace = Pace(REQUESTS_PER_SECOND, stop)
        self._records_pace = Pace(RECORDS_PER_SECOND, stop)

    def run(self) -> None:
        """Answer requests until stopped; one whose answer is not in Kafka yet is taken again by the next holder.

        A Kafka that does not answer is waited for: what this service writes must not stay unpublished over it. Raises
        KafkaError when trying again would not help.
        """
        window = self._publisher.window(lambda _: None)
        try:
            while self._active():
                try:
                    self._take(window)
                except KafkaError as error:
                    if not error.retriable:  # a lost offset, for example: a new process makes first ones
                        raise
                    LOG.warning("republish_waits_for_kafka", owner=self._service, error=type(error).__name__)
                    self._stop.wait(AGAIN_SECONDS)
        except _NotActive:
            LOG.info("republish_left_to_next", owner=self._service)
        finally:
            self._publisher.forget(window)

    def _active(self) -> bool:
        return not self._stop.is_set() and self._held.valid()

    def _take(self, window: Window) -> None:
        # The lease says who reads, so the partitions are assigned and not shared out: a group would make a new holder
        # wait until the session of the one that was killed has run out.
        topic = topics.republish_topic(self._settings)
        consumer = KafkaConsumer(
            bootstrap_servers=self._settings.kafka.split(","),
            group_id=topics.relay_group_of(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_poll_records=50,
            bootstrap_timeout_ms=CONNECT_MS,
            **topics.RECONNECT,
        )
        try:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise UnknownTopicOrPartitionError(topic)
            consumer.assign([TopicPartition(topic, number) for number in numbers])
            while self._active():
                for partition, records in consumer.poll(timeout_ms=500).items():
                    self._answer(records, window)
                    self._commit(consumer, partition, records)
        finally:
            consumer.close()

    def _answer(self, records: Sequence[Any], window: Window) -> None:
        for record in records:
            request = self._request(record.value)
            if request is not None:
                self._requests_pace.wait()
                self._recent.add(request)
                sent = self._resend(request, window)
                self._count("answered" if sent else "nothing-found")

    def _resend(self, request: Request, window: Window) -> int:
        subject = None if request.subject == EVERY_SUBJECT else request.subject
        choice = Choice(subject=subject, from_seq=request.from_seq)
        chosen = {request.aggregate: self._topics[request.aggregate]}
        return resend(self._database, self._service, chosen, choice, window, self._before_each)

    def _before_each(self) -> None:
        self._records_pace.wait()
        if not self._active():
            raise _NotActive

    def _request(self, value: bytes | None) -> Request | None:
        """The request if it is for this service and has not just been answered."""
        try:
            request = Request.model_validate_json(value or b"")
        except ValidationError:
            self._count("malformed")
            return None
        if request.service != self._service:
            return None
        if request.aggregate not in self._topics:
            self._count("unknown-aggregate")
            return None
        if self._recent.covers(request):
            self._count("just-answered")
            return None
        return request

    def _count(self, outcome: str) -> None:
        REQUESTS.labels(self._service, outcome).inc()

    @staticmethod
    def _commit(consumer: KafkaConsumer, partition: TopicPartition, records: Sequence[Any]) -> None:
        consumer.commit({partition: OffsetAndMetadata(records[-1].offset + 1, "", -1)})


async def republish(
    ground: "Ground",
    *,
    since: datetime | None = None,
    aggregate: str | None = None,
    subject: str | None = None,
    type: str | None = None,
    per_second: float = RECORDS_PER_SECOND,
) -> int:
    """Send a service's history again, original types and versions: everything, or what these arguments narrow down.

    ``since``: aggregates written since, by real time, with ten minutes' overlap. ``aggregate``: one aggregate type;
    ``subject``: one aggregate; ``type``: ``case.registered`` with or without ``.v1``. Returns how many records Kafka
    has acknowledged. Raises KafkaError, PyMongoError, and ``ValueError`` for an aggregate type the service lacks.
    """
    settings, service = ground.settings, ground.service
    named = {each.name: settings.topic(service.name, each.name) for each in service.aggregates}
    if aggregate is not None and aggregate not in named:
        raise ValueError(f"{service.name} has no aggregate {aggregate}")
    chosen = {name: topic for name, topic in named.items() if aggregate in (None, name)}
    choice = Choice(since=since, subject=subject, type=type)
    await topics.ensure(settings, chosen.values())
    return await asyncio.to_thread(_republish, ground, chosen, [choice], per_second)


async def republish_from(
    ground: "Ground", aggregate: str, from_seqs: Mapping[str, int], per_second: float = RECORDS_PER_SECOND
) -> int:
    """Send again what these aggregates of one type hold, each from its own sequence on. As ``republish``."""
    chosen = {aggregate: ground.settings.topic(ground.service.name, aggregate)}
    choices = [Choice(subject=subject, from_seq=seq) for subject, seq in from_seqs.items()]
    await topics.ensure(ground.settings, chosen.values())
    return await asyncio.to_thread(_republish, ground, chosen, choices, per_second)


def _republish(ground: "Ground", chosen: dict[str, str], choices: Iterable[Choice], per_second: float) -> int:
    publisher = Publisher(ground.settings)
    pace = Pace(per_second, threading.Event())
    with ground.client.blocking() as mongo:
        window = publisher.window(lambda _: None)
        database = mongo[ground.settings.database]
        sent = sum(resend(database, ground.service.name, chosen, choice, window, pace.wait) for choice in choices)
    publisher.close()
    return sent
