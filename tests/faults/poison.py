"""Records that no consumer can process: bytes that are no event, an unknown version, fields of wrong types."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaProducer

from tests.faults.district import DISTRICT

CASE, ORDER = "complaints.case", "volunteers.order"
WRONG_TYPES = {"category": 7, "kind": [], "recorded_at": "yesterday", "volunteer": {}, "minutes": "many"}
NOT_AN_EVENT = b"\x00\xff\xfe no event {"


@dataclass(frozen=True)
class Poison:
    """Where a poisonous record lies. ``event`` is its id, empty for one that is no event."""

    topic: str  # service.aggregate
    partition: int
    offset: int
    event: str = ""
    subject: str = ""


def spread(bootstrap: str, prefix: str) -> list[Poison]:
    """Put one of each kind on the topics of concerns and of orders."""
    producer = KafkaProducer(bootstrap_servers=bootstrap.split(","), acks="all")
    try:
        kinds = (CASE, "case.registered"), (ORDER, "order.confirmed")
        return [
            *(_send(producer, prefix, topic, None, NOT_AN_EVENT, []) for topic, _ in kinds),
            *(_event(producer, prefix, topic, f"{name}.v99", {"from": "the future"}) for topic, name in kinds),
            *(_event(producer, prefix, topic, f"{name}.v1", WRONG_TYPES) for topic, name in kinds),
        ]
    finally:
        producer.close()


def _event(producer: KafkaProducer, prefix: str, topic: str, name: str, data: dict[str, Any]) -> Poison:
    event, subject = f"evt_poison-{os.urandom(6).hex()}", f"{topic.rpartition('.')[2]}_poison-{os.urandom(6).hex()}"
    service = topic.partition(".")[0]
    headers = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": event,
        "ce_type": f"linli.{service}.{name}",
        "ce_source": f"/linli/{service}",
        "ce_subject": subject,
        "ce_time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ce_sequence": "1",
        "ce_district": DISTRICT,
        "ce_unit": DISTRICT,
        "ce_scope": DISTRICT,
    }
    sent = [(key, value.encode()) for key, value in headers.items()]
    value = json.dumps(data).encode()
    return _send(producer, prefix, topic, subject.encode(), value, sent, event, subject)


def _send(
    producer: KafkaProducer, prefix: str, topic: str, key: bytes | None, value: bytes,
    headers: list[tuple[str, bytes]], event: str = "", subject: str = "",
) -> Poison:  # fmt: skip
    kept = producer.send(f"{prefix}.{topic}", key=key, value=value, headers=headers).get(timeout=30)
    return Poison(topic, kept.partition, kept.offset, event, subject)
