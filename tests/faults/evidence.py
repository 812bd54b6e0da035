"""What is really there: the histories in MongoDB, the records in Kafka, the places and parked rows of the consumers.

Read raw, with PyMongo and kafka-python and nothing of the services, so that their mistakes are not repeated here.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from pymongo import MongoClient

READ_MS = 60_000  # to reach the end of every topic


class Entry(NamedTuple):
    """One entry of an aggregate's history."""

    id: str
    seq: int
    type: str  # case.registered.v1
    by: str
    op: str
    cause: str
    trace: str  # the trace id alone
    scope: tuple[str, ...]
    data: dict[str, Any]
    at: datetime = datetime.min.replace(tzinfo=UTC)


class Published(NamedTuple):
    """One record of a topic that says that it is an event."""

    partition: int
    offset: int
    key: str
    subject: str
    seq: int
    id: str
    type: str  # linli.complaints.case.registered.v1
    data: Any


class Row(NamedTuple):
    """What insight keeps of one subject: its kind, and by sequence number the ids of the events that it has counted."""

    kind: str
    events: dict[int, str]


class Place(NamedTuple):
    """How far a consumer says that it has applied an aggregate."""

    seq: int
    last_id: str


class Parked(NamedTuple):
    """A record that a consumer has put aside. ``event`` is empty for one that is no event."""

    topic: str  # service.aggregate
    partition: int
    offset: int
    event: str
    reason: str
    code: str


@dataclass
class Evidence:
    """Everything by aggregate type (``complaints.case``) or by consumer (``insight``)."""

    histories: dict[str, dict[str, list[Entry]]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)  # by aggregate id
    topics: dict[str, list[Published]] = field(default_factory=dict)  # in the order of their partitions
    foreign: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # records that are no event
    consumed: dict[str, set[str]] = field(default_factory=dict)  # consumer to aggregate types
    places: dict[str, dict[str, Place]] = field(default_factory=dict)  # consumer to aggregate id
    parked: dict[str, list[Parked]] = field(default_factory=dict)
    starts: dict[str, dict[int, int]] = field(default_factory=dict)  # by aggregate type and partition: the first offset
    due: dict[str, datetime] = field(default_factory=dict)  # by aggregate id: its next deadline
    now: datetime = field(default_factory=lambda: datetime.now(UTC))  # by the domain's clock
    rows: dict[str, Row] | None = None  # of insight, by subject
    units: dict[str, dict[str, str | None]] = field(default_factory=dict)  # by service: each unit's parent

    def entries(self, kind: str, event: str) -> Iterator[tuple[str, Entry]]:
        """Every entry of a type without its version (``case.registered``), with its aggregate's id."""
        for subject, history in self.histories.get(kind, {}).items():
            for entry in history:
                if entry.type.rpartition(".v")[0] == event:
                    yield subject, entry


def gather(mongo: str, kafka: str, prefix: str) -> Evidence:
    """Read everything now."""
    evidence = Evidence()
    with MongoClient[dict[str, Any]](mongo, tz_aware=True) as client:
        for name in client.list_database_names():
            if name.startswith(f"{prefix}_"):
                _read_database(client[name], name.removeprefix(f"{prefix}_"), evidence)
    _read_topics(kafka, prefix, evidence)
    _read_groups(kafka, prefix, evidence)
    return evidence


def _read_database(database: Any, service: str, evidence: Evidence) -> None:
    names = set(database.list_collection_names())
    for name in names:
        if database[name].find_one({"history.0": {"$exists": True}, "version": {"$exists": True}}, {"_id": 1}):
            archive = database[f"{name}.archive"] if f"{name}.archive" in names else None
            _read_histories(database[name], archive, f"{service}.{name}", evidence)
    if service == "clock":
        moved = database["state"].find_one({"_id": "offset"}) or {"ms": 0}
        evidence.now = datetime.now(UTC) + timedelta(milliseconds=moved["ms"])
    if service == "insight":
        rows = database["rows"].find({}, {"kind": 1, "events": 1})
        found = {row["_id"]: (row.get("kind", ""), row.get("events", {})) for row in rows}
        evidence.rows = {key: Row(of, {int(seq): one for seq, one in at.items()}) for key, (of, at) in found.items()}
    if "units" in names:
        known = database["units"].find({"base": {"$exists": True}}, {"parent.value": 1})
        evidence.units[service] = {row["_id"]: (row.get("parent") or {}).get("value") for row in known}
    if "places" in names:
        own = evidence.places.setdefault(service, {})
        for row in database["places"].find({"_id": {"$regex": f"^{service}\\|"}}):
            own[row["_id"].partition("|")[2]] = Place(row["seq"], row["last_id"])
    if "parked" in names:
        evidence.parked[service] = [_parked(row) for row in database["parked"].find()]


