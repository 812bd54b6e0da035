"""What happens to events: delivered again, offsets set back or lost, a log's start moved, gaps, poison, lost tokens."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from tests.faults import poison
from tests.faults.ground import Ground
from tests.faults.kinds.registry import kind

READ_MS = 30_000
SHARE = 0.1  # of all events is delivered again
HOUR_MS = 3_600_000
CONSUMERS = ("complaints", "volunteers", "insight")
Consumer = Any


@kind("poison", lambda ground: ["topics"])
def poisoned(ground: Ground, _: str) -> Iterator[None]:
    """Bytes that are no event, wrong types, a version of next year."""
    ground.poisonous += poison.spread(ground.system.plan.kafka, ground.prefix)
    yield


@kind("delivered again", lambda ground: ["a tenth"], backlog=True)
def delivered_again(ground: Ground, _: str) -> Iterator[None]:
    """A tenth of all records is written to its partition again, as it is."""
    bootstrap = ground.system.plan.kafka.split(",")
    with closing(ground.consumer()) as consumer, closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all")) as out:
        parts = _partitions(consumer, _topics(ground, consumer))
        sent = [
            out.send(one.topic, value=one.value, key=one.key, headers=list(one.headers), partition=one.partition)
            for one in _read(consumer, {part: 0 for part in parts})
            if ground.random.random() < SHARE and _is_event(one)
        ]
        for future in sent:
            future.get(timeout=60)
    yield


def _is_event(record: Any) -> bool:
    return not any(b"poison" in content for _, content in record.headers or [("", b"poison")] if content)


@kind("offsets set back", lambda ground: list(CONSUMERS), backlog=True)
def offsets_set_back(ground: Ground, service: str) -> Iterator[None]:
    """The group of a service starts again where it was an hour ago."""
    group = f"{ground.prefix}.{service}"
    with _away(ground, service) as (admin, consumer):
        parts = list(admin.list_group_offsets(group)[group])
        since = int((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)
        found = consumer.offsets_for_times({part: since for part in parts})
        ends = consumer.end_offsets(parts)
        wanted = {part: found[part].offset if found.get(part) else ends[part] for part in parts}
        _set_offsets(ground, admin, group, wanted)
    yield


@kind("offsets lost", lambda ground: list(CONSUMERS), backlog=True)
def offsets_lost(ground: Ground, service: str) -> Iterator[None]:
    """The group of a service is deleted."""
    group = f"{ground.prefix}.{service}"
    with _away(ground, service) as (admin, _):
        ground.until(lambda: admin.delete_groups([group])[group] == "OK", f"group {group} deleted")
    yield


@kind("log start moved", lambda ground: ["insight<volunteers.order", "complaints<volunteers.order"], backlog=True)
def log_start_moved(ground: Ground, target: str) -> Iterator[None]:
    """Kafka drops records of a topic that a consumer has not taken yet."""
    service, _, kind_ = target.partition("<")
    group, topic = f"{ground.prefix}.{service}", f"{ground.prefix}.{kind_}"
    with _away(ground, service) as (admin, consumer):
        parts = _partitions(consumer, [topic])
        ground.until(lambda: _waiting(admin, consumer, group, parts), f"records of {topic} wait for {service}")
        admin.delete_records(consumer.end_offsets(parts))
    yield


@kind("gap", lambda ground: ["insight<complaints.case"])
def gap(ground: Ground, target: str) -> Iterator[None]:
    """A consumer misses an event whose aggregate has later ones: it asks for it and gets it behind them."""
    service, _, kind_ = target.partition("<")
    group, topic = f"{ground.prefix}.{service}", f"{ground.prefix}.{kind_}"
    with _away(ground, service) as (admin, consumer):
        parts = _partitions(consumer, [topic])
        missed: dict[TopicPartition, int] = {}

        def found() -> bool:
            missed.update(_followed(consumer, _waiting(admin, consumer, group, parts)))
            return bool(missed)

        ground.until(found, f"an event of {topic} with another behind it")
        _set_offsets(ground, admin, group, {part: offset + 1 for part, offset in missed.items()})
    yield


def _waiting(admin: Any, consumer: Consumer, group: str, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Committed offsets of those partitions in which something waits."""
    committed = admin.list_group_offsets(group)[group]
    ends = consumer.end_offsets(parts)
    return {part: committed[part].offset for part in parts if committed[part].offset < ends[part]}


