"""The events that carry a journey, read from Kafka as any other subscriber would."""

import time
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from services.chassis.contracts.wire import Envelope, decode


class Watcher:
    """Follows topics from now on, outside any group."""

    def __init__(self, bootstrap: str, topics: list[str]) -> None:
        self._consumer: Any = KafkaConsumer(bootstrap_servers=bootstrap.split(","), enable_auto_commit=False)
        parts = [TopicPartition(t, p) for t in topics for p in self._consumer.partitions_for_topic(t) or ()]
        self._consumer.assign(parts)
        self._consumer.seek_to_end()
        for part in parts:
            self._consumer.position(part)
        self._seen: list[Envelope] = []

    def wait_for(self, name: str, subject: str | None = None, seconds: float = 60) -> Envelope:
        """The next unread event of this name (``case.registered``). Raises TimeoutError."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            for event in self._seen:
                if event.name == name and subject in (None, event.subject):
                    self._seen.remove(event)
                    return event
            self._seen.extend(self._read())
        raise TimeoutError(f"no {name} within {seconds:.0f} s; unread: {[event.name for event in self._seen]}")

    def _read(self) -> Iterator[Envelope]:
        for records in self._consumer.poll(timeout_ms=200).values():
            for record in records:
                yield decode(record.key, record.value, record.headers)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()
