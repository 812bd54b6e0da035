"""The stored form of an aggregate: what is inserted, what an update sets, and how large it may be."""

from datetime import date, datetime
from typing import Any, Protocol

import bson
from bson.codec_options import CodecOptions, TypeRegistry
from bson.errors import InvalidDocument
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp
from pymongo import InsertOne, UpdateOne

from services.chassis.errors import Invalid
from services.chassis.storage.driver import Document

LARGEST = 256 * 1024  # bytes of one command's write; also what Kafka takes without a question
UNPUBLISHED = frozenset({"by", "op", "body", "private", "after"})


def _as_text(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value


_OPTIONS: CodecOptions[Any] = CodecOptions(tz_aware=True, type_registry=TypeRegistry(fallback_encoder=_as_text))


class Decided(Protocol):
    """State after the events, their entries, and what was sealed and keyed with them."""

    @property
    def state(self) -> Any: ...
    @property
    def entries(self) -> list[Document]: ...
    @property
    def sealed(self) -> dict[str, Any]: ...
    @property
    def keys(self) -> dict[str, list[str]]: ...


def published(entries: list[Document]) -> list[Document]:
    """Entries as they leave the service: without who did it, the request's hashes and anything sealed."""
    return [{name: value for name, value in entry.items() if name not in UNPUBLISHED} for entry in entries]


def first_due(state: Any) -> datetime | None:
    """The earliest deadline in the state, if it has any."""
    due = getattr(state, "due", ())
    return min((item.at for item in due), default=None)


def insertion(schema: int, aggregate_id: str, scope: list[str], decided: Decided) -> Document:
    """The whole document of a new aggregate. The server fills the empty timestamp with its own time."""
    document: Document = {
        "_id": aggregate_id,
        "schema": schema,
        "unit": decided.state.unit,
        "scope": scope,
        "version": len(decided.entries),
        "changed": Timestamp(0, 0),
        "state": decided.state.model_dump(),
        "sealed": decided.sealed,
        "keys": decided.keys,
        "history": decided.entries,
        "out": published(decided.entries),
    }
    due = first_due(decided.state)
    if due is not None:
        document["next_due"] = due
    return document


def changed_fields(before: Any, after: Any) -> Document:
    """The top-level fields of the state that differ, in stored form; what an older reader knows not stays."""
    names = {name for name in type(after).model_fields if getattr(before, name) != getattr(after, name)}
    dumped: Document = after.model_dump(include=names) if names else {}
    return dumped


def update(schema: int, decided: Decided, changed: Document) -> Document:
    """The update that appends the entries and sets what they changed."""
    fields: Document = {f"state.{name}": value for name, value in changed.items()}
    fields |= {f"sealed.{purpose}": blob for purpose, blob in decided.sealed.items()}
    fields |= {f"keys.{name}": hashes for name, hashes in decided.keys.items()}
    fields |= {"schema": schema, "version": decided.entries[-1]["seq"], "out": published(decided.entries)}
    due = first_due(decided.state)
    if due is not None:
        fields["next_due"] = due
    return {
        "$set": fields,
        "$push": {"history": {"$each": decided.entries}},
        "$currentDate": {"changed": {"$type": "timestamp"}},
    }


def operation(aggregate_id: str, version: int, change: Document) -> tuple[InsertOne[Any] | UpdateOne, int]:
    """The bulk operation and its size in bytes, encoded here so that one bad value fails nobody else.

    Raises Invalid("value-not-storable") and Invalid("record-too-large").
    """
    try:
        encoded = bson.encode(change, codec_options=_OPTIONS)
    except (InvalidDocument, OverflowError, UnicodeEncodeError, bson.errors.InvalidStringData):
        raise Invalid("value-not-storable") from None
    if len(encoded) > LARGEST:
        raise Invalid("record-too-large", limit=LARGEST, size=len(encoded))
    raw = RawBSONDocument(encoded)
    if version == 0:
        return InsertOne(raw), len(encoded)
    return UpdateOne({"_id": aggregate_id, "version": version}, raw), len(encoded)
