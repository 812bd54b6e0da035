"""A record on its way through the guard: what it says, as far as that can be trusted, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from services.chassis.context import digest
from services.chassis.contracts.wire import Envelope, Undecodable, decode
from services.chassis.storage.driver import Document

Headers = Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None
WAITING = ("gap", "behind")  # parked for what comes before them, not for themselves
PASSING = ("early", "trouble")  # tried again by the worker itself, at growing intervals
LASTING = ("undecodable", "unknown-version", "schema", "refused", "unexpected")
REASONS = (*WAITING, "forked", *PASSING, *LASTING)


class Received(Protocol):
    """A record as any Kafka client hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an event could not be processed: one of REASONS, a stable code, the path of the field at fault."""

    reason: str
    code: str = ""
    field: str = ""
    tries: int = 1


class Item:
    """One record on its way through the guard: decoded, or as much of it as its headers tell.

    ``subject`` is empty when the record names no aggregate that can be trusted.
    """

    __slots__ = ("discarded", "envelope", "fault", "id", "record", "seq", "subject", "type")

    def __init__(self, record: Received, discarded: bool = False) -> None:
        self.record = record
        self.discarded = discarded
        self.envelope: Envelope | None = None
        self.fault: Fault | None = None
        try:
            envelope = self.envelope = decode(record.key, record.value, pairs(record.headers))
            self.subject, self.seq = envelope.subject, envelope.sequence
            self.id, self.type = envelope.id, envelope.type
        except Undecodable as error:
            self.fault = Fault("undecodable", error.code, error.field)
            self.subject, self.seq, self.id, self.type = _told(record)

    @property
    def row(self) -> str:
        """The ``_id`` under which this record is parked: the same at every delivery."""
        if self.subject:
            return digest(self.subject, str(self.seq), self.id)
        return digest(self.record.topic, str(self.record.partition), str(self.record.offset))


def _told(record: Received) -> tuple[str, int, str, str]:
    """Subject, sequence, id and type by the headers alone; an empty subject unless all are there and the key agrees."""
    headers: dict[str, bytes] = {}
    for name, content in pairs(record.headers):
        if name in headers and name.startswith("ce_"):
            return "", 0, "", ""
        headers[name] = content
    try:
        subject, event, kind = (headers[name].decode() for name in ("ce_subject", "ce_id", "ce_type"))
        sequence = headers["ce_sequence"]
    except (KeyError, UnicodeDecodeError):
        return "", 0, "", ""
    countable = sequence.isdigit() and len(sequence) < 19 and int(sequence) > 0
    if not (subject and event and kind and countable and record.key == headers["ce_subject"]):
        return "", 0, "", ""
    return subject, int(sequence), event, kind


def pairs(headers: Headers) -> list[tuple[str, bytes]]:
    """Headers as pairs, whatever the client made of them; a header without a value has an empty one."""
    found = headers.items() if isinstance(headers, Mapping) else headers or ()
    return [(str(name), bytes(content or b"")) for name, content in found]


@dataclass(slots=True)
class Stored:
    """A parked record, as ``Received``."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def item_of(row: Document) -> Item:
    """A parked row as it goes through the guard again."""
    headers = [(name, bytes(content)) for name, content in row["headers"]]
    record = Stored(row["topic"], row["partition"], row["offset"], row["key"], row["value"], headers)
    return Item(record, discarded="discard" in row)
