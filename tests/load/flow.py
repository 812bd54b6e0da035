"""From a write to another service's read model: the relay, a worker, and the way as a whole, beside raw Kafka."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from pymongo import MongoClient

from deploy.local.install import ROOT
from deploy.local.system import System
from tests.load.http_load import HOST
from tests.load.line import Line
from tests.load.recording import concern

SHARE = (0.1, 0.9)  # of a backlog, between which a rate is taken
PATIENCE = 120.0
LINES = 32  # connections
WARM = 3  # seconds before a latency counts


def rate_of(value: Callable[[], float], goal: float) -> float:
    """Units a second while ``value`` rises to ``goal``, taken over the middle of the way."""
    start = value()
    marks = [start + (goal - start) * share for share in SHARE]
    seen: list[tuple[float, float]] = []
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        now = value()
        if now >= marks[len(seen)]:
            seen.append((time.perf_counter(), now))
            if len(seen) == len(marks) or now >= goal:
                break
        time.sleep(0.02)
    if len(seen) < len(marks):
        raise TimeoutError(f"{now:.0f} of {goal:.0f} after {PATIENCE:.0f} s")
    (first, low), (last, high) = seen
    return (high - low) / (last - first)


def in_topic(consumer: Any, topic: str) -> int:
    """Records in a topic."""
    parts = [TopicPartition(topic, part) for part in consumer.partitions_for_topic(topic) or ()]
    return sum(consumer.end_offsets(parts).values())


def in_histories(system: System) -> int:
    """Events of all concerns, as their histories say."""
    with MongoClient[Any](system.plan.mongo) as client:
        cases = client[f"{system.plan.prefix}_complaints"]["case"]
        found = list(cases.aggregate([{"$group": {"_id": None, "events": {"$sum": "$version"}}}]))
    return int(found[0]["events"])


def in_cases(system: System) -> int:
    """Concerns."""
    with MongoClient[Any](system.plan.mongo) as client:
        return client[f"{system.plan.prefix}_complaints"]["case"].count_documents({})


def relay_rate(system: System, topic: str) -> float:
    """Events a second of the relay over the backlog that lies in MongoDB; the relay is paused when this is called."""
    consumer = KafkaConsumer(bootstrap_servers=system.plan.kafka)
    goal = in_histories(system)
    system.resume("relay")
    try:
        return rate_of(lambda: in_topic(consumer, topic), goal)
    finally:
        consumer.close()


def bare_produce_rate(system: System, topic: str, most: int = 30_000) -> float:
    """Records a second of the same records by a plain idempotent producer."""
    records = _records(system, topic, most)
    admin = KafkaAdminClient(bootstrap_servers=system.plan.kafka)
    bare = f"bench.bare-{time.time_ns()}"
    admin.create_topics([NewTopic(name=bare, num_partitions=3, replication_factor=1)])
    producer = KafkaProducer(
        bootstrap_servers=system.plan.kafka, acks="all", enable_idempotence=True, compression_type="gzip", linger_ms=5
    )
    begun = time.perf_counter()
    for record in records:
        producer.send(bare, key=record.key, value=record.value, headers=record.headers)
    producer.flush(PATIENCE)
    took = time.perf_counter() - begun
    producer.close()
    admin.close()
    return len(records) / took


def _records(system: System, topic: str, most: int) -> list[Any]:
    consumer = KafkaConsumer(bootstrap_servers=system.plan.kafka, enable_auto_commit=False)
    parts = [TopicPartition(topic, part) for part in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(parts)
    consumer.seek_to_beginning()
    wanted = min(most, sum(consumer.end_offsets(parts).values()))
    records: list[Any] = []
    while len(records) < wanted:
        for batch in consumer.poll(timeout_ms=1000).values():
            records += batch
    consumer.close()
    return records[:wanted]


def worker_rate(system: System) -> float:
    """Events a second that insight's worker applies from the backlog in the topic; it is paused when this is called.

    Insight takes one event of each concern, its registration, and passes over the rest, which the empty handler counts.
    """
    page = f"http://{HOST}:{system.plan.ports()['insight worker']}/metrics"
    system.resume("insight-worker")
    return rate_of(lambda: _applied(page), in_cases(system) * 0.95)


def _applied(page: str) -> float:
    text = httpx.get(page, timeout=10).text
    return sum(float(n) for n in re.findall(r"^linli_events_applied_total\{[^}]*complaints[^}]*\} (\S+)$", text, re.M))


def empty_rate(system: System, topic: str) -> float:
    """Events a second of an empty handler in the same shape, over the same topic from its start."""
    consumer = KafkaConsumer(bootstrap_servers=system.plan.kafka)
    events = in_topic(consumer, topic)
    consumer.close()
    command = [sys.executable, "-m", "tests.load.empty_worker", system.plan.kafka, topic, str(events)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    return float(told.stdout.split()[-1])


class Arrivals(threading.Thread):
    """When each subject's row is there in insight's read model, by a change stream of its own."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self._client: MongoClient[Any] = MongoClient(system.plan.mongo, readConcernLevel="majority")
        rows = self._client[f"{system.plan.prefix}_insight"]["rows"]
        self._stream = rows.watch([{"$match": {"operationType": "insert"}}, {"$project": {"documentKey": 1}}])
        self.at: dict[str, float] = {}
        self._closing = threading.Event()
        self.start()

    def run(self) -> None:
        """Note every arrival until closed."""
        while not self._closing.is_set():
            change = self._stream.try_next()
            if change is not None:
                self.at[change["documentKey"]["_id"]] = time.perf_counter()

    def wait_for(self, subjects: Iterable[str]) -> None:
        """Return when all have arrived. Raises TimeoutError."""
        limit = time.monotonic() + PATIENCE
        while missing := set(subjects) - self.at.keys():
            if time.monotonic() > limit:
                raise TimeoutError(f"{len(missing)} rows did not arrive within {PATIENCE:.0f} s")
            time.sleep(0.1)

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        self.join()
        self._client.close()


