"""What histories hold in a stretch of real time, and page by page.

An entry's own time is the domain's. When it was really written is told by the server: the aggregate's ``changed`` for
the last write, and for each earlier one the ``after`` of the write behind it.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from bson.timestamp import Timestamp
from pymongo.database import Database

from services.chassis.publishing.resend import entries_of

SHARE = 50_000  # aggregates that are compared in memory at once
Blocking = Database[dict[str, Any]]
FIELDS = {"version": 1, "changed": 1, "archived": 1} | {
    f"history.{name}": 1 for name in ("id", "seq", "type", "op", "after")
}
PAGE_FIELDS: dict[str, Any] = {"version": 1, "changed": 1, "last": {"$last": "$history.id"}}


class Entry(NamedTuple):
    """One entry of a history. ``second``: when it was written, by the database's clock; None when nobody knows."""

    seq: int
    id: str
    type: str  # case.registered.v1
    second: int | None


class Share(NamedTuple):
    """One of several shares of the aggregates, so that an hour with very many is compared in bounded memory."""

    number: int = 0
    of: int = 1

    def takes(self, subject: str) -> bool:
        """Whether the aggregate belongs to this share."""
        return self.of == 1 or zlib.crc32(subject.encode()) % self.of == self.number


class Standing(NamedTuple):
    """How far the history of one aggregate has come."""

    subject: str
    version: int
    event: str  # the id of its last event
    changed: int  # the second of the last write


def timed(history: Iterable[Mapping[str, Any]], changed: Timestamp) -> Iterator[Entry]:
    """A history (oldest first) from its end, each entry with the second in which it was written."""
    second: int | None = changed.time
    newer: Mapping[str, Any] | None = None
    for entry in reversed(list(history)):
        if newer is not None and newer["op"] != entry["op"]:
            second = newer["after"].time if "after" in newer else None
        yield Entry(entry["seq"], entry["id"], entry["type"], second)
        newer = entry


def count(database: Blocking, aggregate: str, since: int) -> int:
    """How many aggregates were written since."""
    return database[aggregate].count_documents(_written_since(since))


def written(
    database: Blocking, aggregate: str, since: int, until: int, share: Share = Share()
) -> Iterator[tuple[str, list[Entry]]]:
    """Aggregates with the entries written from ``since`` to before ``until``, oldest first; archive included.

    An aggregate that is written meanwhile may come twice, with the same entries.
    """
    for document in database[aggregate].find(_written_since(since), FIELDS, sort=[("changed", 1)], batch_size=500):
        if share.takes(document["_id"]):
            entries = _between(database, aggregate, document, since, until)
            if entries:
                yield document["_id"], entries


def history(database: Blocking, aggregate: str, subject: str) -> list[Entry]:
    """The whole history of one aggregate, oldest first; empty when there is none."""
    document = database[aggregate].find_one({"_id": subject}, FIELDS)
    if document is None:
        return []
    return list(timed(entries_of(database, aggregate, document), document["changed"]))[::-1]


def page(database: Blocking, aggregate: str, after: str, limit: int) -> list[Standing]:
    """The aggregates behind ``after`` by id, at most ``limit``."""
    found = database[aggregate].find({"_id": {"$gt": after}}, PAGE_FIELDS, sort=[("_id", 1)], limit=limit)
    return [standing(document) for document in found]


def since(database: Blocking, aggregate: str, second: int, limit: int) -> Iterator[list[Standing]]:
    """The aggregates written since, at most ``limit`` at a time."""
    portion: list[Standing] = []
    for document in database[aggregate].find(_written_since(second), PAGE_FIELDS, sort=[("changed", 1)]):
        portion.append(standing(document))
        if len(portion) == limit:
            yield portion
            portion = []
    yield portion


def standings(database: Blocking, aggregate: str, subjects: Iterable[str]) -> list[Standing]:
    """These aggregates, as far as they exist."""
    return [standing(each) for each in database[aggregate].find({"_id": {"$in": list(subjects)}}, PAGE_FIELDS)]


def standing(document: Mapping[str, Any]) -> Standing:
    """A document fetched with ``PAGE_FIELDS``."""
    return Standing(document["_id"], document["version"], document["last"], document["changed"].time)


def _written_since(since: int) -> dict[str, Any]:
    return {"changed": {"$gte": Timestamp(since, 0)}}


def _between(database: Blocking, aggregate: str, document: Mapping[str, Any], since: int, until: int) -> list[Entry]:
    newest_first = list(timed(document["history"], document["changed"]))
    reaches_back = newest_first[-1].second is not None and newest_first[-1].second >= since
    if reaches_back and document.get("archived"):
        newest_first = list(timed(entries_of(database, aggregate, document), document["changed"]))
    found = [entry for entry in newest_first if entry.second is not None and since <= entry.second < until]
    return found[::-1]
