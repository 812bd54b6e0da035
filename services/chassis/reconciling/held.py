"""What a topic holds of given events: read once, forward, from where they should be, until all are found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from services.chassis.contracts.topics import CONNECT_MS, RECONNECT
from services.chassis.reconciling.log import RECORDS_PER_SECOND, Offsets, opened
from services.chassis.settings import Settings

Key = tuple[str, int]  # aggregate and sequence
Wanted = dict[Key, str]  # to the event's id


@dataclass
class Found:
    """Where wanted events lie (partition, offset), and how far each partition was read."""

    at: dict[Key, tuple[int, int]] = field(default_factory=dict)
    read_to: Offsets = field(default_factory=dict)


def find(
    settings: Settings,
    topic: str,
    wanted: Mapping[Key, str],
    *,
    since: int | None = None,
    offsets: Mapping[int, int] | None = None,
    go_on: Callable[[], bool] = lambda: True,
    per_second: float = RECORDS_PER_SECOND,
) -> Found:
    """Look for events sent since the second ``since``, or from ``offsets`` on; both None: from the log's start.

    A record counts when subject, sequence and event id agree. Blocks; raises KafkaError.
    """
    found, missing = Found(), dict(wanted)
    if not missing:
        return found
    with opened(settings, topic, since=since, offsets=offsets, per_second=per_second) as log:
        for record in log.records(lambda: bool(missing) and go_on()):
            named = _named(record)
            if named is not None and missing.get(named[:2]) == named[2]:
                del missing[named[:2]]
                found.at[named[:2]] = (record.partition, record.offset)
        found.read_to = log.read_to()
    return found


def kept_seconds(settings: Settings, topic: str) -> int | None:
    """For how long a topic keeps its records; None: for ever. Blocks; raises KafkaError."""
    admin = KafkaAdminClient(
        bootstrap_servers=settings.kafka.split(","), bootstrap_timeout_ms=CONNECT_MS, **RECONNECT
    )
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": None})
        told = admin.describe_configs([resource], config_filter="all")
    finally:
        admin.close()
    kept = int(told["topic"][topic]["retention.ms"]["value"])
    return kept // 1000 if kept >= 0 else None


def _named(record: Any) -> tuple[str, int, str] | None:
    """Subject, sequence and id by the headers; None for a record that names no event."""
    told = dict(record.headers)
    try:
        return told["ce_subject"].decode(), int(told["ce_sequence"]), told["ce_id"].decode()
    except (KeyError, ValueError, AttributeError):
        return None
