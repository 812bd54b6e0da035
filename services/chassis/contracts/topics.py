"""Topics exist, and every consumer group has a first offset on every partition, before a worker starts.

Why both, before: a topic that is missing at start is ignored for good, and a group without an offset starts where its
client's default says, which skips what was written in between or what has expired; neither is reported by anybody.
Workers therefore run with ``auto_offset_reset='none'``, and this module is the only one that writes first offsets.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import structlog
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
    TopicAlreadyExistsError,
    for_code,
)
from kafka.protocol.consumer import OffsetSpec
from kafka.structs import OffsetAndMetadata

from services.chassis.settings import Settings

if TYPE_CHECKING:
    from services.chassis.aggregate import Service

LOG = structlog.get_logger()
CONNECT_MS = 5_000
# For every client of kafka-python: its own pause between two tries to reach a broker grows to 30 s, so that a broker
# that was away for a minute would be back for half of one before anybody noticed.
RECONNECT: dict[str, int] = {"reconnect_backoff_ms": 100, "reconnect_backoff_max_ms": 1_000}
READY_MS = 30_000
COORDINATOR_MOVING = (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError)
T = TypeVar("T")
PAUSE_SECONDS = 0.5


class GroupBusy(Exception):
    """A partition has no first offset, and only an empty group may be given one: other members must leave first."""

    def __init__(self, group: str, partitions: Iterable[TopicPartition]) -> None:
        named = ", ".join(f"{each.topic}/{each.partition}" for each in sorted(partitions))
        super().__init__(f"group {group} is in use, and has no offset for {named}: stop its other workers first")


@dataclass(frozen=True)
class LostRange:
    """Offsets ``committed`` to ``start - 1`` of a partition are gone, undone by this group: republish the topic."""

    topic: str
    partition: int
    committed: int
    start: int


def group_of(settings: Settings) -> str:
    """The consumer group of a service's workers."""
    return f"{settings.prefix}.{settings.service}"


def relay_group_of(settings: Settings) -> str:
    """The consumer group in which a service's relay takes requests to republish."""
    return f"{settings.prefix}.{settings.service}.relay"


def republish_topic(settings: Settings) -> str:
    """Where any consumer asks any owner to send one aggregate's events again."""
    return f"{settings.prefix}.republish"


def statements_topic(settings: Settings) -> str:
    """Where owners say what their histories hold, so that every consumer can compare it with what it has applied."""
    return f"{settings.prefix}.statements"


def topics_of(settings: Settings, service: "Service") -> list[str]:
    """The topics a service writes, one for each aggregate type."""
    return [settings.topic(service.name, aggregate.name) for aggregate in service.aggregates]


async def ensure(settings: Settings, topics: Iterable[str], group: str | None = None) -> list[LostRange]:
    """Make missing topics; give ``group`` a first offset, the log's start, on each partition that has none.

    Idempotent, and safe beside others doing the same. An existing topic keeps its partitions: adding some moves
    aggregates to other partitions, which is an operator's decision. Returns what ``group`` has lost for good; the
    caller raises the alarm. Raises KafkaError while Kafka is away, GroupBusy as it says.
    """
    return await asyncio.to_thread(_ensure, settings, sorted(set(topics)), group)


def _ensure(settings: Settings, topics: list[str], group: str | None) -> list[LostRange]:
    if not topics:
        return []
    with _admin(settings) as admin:
        _make_missing(admin, settings, topics)
        partitions = _partitions(admin, topics)
        if group is None:
            return []
        starts = _log_starts(admin, partitions)
        _write_first_offsets(admin, group, starts)
        return _lost(starts, _committed(admin, group))


@contextmanager
def _admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(
        bootstrap_servers=settings.kafka.split(","),
        client_id=f"{settings.prefix}.{settings.service}.topics",
        bootstrap_timeout_ms=CONNECT_MS,
        **RECONNECT,
    )
    try:
        yield admin
    finally:
        admin.close()


def _make_missing(admin: KafkaAdminClient, settings: Settings, topics: list[str]) -> None:
    missing = sorted(set(topics) - set(admin.list_topics()))
    if not missing:
        return
    copies = settings.replication
    wanted = {
        topic: {
            "num_partitions": settings.partitions,
            "replication_factor": copies,
            "configs": {"min.insync.replicas": str(max(1, copies - 1))},
        }
        for topic in missing
    }
    answer = admin.create_topics(wanted, raise_errors=False)
    for made in answer["topics"]:
        error = for_code(made["error_code"])
        if made["error_code"] and error is not TopicAlreadyExistsError:
            raise error(f"{made['name']}: {made.get('error_message')}")
    admin.wait_for_topics(missing, timeout_ms=READY_MS)


def _partitions(admin: KafkaAdminClient, topics: list[str]) -> list[TopicPartition]:
    return [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics(topics)
        for partition in topic["partitions"]
    ]


def _log_starts(admin: KafkaAdminClient, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    found = admin.list_partition_offsets({partition: OffsetSpec.EARLIEST for partition in partitions})
    return {partition: position.offset for partition, position in found.items()}


def _committed(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    offsets = _when_coordinated(lambda: admin.list_group_offsets(group)[group])
    return {partition: position.offset for partition, position in offsets.items() if position.offset >= 0}


def _when_coordinated(ask: Callable[[], T]) -> T:
    # A fresh cluster makes its offsets topic when first asked, and a coordinator may be moving.
    deadline = time.monotonic() + READY_MS / 1000
    while True:
        try:
            return ask()
        except COORDINATOR_MOVING:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def _write_first_offsets(admin: KafkaAdminClient, group: str, starts: Mapping[TopicPartition, int]) -> None:
    # A worker that started at the same moment may do this too: whoever comes second finds the offsets written.
    deadline = time.monotonic() + READY_MS / 1000
    while missing := starts.keys() - _committed(admin, group).keys():
        wanted = {each: OffsetAndMetadata(starts[each], "first", -1) for each in missing}
        refused = {each: error for each, error in admin.alter_group_offsets(group, wanted).items() if error.errno}
        if refused and time.monotonic() > deadline:
            raise GroupBusy(group, refused)
        if refused:
            LOG.warning("first_offsets_refused", group=group, partitions=len(refused))
            time.sleep(PAUSE_SECONDS)


def _lost(starts: Mapping[TopicPartition, int], committed: Mapping[TopicPartition, int]) -> list[LostRange]:
    return [
        LostRange(each.topic, each.partition, committed[each], start)
        for each, start in sorted(starts.items())
        if committed[each] < start
    ]


__all__ = [
    "RECONNECT", "GroupBusy", "KafkaError", "LostRange", "ensure", "group_of", "relay_group_of", "republish_topic",
    "statements_topic", "topics_of",
]  # fmt: skip
