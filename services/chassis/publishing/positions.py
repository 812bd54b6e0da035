"""How far a relay's events are known to be in Kafka, guarded by the fencing token of its lease.

One document ``position`` in the collection ``relay``: ``token`` is the change stream's resume token up to which Kafka
has answered, ``mark`` an instant by the server's clock before which every change has been published, ``fence`` the
largest fencing token that has claimed the document.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from services.chassis.storage.driver import Database

NAME = "position"
Token = Mapping[str, Any]


async def published_to(database: Database) -> datetime | None:
    """The instant by the server's clock before which every change of a service has been published; None before any."""
    found = await database.collection("relay").find_one({"_id": NAME}, {"mark": 1})
    mark: datetime | None = found.get("mark") if found else None
    return mark


class Fenced(Exception):
    """A later holder has claimed the position: this one is stale and must stop."""


@dataclass(frozen=True)
class Position:
    """Where to start from. Without a token everything changed after ``mark`` is read again, or everything."""

    token: Token | None
    mark: datetime | None


class Positions:
    """The acknowledged position as seen by the holder of ``fence``. Calls block; all raise PyMongoError."""

    def __init__(self, collection: Collection[dict[str, Any]], fence: int) -> None:
        self._collection = collection
        self._fence = fence

    def claim(self) -> Position:
        """Shut out every earlier holder and return the position. Raises Fenced."""
        while True:
            found = self._collection.find_one_and_update(
                {"_id": NAME, "fence": {"$lte": self._fence}},
                {"$set": {"fence": self._fence}},
                return_document=ReturnDocument.AFTER,
            )
            if found is not None:
                return Position(found.get("token"), found.get("mark"))
            if self._collection.find_one({"_id": NAME}) is not None:
                raise Fenced(NAME)
            with contextlib.suppress(DuplicateKeyError):
                self._collection.insert_one({"_id": NAME, "fence": self._fence})

    def store(self, token: Token, *, changed: datetime | None, age: float) -> None:
        """Keep a token whose changes Kafka has. Raises Fenced.

        ``changed`` is the server's time of the last change before the token; without one, the token says that there
        was nothing to publish when it was read, ``age`` seconds ago.
        """
        read = {"$subtract": ["$$NOW", round(age * 1000)]}
        mark: Any = read if changed is None else {"$min": [changed, read]}
        kept = self._collection.update_one(
            {"_id": NAME, "fence": self._fence}, [{"$set": {"token": {"$literal": dict(token)}, "mark": mark}}]
        )
        if kept.matched_count == 0:
            raise Fenced(NAME)
