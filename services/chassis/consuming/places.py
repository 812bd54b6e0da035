"""How far each source aggregate has been applied: one place per consumer and aggregate.

A place is written after the effects of an event and before its acknowledgement, guarded by what was read, so that two
workers that hold the same partition for a moment, or a worker and a replay, cannot both move it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from pymongo import InsertOne, UpdateOne

from services.chassis.storage.driver import BulkWriteError, Collection, Database

DUPLICATE_KEY = 11000


@dataclass(slots=True)
class Place:
    """How far one aggregate's events have been applied here. Sequences count from 1; 0 is none."""

    seq: int = 0  # the last one applied, passed over or discarded
    last_id: str = ""  # its event's id: another id under the same sequence is a forked history
    parked: int = 0  # the highest one ever parked: above ``seq`` means that something waits
    blocked: int = 0  # the one that could not be processed; what follows waits behind it
    forked: int = 0  # where the source's history was seen to differ; nothing moves until somebody decides
    revision: int = 0  # counts the writes of this place; 0 has not been written

    def copy(self) -> "Place":
        """An independent copy."""
        return Place(self.seq, self.last_id, self.parked, self.blocked, self.forked, self.revision)

    def waits(self) -> bool:
        """Whether a later event of this aggregate may lie parked."""
        return self.parked > self.seq


_FIELDS = tuple(each.name for each in fields(Place))


class Move(NamedTuple):
    """A place as it was read and as it is to be; ``move`` counts the revision.

    ``certain``: write it even unchanged, so that it is known that nobody else moved it since it was read.
    """

    subject: str
    before: Place
    after: Place
    certain: bool = False


class Places:
    """The places of one consumer."""

    def __init__(self, database: Database, consumer: str) -> None:
        self._collection: Collection = database.collection("places")
        self._consumer = consumer

    def id_of(self, subject: str) -> str:
        """The ``_id`` of an aggregate's place."""
        return f"{self._consumer}|{subject}"

    async def read(self, subjects: Iterable[str]) -> dict[str, Place]:
        """The places of these aggregates; one that has none yet stands at 0."""
        wanted = {self.id_of(subject): subject for subject in subjects}
        found = {subject: Place() for subject in wanted.values()}
        for document in await self._collection.find({"_id": {"$in": list(wanted)}}):
            found[wanted[document["_id"]]] = place_of(document)
        return found

    async def of(self, subject: str) -> Place:
        """The place of one aggregate."""
        return (await self.read([subject]))[subject]

    async def move(self, moves: Sequence[Move]) -> set[str]:
        """Write the places that changed; return the aggregates whose place somebody else had moved meanwhile.

        Raises PyMongo's errors while the server is away; the same moves may then be sent again.
        """
        changed = [each for each in moves if each.certain or each.before != each.after]
        if not changed:
            return set()
        for each in changed:
            each.after.revision = each.before.revision + 1
        try:
            result = await self._collection.bulk_write([self._operation(each) for each in changed])
            if result.matched_count + result.inserted_count == len(changed):
                return set()
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
        stored = await self.read(each.subject for each in changed)
        return {each.subject for each in changed if stored[each.subject] != each.after}

    def _operation(self, move: Move) -> InsertOne[Any] | UpdateOne:
        before, after = move.before, move.after
        document: dict[str, Any] = {"_id": self.id_of(move.subject)}
        if before.revision == 0:
            return InsertOne(document | {name: getattr(after, name) for name in _FIELDS})
        document["revision"] = before.revision
        changed = {name: value for name in _FIELDS if (value := getattr(after, name)) != getattr(before, name)}
        return UpdateOne(document, {"$set": changed})


def place_of(document: Mapping[str, Any]) -> Place:
    """A stored place."""
    return Place(*[document[name] for name in _FIELDS])


def only_duplicates(error: BulkWriteError) -> bool:
    """Whether everything that failed in a bulk write failed because the ``_id`` was there already."""
    details: Mapping[str, Any] = error.details or {}
    failed = details.get("writeErrors", ())
    return not details.get("writeConcernErrors") and all(each["code"] == DUPLICATE_KEY for each in failed)
