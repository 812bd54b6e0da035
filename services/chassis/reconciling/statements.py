"""What an owner says of its histories, through the topic ``<prefix>.statements``: ids and numbers, nothing else.

Another service cannot reach the owner's database, so the owner states and every consumer compares. A statement is a
part of a closed hour or a page of a round through all aggregates; each part stands for itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal, NamedTuple

from kafka import KafkaProducer
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.chassis.contracts.topics import CONNECT_MS, RECONNECT, statements_topic
from services.chassis.settings import Settings

LINES = 4000  # of one record: under half a megabyte
ANSWER_SECONDS = 20


class Line(NamedTuple):
    """Events ``first`` to ``last`` of an aggregate were written in the hour; ``event`` is the id of the last."""

    subject: str
    first: int
    last: int
    event: str


class Claim(NamedTuple):
    """An aggregate has ``version`` events, the last one ``event``; ``settled`` of them are long written."""

    subject: str
    settled: int
    version: int
    event: str


class _Statement(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    service: str
    aggregate: str
    run: str  # grows with time; of two runs over the same hour the later one counts
    at: int  # histories were read at this second or later, by the owner's database

    @property
    def source(self) -> str:
        """``complaints.case``."""
        return f"{self.service}.{self.aggregate}"


class Part(_Statement):
    """A part of what was written in a closed hour. The last one tells how many ``parts`` there are, and totals."""

    kind: Literal["hour"] = "hour"
    since: int
    until: int
    part: int
    parts: int = 0
    events: int = 0
    published: int | None = None  # of them in the topic; None: older than the topic keeps records
    lines: tuple[Line, ...] = ()


class Page(_Statement):
    """All aggregates with ids behind ``after``, up to ``upto`` (empty: to the end)."""

    kind: Literal["round"] = "round"
    after: str
    upto: str
    lines: tuple[Claim, ...] = ()


Statement = Annotated[Part | Page, Field(discriminator="kind")]
STATEMENT: TypeAdapter[Part | Page] = TypeAdapter(Statement)


class Speaking:
    """Publishes statements; they are in Kafka when the ``with`` block of ``speaking`` has ended."""

    def __init__(self, settings: Settings, producer: KafkaProducer) -> None:
        self._topic = statements_topic(settings)
        self._producer = producer
        self._futures: list[object] = []

    def say(self, statement: Part | Page) -> None:
        """Send one; statements of one source keep their order."""
        value = statement.model_dump_json().encode()
        self._futures.append(self._producer.send(self._topic, value, statement.source.encode()))

    def wait(self) -> None:
        """Return when Kafka has everything. Raises KafkaError."""
        for future in self._futures:
            future.get(timeout=ANSWER_SECONDS)  # type: ignore[attr-defined]
        self._futures.clear()


@contextmanager
def speaking(settings: Settings) -> Iterator[Speaking]:
    """Blocks; raises KafkaError when Kafka does not take everything."""
    producer = KafkaProducer(
        bootstrap_servers=settings.kafka.split(","),
        client_id=f"{settings.prefix}.{settings.service}.statements",
        acks="all",
        compression_type="gzip",
        max_block_ms=ANSWER_SECONDS * 1000,
        bootstrap_timeout_ms=CONNECT_MS,
        **RECONNECT,
    )
    try:
        own = Speaking(settings, producer)
        yield own
        own.wait()
    finally:
        producer.close(timeout=ANSWER_SECONDS)
