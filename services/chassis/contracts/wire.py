"""Events on the wire: CloudEvents 1.0 over the Kafka protocol binding, binary content mode.

Attributes travel as headers, the data as a JSON object, the aggregate's id as key and subject. Writers are closed: what
leaves was checked by its event class. Readers are open: an unknown field or header is not an error.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, field_validator

from services.kernel.events import depth, refuse_unstorable

SPEC_VERSION = b"1.0"
CONTENT_TYPE = b"application/json"
MAX_VALUE_BYTES = 1_000_000  # a broker's default limit for a record is a little over this
DEEPEST = 64  # levels of nesting; MongoDB ends at 100
Headers = list[tuple[str, bytes]]

_NAME = r"[a-z][a-z0-9_-]*"
_ENTRY_TYPE = re.compile(rf"({_NAME})\.({_NAME})\.v([1-9][0-9]{{0,3}})")
_FULL_TYPE = re.compile(rf"linli\.({_NAME})\.(({_NAME})\.{_NAME})\.v([1-9][0-9]{{0,3}})")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_SEQUENCE = re.compile(rb"[1-9][0-9]{0,17}")
_OUT_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
REQUIRED_HEADERS = (
    "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_district", "ce_unit", "ce_sequence",
)  # fmt: skip


class Unpublishable(ValueError):
    """An event that cannot leave: ``code`` is stable, ``field`` the path in the entry. Nothing of the input is told."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(f"{code}: {field}")
        self.code, self.field = code, field


class Undecodable(ValueError):
    """A record that is no event of ours: ``code`` is stable, ``field`` the header, ``key`` or ``value`` at fault.

    Codes: ``header-missing``, ``header-repeated``, ``header-malformed``, ``specversion-unknown``, ``type-malformed``,
    ``source-mismatch``, ``sequence-malformed``, ``time-malformed``, ``content-type-unknown``, ``key-missing``,
    ``key-mismatch``, ``value-missing``, ``value-too-large``, ``value-too-deep``, ``value-not-json``,
    ``value-not-object``.
    """

    def __init__(self, code: str, field: str) -> None:
        super().__init__(f"{code}: {field}")
        self.code, self.field = code, field


class Reader(BaseModel):
    """Base of what a consumer reads of another service's event: only the fields it needs, the others are ignored.

    What no store can hold is refused here: a reaction that met it first would end the process.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        refuse_unstorable(value)
        return value


@dataclass(frozen=True, slots=True)
class Envelope:
    """One received event. ``sequence`` counts the events of ``subject`` from 1; ``time`` is aware, UTC."""

    id: str
    type: str  # linli.complaints.case.registered.v1
    service: str
    aggregate: str
    name: str  # case.registered
    version: int
    subject: str
    sequence: int
    time: datetime
    district: str
    unit: str
    causation: str | None
    trace: str | None
    data: dict[str, Any]
    scope: tuple[str, ...] = ()  # the district down to the unit and its grids, as the tree was that day


class Record(NamedTuple):
    """What is handed to a producer: an aggregate's records share the key, hence the partition, hence the order."""

    key: bytes
    value: bytes
    headers: Headers


class _Kind(NamedTuple):
    type: str
    service: str
    aggregate: str
    name: str
    version: int
    source: bytes


def schema_id(full_type: str) -> str:
    """The ``dataschema`` of an event type and the ``$id`` of its published JSON Schema."""
    return f"urn:linli:schema:{full_type}"


@lru_cache(maxsize=4096)
def _constant_headers(entry_type: str, service: str) -> Headers:
    if _ENTRY_TYPE.fullmatch(entry_type) is None:
        raise Unpublishable("type-malformed", "type")
    full_type = f"linli.{service}.{entry_type}"
    return [
        ("content-type", CONTENT_TYPE),
        ("ce_specversion", SPEC_VERSION),
        ("ce_type", full_type.encode()),
        ("ce_source", f"/linli/{service}".encode()),
        ("ce_dataschema", schema_id(full_type).encode()),
    ]


def encode(entry: Mapping[str, Any], service: str, subject: str) -> Record:
    """The record of one history entry of the aggregate ``subject``; ``entry["type"]`` is ``case.registered.v1``.

    Raises Unpublishable when JSON cannot carry the data (lone surrogate, NaN, more than 64 bits, bytes) or when the
    value is over ``MAX_VALUE_BYTES``; ``KeyError`` when the entry lacks a field, which is a defect of the writer.
    """
    data = entry["data"]
    try:
        value = orjson.dumps(data, option=_OUT_OPTIONS)
        key = subject.encode()
        variable: Headers = [
            ("ce_id", entry["id"].encode()),
            ("ce_subject", key),
            ("ce_time", _written(entry["at"])),
            ("ce_sequence", str(entry["seq"]).encode()),
            ("ce_district", entry["district"].encode()),
            ("ce_unit", entry["unit"].encode()),
        ]
        if entry.get("cause"):
            variable.append(("ce_causationid", entry["cause"].encode()))
        if entry.get("trace"):
            variable.append(("traceparent", entry["trace"].encode()))
        if entry.get("scope"):
            variable.append(("ce_scope", ",".join(entry["scope"]).encode()))
    except (TypeError, UnicodeEncodeError):
        raise Unpublishable("value-not-json", "data") from None
    if len(value) > MAX_VALUE_BYTES:
        raise Unpublishable("value-too-large", "data")
    if b"null" in value and _holds_no_number(data):
        raise Unpublishable("number-not-finite", "data")
    return Record(key, value, _constant_headers(entry["type"], service) + variable)


