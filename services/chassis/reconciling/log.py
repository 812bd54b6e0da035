"""One topic read forward, without a group, to where it ends now. Calls block and raise KafkaError."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from services.chassis.contracts.topics import CONNECT_MS, RECONNECT
from services.chassis.publishing.resend import Pace
from services.chassis.settings import Settings

SLACK = 600  # seconds by which a sender's clock may lie behind the database's
SILENCE = 30.0  # seconds without a record before the end: Kafka is away
RECORDS_PER_SECOND = 5000.0  # so that a worker's own events do not wait for this
AT_ONCE = 1000
Offsets = dict[int, int]  # by partition


class Log:
    """A topic open for reading, from the chosen start to ``ends``. One thread reads."""

    def __init__(self, name: str, consumer: Any, ends: Mapping[TopicPartition, int], per_second: float) -> None:
        self._name = name
        self._consumer = consumer
        self._ends = ends
        self._pace = Pace(per_second, threading.Event())

    def records(self, go_on: Callable[[], bool] = lambda: True) -> Iterator[Any]:
        """Every record to the end; ``go_on`` is asked between portions. Raises KafkaTimeoutError."""
        heard = time.monotonic()
        while go_on() and not self.at_end():
            batch = self._consumer.poll(timeout_ms=1000, max_records=AT_ONCE)
            if batch:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE:
                raise KafkaTimeoutError(f"{self._name} was not read to its end")
            for records in batch.values():
                self._pace.wait(len(records))
                yield from records

    def at_end(self) -> bool:
        """Whether everything has been read that was there when it was opened."""
        return all(self._consumer.position(part) >= end for part, end in self._ends.items())

    def read_to(self) -> Offsets:
        """The offset after the last portion read, by partition."""
        return {part.partition: min(self._consumer.position(part), end) for part, end in self._ends.items()}


@contextmanager
def opened(
    settings: Settings,
    name: str,
    *,
    since: int | None = None,
    offsets: Mapping[int, int] | None = None,
    per_second: float = RECORDS_PER_SECOND,
) -> Iterator[Log]:
    """The topic from the second ``since``, from ``offsets`` on, or (both None) from its start; empty when missing."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.split(","),
        client_id=f"{settings.prefix}.{settings.service}.reconciling",
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # of what is dropped meanwhile: go on where the log begins
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=CONNECT_MS,
        **RECONNECT,
    )
    try:
        parts = [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or ())]
        ends = consumer.end_offsets(parts) if parts else {}
        if parts:
            consumer.assign(parts)
            for part, start in _starts(consumer, parts, ends, since).items():
                consumer.seek(part, max(start, (offsets or {}).get(part.partition, 0)))
        yield Log(name, consumer, ends, per_second)
    finally:
        consumer.close()


def _starts(
    consumer: Any, parts: list[TopicPartition], ends: Mapping[TopicPartition, int], since: int | None
) -> dict[TopicPartition, int]:
    if since is None:
        starts: dict[TopicPartition, int] = consumer.beginning_offsets(parts)
        return starts
    told = consumer.offsets_for_times(dict.fromkeys(parts, max(0, since - SLACK) * 1000))
    return {part: at.offset if at is not None else ends[part] for part, at in told.items()}