async def read_model_latencies(system: System, make: Callable[[], bytes], per_second: int, seconds: int) -> list[float]:
    """Seconds from sending a concern to its row in insight, at a steady rate. ``make``: the next request."""
    arrivals, sent = Arrivals(system), dict[str, float]()
    port = int(system.plan.url("complaints").rpartition(":")[2])
    lines: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(LINES):
        lines.put_nowait(await Line.open(port))

    async def one(_number: int) -> None:
        begun = time.perf_counter()
        line = await lines.get()
        told = await line.ask(make())
        lines.put_nowait(line)
        if told.status != 201:
            raise RuntimeError(f"a concern was answered with {told.status}")
        sent[str(told.body["aggregate"])] = begun

    await _steadily(one, per_second, WARM)
    sent.clear()
    await _steadily(one, per_second, seconds)
    await asyncio.to_thread(arrivals.wait_for, sent.keys())
    arrivals.close()
    return [arrivals.at[subject] - begun for subject, begun in sent.items()]


async def _steadily(one: Callable[[int], Any], per_second: int, seconds: int) -> None:
    begun, tasks = time.perf_counter(), []
    for number in range(per_second * seconds):
        await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)


def raw_latencies(system: System, per_second: int, seconds: int) -> list[float]:
    """Seconds from producing a record to consuming it, at a steady rate."""
    admin = KafkaAdminClient(bootstrap_servers=system.plan.kafka)
    topic = f"bench.raw-{time.time_ns()}"
    admin.create_topics([NewTopic(name=topic, num_partitions=3, replication_factor=1)])
    consumer = KafkaConsumer(bootstrap_servers=system.plan.kafka, enable_auto_commit=False)
    consumer.assign([TopicPartition(topic, part) for part in range(3)])
    consumer.seek_to_beginning()
    producer = KafkaProducer(bootstrap_servers=system.plan.kafka, acks="all", enable_idempotence=True, linger_ms=5)
    total, found = per_second * seconds, list[float]()

    def consume() -> None:
        while len(found) < total:
            for batch in consumer.poll(timeout_ms=500).values():
                now = time.perf_counter()
                found.extend(now - float(record.key) for record in batch)

    reading = threading.Thread(target=consume, daemon=True)
    reading.start()
    begun = time.perf_counter()
    for number in range(total):
        time.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
        producer.send(topic, key=repr(time.perf_counter()).encode(), value=concern(number))
    producer.flush(PATIENCE)
    reading.join(PATIENCE)
    producer.close()
    consumer.close()
    admin.close()
    return found
