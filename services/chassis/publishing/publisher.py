"""Records to Kafka, in order and once per send, and a way out when the sender does not come back.

kafka-python's idempotent producer keeps the order of a partition and does not double a record it sends again. What it
cannot promise is an answer: after an expired batch its sender may hang for ever. So every future is watched from
outside its thread; the first that fails, or that stays unanswered while it is the oldest, ends the process with code
70, and a fresh one starts over from the acknowledged position. A Kafka that is slow but answers is waited for: a
backlog must not end the very process that works it off.
"""

import contextlib
import logging
import os
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.partitioner import Partitioner

from services.chassis.contracts.topics import RECONNECT
from services.chassis.contracts.wire import Record
from services.chassis.settings import Settings

LOG = structlog.get_logger()
UNEXPECTED = 70  # EX_SOFTWARE: the supervisor starts the process again
LATE_SECONDS = 30.0  # without any answer to the oldest record
MOST_UNANSWERED = 4_000  # records of one stream: half a second of work, so that none waits long behind others
WATCH_SECONDS = 0.5
PRODUCER_CONFIG: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "gzip",
    "linger_ms": 1,
    "batch_size": 131_072,
    "request_timeout_ms": 10_000,
    "delivery_timeout_ms": 120_000,  # longer than LATE_SECONDS: a batch that waits behind others has not failed
    "max_block_ms": 20_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
    **RECONNECT,
}


def leave(reason: str, error: BaseException | None = None) -> NoReturn:
    """End the process at once with code 70, whatever its threads are waiting for."""
    LOG.critical("leaving", reason=reason, error=type(error).__name__ if error is not None else None)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(UNEXPECTED)


class Window:
    """The records of one stream that Kafka has not answered yet, oldest first. One thread sends and settles.

    ``done`` is called with the note of each record, in the order of sending, once Kafka has it.
    """

    def __init__(self, publisher: "Publisher", done: Callable[[Any], None], limit: int) -> None:
        self._publisher = publisher
        self._done = done
        self._limit = limit
        self._pending: deque[tuple[Any, float, Any]] = deque()  # future, monotonic instant, note
        self._answered_at = time.monotonic()

    def __len__(self) -> int:
        return len(self._pending)

    def send(self, topic: str, record: Record, note: Any) -> None:
        """Hand a record to the producer; waits while the window is full."""
        if len(self._pending) >= self._limit:
            self._wait_for_first()
            self.settle()
        self._pending.append((self._publisher.send(topic, record), time.monotonic(), note))

    def settle(self) -> None:
        """Take note of every answer that has come, in order; a refusal ends the process."""
        pending = self._pending
        while pending and pending[0][0].is_done:
            future, _, note = pending[0]
            if future.failed():
                leave("Kafka refused a record", future.exception)
            self._done(note)
            pending.popleft()
            self._answered_at = time.monotonic()

    def settle_all(self) -> None:
        """Wait until Kafka has answered everything."""
        while self._pending:
            self._wait_for_first()
            self.settle()

    def oldest(self) -> tuple[float, Any] | None:
        """Seconds that the oldest unanswered record has waited, and its note; callable from any thread."""
        try:
            _, at, note = self._pending[0]
        except IndexError:
            return None
        return time.monotonic() - at, note

    def silence(self) -> float:
        """Seconds for which the oldest record has been the oldest and unanswered; callable from any thread."""
        try:
            _, at, _ = self._pending[0]
        except IndexError:
            return 0.0
        return time.monotonic() - max(at, self._answered_at)

    def _wait_for_first(self) -> None:
        # When no answer comes, the publisher's watch ends the process.
        with contextlib.suppress(KafkaError):  # settle() says what failed
            self._pending[0][0].get(timeout=None)


class KeyPartitioner(Partitioner):
    """The partition every Kafka client gives a key (murmur2), computed four bytes at a time, in half the time."""

    def partition(
        self, topic: str, key: bytes, serialized_key: bytes, value: bytes, serialized_value: bytes, cluster: Any
    ) -> int:
        """The partition of ``serialized_key`` among all partitions of ``topic``."""
        return (murmur2(serialized_key) & 0x7FFFFFFF) % len(cluster.partitions_for_topic(topic))


def murmur2(data: bytes) -> int:
    """The 32-bit murmur2 hash as Kafka's own clients compute it."""
    length = len(data)
    whole = length & ~3
    h = 0x9747B28C ^ length
    for k in struct.unpack_from(f"<{whole >> 2}I", data):
        k = k * 0x5BD1E995 & 0xFFFFFFFF
        h = (h * 0x5BD1E995 ^ (k ^ k >> 24) * 0x5BD1E995) & 0xFFFFFFFF
    if whole != length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * 0x5BD1E995 & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    return h ^ h >> 15


class Publisher:
    """One producer of a process and the watch over its answers. Raises KafkaError when no broker answers at first."""

    def __init__(self, settings: Settings, late_after: float = LATE_SECONDS) -> None:
        self._late_after = late_after
        self._windows: list[Window] = []
        self._closed = threading.Event()
        self._producer = KafkaProducer(
            bootstrap_servers=settings.kafka.split(","),
            client_id=f"{settings.prefix}.{settings.service}.publisher",
            partitioner=KeyPartitioner(),
            bootstrap_timeout_ms=5_000,
            **PRODUCER_CONFIG,
        )
        self._send = self._producer.send
        threading.Thread(target=self._watch, name="late-futures", daemon=True).start()

    def window(self, done: Callable[[Any], None], limit: int = MOST_UNANSWERED) -> Window:
        """A stream of records of its own, of which at most ``limit`` are unanswered at any time."""
        window = Window(self, done, limit)
        self._windows.append(window)
        return window

    def forget(self, window: Window) -> None:
        """Stop watching a window whose stream has ended."""
        self._windows.remove(window)

    def send(self, topic: str, record: Record) -> Any:
        """The producer's future of this record; leaves the process when the producer does not take it."""
        key, value, headers = record
        try:
            return self._send(topic, value, key, headers)
        except KafkaError as error:
            leave("the producer takes no record", error)

    def close(self) -> None:
        """Close the producer; what is still unanswered is given up."""
        self._closed.set()
        self._producer.close(timeout=5)

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            silence = max((window.silence() for window in tuple(self._windows)), default=0.0)
            if silence > self._late_after:
                leave(f"Kafka has not answered for {silence:.0f} s")
