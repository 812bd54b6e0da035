"""Histories to Kafka once more, with their original types and versions: after a lost token, or on request.

Records may repeat and an old one may follow newer ones; consumers drop by subject and sequence.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson.timestamp import Timestamp
from pymongo.database import Database

from services.chassis.contracts.wire import encode
from services.chassis.publishing.publisher import Window

OVERLAP = timedelta(minutes=10)
FIELDS = {"history": 1, "archived": 1}


@dataclass(frozen=True)
class Choice:
    """Which entries to send. ``since`` is real time and reaches ten minutes further back; None is everything."""

    since: datetime | None = None
    subject: str | None = None
    from_seq: int = 1
    type: str | None = None  # case.registered or case.registered.v1

    def documents(self) -> dict[str, Any]:
        """The filter on aggregates: ``changed`` is set by the server's clock at every write."""
        chosen: dict[str, Any] = {}
        if self.since is not None:
            chosen["changed"] = {"$gte": Timestamp(max(0, int((self.since - OVERLAP).timestamp())), 0)}
        if self.subject is not None:
            chosen["_id"] = self.subject
        return chosen

    def takes(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry of a chosen aggregate is sent; its time is the domain's clock and does not count."""
        if entry["seq"] < self.from_seq:
            return False
        return self.type is None or entry["type"] == self.type or entry["type"].rpartition(".")[0] == self.type


class Pace:
    """At most ``per_second`` on the average, with a second's worth at once; waits in small steps until told to stop."""

    def __init__(self, per_second: float, stop: threading.Event) -> None:
        self._per_second = per_second
        self._stop = stop
        self._free_at = time.monotonic()

    def wait(self, number: int = 1) -> None:
        """Return when the next ``number`` may go."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now - 1.0) + number / self._per_second
        if self._free_at > now:
            self._stop.wait(self._free_at - now)


def entries_of(database: Database[dict[str, Any]], aggregate: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The whole history of an aggregate in order, with what was moved to the archive."""
    older: list[dict[str, Any]] = []
    if archived := document.get("archived"):
        parts = database[f"{aggregate}.archive"].find({"aggregate": document["_id"]}).sort("last", 1)
        older = [entry for part in parts for entry in part["entries"] if entry["seq"] <= archived]
    return older + [entry for entry in document["history"] if entry["seq"] > document.get("archived", 0)]


def chosen(
    database: Database[dict[str, Any]], aggregates: Sequence[str], choice: Choice
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Aggregate type, subject and entry, in the order of each history, for everything the choice takes."""
    for aggregate in aggregates:
        for document in database[aggregate].find(choice.documents(), FIELDS, batch_size=500):
            for entry in entries_of(database, aggregate, document):
                if choice.takes(entry):
                    yield aggregate, document["_id"], entry


def resend(
    database: Database[dict[str, Any]],
    service: str,
    topics: Mapping[str, str],
    choice: Choice,
    window: Window,
    before_each: Callable[[], None] = lambda: None,
) -> int:
    """Send what the choice takes and wait for Kafka's answers; ``topics``: aggregate type to topic.

    ``before_each`` may wait or raise. Returns how many records were sent.
    """
    count = 0
    for aggregate, subject, entry in chosen(database, list(topics), choice):
        before_each()
        window.send(topics[aggregate], encode(entry, service, subject), aggregate)
        window.settle()
        count += 1
    window.settle_all()
    return count