def _written(at: datetime) -> bytes:
    moment = at.astimezone(UTC) if at.tzinfo is not None else at
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00").encode() + b"Z"


def _holds_no_number(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(_holds_no_number(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(_holds_no_number(item) for item in value)


def decode(
    key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]]
) -> Envelope:
    """The event in a record as any Kafka client hands it over; raises Undecodable."""
    attributes = _attributes(headers)
    if attributes["ce_specversion"] != SPEC_VERSION:
        raise Undecodable("specversion-unknown", "ce_specversion")
    kind = _kind(attributes["ce_type"])
    if attributes["ce_source"] != kind.source:
        raise Undecodable("source-mismatch", "ce_source")
    if _SEQUENCE.fullmatch(attributes["ce_sequence"]) is None:
        raise Undecodable("sequence-malformed", "ce_sequence")
    return Envelope(
        id=_text(attributes, "ce_id"),
        type=kind.type,
        service=kind.service,
        aggregate=kind.aggregate,
        name=kind.name,
        version=kind.version,
        subject=_subject(key, attributes),
        sequence=int(attributes["ce_sequence"]),
        time=_read_time(_text(attributes, "ce_time")),
        district=_text(attributes, "ce_district"),
        unit=_text(attributes, "ce_unit"),
        causation=_optional(attributes, "ce_causationid"),
        trace=_optional(attributes, "traceparent"),
        data=_data(value, attributes),
        scope=tuple(_text(attributes, "ce_scope").split(",")) if attributes.get("ce_scope") else (),
    )


def _attributes(headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    pairs: Sequence[tuple[str, bytes]] = list(headers.items() if isinstance(headers, Mapping) else headers or ())
    attributes = dict(pairs)
    if len(attributes) != len(pairs):
        _refuse_repeated([name for name, _ in pairs])
    for name in REQUIRED_HEADERS:
        if not attributes.get(name):
            raise Undecodable("header-missing", name)
    return attributes


def _refuse_repeated(names: Sequence[str]) -> None:
    for name in names:
        if name.startswith("ce_") and names.count(name) > 1:
            raise Undecodable("header-repeated", name)


@lru_cache(maxsize=4096)
def _kind(raw: bytes) -> _Kind:
    try:
        matched = _FULL_TYPE.fullmatch(raw.decode("ascii"))
    except UnicodeDecodeError:
        matched = None
    if matched is None:
        raise Undecodable("type-malformed", "ce_type")
    service, name, aggregate, version = matched.groups()
    return _Kind(matched[0], service, aggregate, name, int(version), f"/linli/{service}".encode())


def _text(attributes: Mapping[str, bytes], name: str) -> str:
    try:
        return attributes[name].decode()
    except UnicodeDecodeError:
        raise Undecodable("header-malformed", name) from None


def _optional(attributes: Mapping[str, bytes], name: str) -> str | None:
    return _text(attributes, name) if attributes.get(name) else None


def _subject(key: bytes | None, attributes: Mapping[str, bytes]) -> str:
    if not key:
        raise Undecodable("key-missing", "key")
    if key != attributes["ce_subject"]:
        raise Undecodable("key-mismatch", "key")
    return _text(attributes, "ce_subject")


def _read_time(text: str) -> datetime:
    try:
        if _TIME.fullmatch(text) is None:
            raise ValueError(text)
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Undecodable("time-malformed", "ce_time") from None


def _data(value: bytes | None, attributes: Mapping[str, bytes]) -> dict[str, Any]:
    content_type = attributes.get("content-type") or CONTENT_TYPE
    if content_type.split(b";")[0].strip().lower() != CONTENT_TYPE:
        raise Undecodable("content-type-unknown", "content-type")
    if value is None:
        raise Undecodable("value-missing", "value")
    if len(value) > MAX_VALUE_BYTES:
        raise Undecodable("value-too-large", "value")
    try:
        data = orjson.loads(value)
    except orjson.JSONDecodeError:
        raise Undecodable("value-not-json", "value") from None
    if not isinstance(data, dict):
        raise Undecodable("value-not-object", "value")
    if value.count(b"{") + value.count(b"[") > DEEPEST and depth(data) > DEEPEST:
        raise Undecodable("value-too-deep", "value")
    return data
