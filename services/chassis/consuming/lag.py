"""Where a consumer group stands, as Kafka tells it: lag, assignment, and whether anything moves."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kafka import KafkaAdminClient, TopicPartition
from kafka.protocol.consumer import OffsetSpec
from kafka.structs import OffsetAndMetadata

from services.chassis.contracts.topics import CONNECT_MS, RECONNECT, GroupBusy, LostRange, group_of
from services.chassis.settings import Settings

Partition = tuple[str, int]


@dataclass(frozen=True)
class Standing:
    """One look at a group. ``unassigned`` are partitions that no member has."""

    committed: dict[Partition, int]
    ends: dict[Partition, int]
    unassigned: list[Partition] = field(default_factory=list)

    def lag(self) -> dict[Partition, int]:
        """Events that wait, by partition."""
        return {each: max(0, end - self.committed.get(each, 0)) for each, end in self.ends.items()}


class Group:
    """One long-lived client that looks at the group of a service; its calls block. Raises KafkaError."""

    def __init__(self, settings: Settings, topics: Sequence[str]) -> None:
        self._settings = settings
        self._topics = list(topics)
        self._group = group_of(settings)
        self._admin: KafkaAdminClient | None = None

    def look(self) -> Standing:
        """Committed offsets, ends and assignment, now."""
        admin = self._client()
        wanted = [
            TopicPartition(topic["name"], partition["partition_index"])
            for topic in admin.describe_topics(self._topics)
            for partition in topic["partitions"]
        ]
        ends = admin.list_partition_offsets({each: OffsetSpec.LATEST for each in wanted})
        committed = admin.list_group_offsets(self._group)[self._group]
        assigned = _assigned(admin, self._group)
        return Standing(
            committed={(each.topic, each.partition): at.offset for each, at in committed.items()},
            ends={(each.topic, each.partition): at.offset for each, at in ends.items()},
            unassigned=sorted({(each.topic, each.partition) for each in wanted} - assigned),
        )

    def move_to_start(self, lost: Iterable[LostRange]) -> None:
        """Continue each lost range at the log's start. Raises GroupBusy while the group has members."""
        wanted = {TopicPartition(each.topic, each.partition): OffsetAndMetadata(each.start, "", -1) for each in lost}
        answers = self._client().alter_group_offsets(self._group, wanted)
        refused = [each for each, error in answers.items() if error.errno]
        if refused:
            raise GroupBusy(self._group, refused)

    def close(self) -> None:
        """Let go of the connection."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _client(self) -> KafkaAdminClient:
        if self._admin is None:
            self._admin = KafkaAdminClient(
                bootstrap_servers=self._settings.kafka.split(","),
                client_id=f"{self._settings.prefix}.{self._settings.service}.lag",
                bootstrap_timeout_ms=CONNECT_MS,
                request_timeout_ms=5_000,
                **RECONNECT,
            )
        return self._admin


def _assigned(admin: KafkaAdminClient, group: str) -> set[Partition]:
    described = admin.describe_groups([group])[group]
    found: set[Partition] = set()
    for member in described["members"]:
        assignment = member["member_assignment"] or {}
        for topic in assignment.get("assigned_partitions", ()):
            found |= {(topic["topic"], number) for number in topic["partitions"]}
    return found


class Movement:
    """Whether the committed offsets of partitions with lag move. Seconds of a monotonic clock."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._last: dict[Partition, tuple[int, float]] = {}  # of those with lag: committed, since when

    def stuck(self, standing: Standing, mine: Iterable[Partition], now: float | None = None) -> list[Partition]:
        """Those of ``mine`` that have had lag and stood still for longer than the patience."""
        now = time.monotonic() if now is None else now
        lag = standing.lag()
        last: dict[Partition, tuple[int, float]] = {}
        for each in mine:
            if lag.get(each):
                committed = standing.committed.get(each, 0)
                before = self._last.get(each)
                last[each] = before if before and before[0] == committed else (committed, now)
        self._last = last
        return [each for each, (_, since) in last.items() if now - since > self._patience]