def _read_histories(collection: Any, archive: Any, kind: str, evidence: Evidence) -> None:
    older: dict[str, list[Any]] = defaultdict(list)
    for row in archive.find().sort("last", 1) if archive is not None else ():
        older[row.get("aggregate", "")] += row["entries"]
    histories = evidence.histories.setdefault(kind, {})
    for document in collection.find({}, {"history": 1, "version": 1, "archived": 1, "next_due": 1}):
        subject = document["_id"]
        cut = [raw for raw in older[subject] if raw["seq"] <= document.get("archived", 0)]
        histories[subject] = [_entry(raw) for raw in (*cut, *document["history"])]
        evidence.versions[subject] = document["version"]
        if document.get("next_due"):
            evidence.due[subject] = document["next_due"]


def _entry(raw: dict[str, Any]) -> Entry:
    return Entry(
        id=raw["id"],
        seq=raw["seq"],
        type=raw["type"],
        by=raw["by"],
        op=raw["op"],
        cause=raw.get("cause") or "",
        trace=(raw.get("trace") or "")[3:35],
        scope=tuple(raw.get("scope", ())),
        data=raw["data"],
        at=raw["at"],
    )


def _parked(row: dict[str, Any]) -> Parked:
    topic = ".".join(row["topic"].split(".")[-2:])
    return Parked(topic, row["partition"], row["offset"], row["event"], row["reason"], row["code"])


def _read_topics(kafka: str, prefix: str, evidence: Evidence) -> None:
    consumer: Any = KafkaConsumer(bootstrap_servers=kafka.split(","), enable_auto_commit=False, fetch_max_wait_ms=100)
    try:
        kinds = {name: _kind_of(name, prefix) for name in consumer.topics()}
        parts = [
            TopicPartition(name, number)
            for name, kind in kinds.items()
            if kind in evidence.histories
            for number in consumer.partitions_for_topic(name)
        ]
        for kind in evidence.histories:
            evidence.topics[kind], evidence.foreign[kind] = [], []
        consumer.assign(parts)
        consumer.seek_to_beginning()
        for part, first in consumer.beginning_offsets(parts).items():
            evidence.starts.setdefault(kinds[part.topic], {})[part.partition] = first
        ends = {part: end for part, end in consumer.end_offsets(parts).items() if end}
        while any(consumer.position(part) < end for part, end in ends.items()):
            for part, records in consumer.poll(timeout_ms=READ_MS).items():
                for record in records:
                    _keep(record, kinds[part.topic], evidence)
    finally:
        consumer.close()


def _kind_of(topic: str, prefix: str) -> str:
    return topic.removeprefix(f"{prefix}.") if topic.startswith(f"{prefix}.") else ""


def _keep(record: Any, kind: str, evidence: Evidence) -> None:
    told = {name: content.decode(errors="replace") for name, content in record.headers if content is not None}
    try:
        subject, seq, event, full = told["ce_subject"], int(told["ce_sequence"]), told["ce_id"], told["ce_type"]
        data = json.loads(record.value)
    except (KeyError, ValueError, TypeError):
        evidence.foreign[kind].append((record.partition, record.offset))
        return
    key = (record.key or b"").decode(errors="replace")
    evidence.topics[kind].append(Published(record.partition, record.offset, key, subject, seq, event, full, data))


def _read_groups(kafka: str, prefix: str, evidence: Evidence) -> None:
    """What each consumer consumes: the topics for which its group has committed offsets."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.split(","))
    try:
        for consumer in {kind.partition(".")[0] for kind in evidence.histories} | set(evidence.places):
            group = f"{prefix}.{consumer}"
            offsets = admin.list_group_offsets(group)[group]
            kinds = {_kind_of(part.topic, prefix) for part, at in offsets.items() if at.offset >= 0}
            evidence.consumed[consumer] = kinds & evidence.histories.keys()
    finally:
        admin.close()