def _followed(consumer: Consumer, waiting: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Those whose first waiting record is of an aggregate that has another one waiting."""
    records: dict[TopicPartition, list[Any]] = {}
    for record in _read(consumer, waiting):
        records.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
    return {
        part: of[0].offset
        for part, of in records.items()
        if _is_event(of[0]) and any(one.key == of[0].key for one in of[1:])
    }


@kind("topic missing", lambda ground: ["volunteers.hours"], alone=True)
def topic_missing(ground: Ground, kind_: str) -> Iterator[None]:
    """A topic is gone when its consumers start; an operator publishes what was in it again."""
    topic, (service, aggregate) = f"{ground.prefix}.{kind_}", kind_.split(".")
    patterns = "relay*", "insight-worker*", f"{service}-worker*"
    concerned = [name for pattern in patterns for name in ground.programs(pattern)]
    with ground.stopped(*concerned), closing(ground.admin()) as admin:
        admin.delete_topics([topic])
        ground.until(lambda: topic not in admin.list_topics(), f"{topic} gone")
    for program in concerned:
        ground.ready(program)
    ground.operate("republish", service, "--aggregate", aggregate, "--all")
    yield


@kind("token lost", lambda ground: ["complaints", "volunteers"], backlog=True)
def token_lost(ground: Ground, service: str) -> Iterator[None]:
    """The relay's place in the database's log of changes is older than the log."""
    with ground.stopped(*ground.programs("relay*")), ground.database() as client:
        relay = client[f"{ground.prefix}_{service}"]["relay"]
        position = relay.find_one({"_id": "position"}) or {}
        # a resume token begins with 82 and four bytes of seconds
        aged = re.sub(r"^82[0-9A-F]{8}", "8260000000", position["token"]["_data"])
        relay.update_one({"_id": "position"}, {"$set": {"token": {"_data": aged}}})
    for program in ground.programs("relay*"):
        ground.ready(program)
    yield


@contextmanager
def _away(ground: Ground, service: str) -> Iterator[tuple[Any, Consumer]]:
    """The workers of a service are stopped meanwhile; nobody else touches offsets or topics."""
    workers = ground.programs(f"{service}-worker*")
    with ground.stopped(*workers), closing(ground.admin()) as admin, closing(ground.consumer()) as own:
        yield admin, own


def _set_offsets(ground: Ground, admin: Any, group: str, wanted: dict[TopicPartition, int]) -> None:
    offsets = {part: OffsetAndMetadata(offset, "", -1) for part, offset in wanted.items()}

    def set_() -> bool:
        return not any(error.errno for error in admin.alter_group_offsets(group, offsets).values())

    ground.until(set_, f"offsets of {group} set")


def _topics(ground: Ground, consumer: Consumer) -> list[str]:
    own = re.compile(rf"{re.escape(ground.prefix)}\.[a-z]+\.[a-z]+")
    return [name for name in consumer.topics() if own.fullmatch(name)]


def _partitions(consumer: Consumer, topics: list[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)]


def _read(consumer: Consumer, since: dict[TopicPartition, int]) -> Iterator[Any]:
    """Every record from these offsets to the present end."""
    ends = {part: end for part, end in consumer.end_offsets(list(since)).items() if end > since[part]}
    consumer.assign(list(ends))
    starts = consumer.beginning_offsets(list(ends)) if ends else {}
    for part in ends:
        consumer.seek(part, max(since[part], starts[part]))
    while any(consumer.position(part) < end for part, end in ends.items()):
        for part, records in consumer.poll(timeout_ms=READ_MS).items():
            yield from (record for record in records if record.offset < ends[part])
