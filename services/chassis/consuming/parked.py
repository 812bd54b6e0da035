"""What could not be processed: kept whole, with its reason, until it is applied, replayed or discarded.

A row holds the record as it came (key, value, headers, coordinates), what its headers tell, why it is here and how
often it was tried. Nothing of a record's content is ever written to a log or an error.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pymongo import UpdateOne

from services.chassis.consuming.places import only_duplicates
from services.chassis.consuming.records import PASSING, WAITING, Fault, Item, pairs
from services.chassis.storage.driver import BulkWriteError, Collection, Database, Document

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)  # between tries of what may pass
MOST_ROUNDS = 20  # over an hour; after that it waits for somebody to replay it


class Parked:
    """The parked records of one consumer."""

    def __init__(self, database: Database) -> None:
        self._rows: Collection = database.collection("parked")
        self._discarded: Collection = database.collection("discarded")

    async def ensure_indexes(self) -> None:
        """By aggregate and sequence; by reason and age; by coordinates."""
        await self._rows.ensure_indexes(("subject", "seq"), ("reason", "first_at"), ("first_at",), ("time",))

    async def keep(self, parked: Sequence[tuple[Item, Fault]]) -> None:
        """Park these, or count one more try for those that are parked already."""
        if not parked:
            return
        now = datetime.now(UTC)
        try:
            await self._rows.bulk_write([_upsert(item, fault, now) for item, fault in parked])
        except BulkWriteError as error:
            if not only_duplicates(error):  # somebody else parked the same at the same moment
                raise

    async def forget(self, rows: Sequence[str]) -> None:
        """Delete what has been applied or passed over; a discarded row moves to the record of discards."""
        if not rows:
            return
        discarded = await self._rows.find({"_id": {"$in": list(rows)}, "discard": {"$exists": True}})
        for row in discarded:
            await self._discarded.replace_one({"_id": row["_id"]}, row, upsert=True)
        await self._rows.delete_many({"_id": {"$in": list(rows)}})

    async def at(self, subject: str, seq: int) -> list[Document]:
        """The rows of an aggregate at one sequence, a discarded one first, then the oldest; no forks."""
        return await self._rows.find(
            {"subject": subject, "seq": seq, "reason": {"$ne": "forked"}}, sort=[("discard.at", -1), ("first_at", 1)]
        )

    async def get(self, row: str) -> Document | None:
        """One row by its ``_id``."""
        return await self._rows.find_one({"_id": row})

    async def page(self, *, reason: str | None = None, after: str | None = None, limit: int = 50) -> list[Document]:
        """Rows without their content, by ``_id``; ``after`` is the last ``_id`` of the page before."""
        wanted: Document = {"reason": reason} if reason else {}
        if after:
            wanted["_id"] = {"$gt": after}
        return await self._rows.find(wanted, {"key": 0, "value": 0, "headers": 0}, sort=[("_id", 1)], limit=limit)

    async def mark_discarded(self, row: str, by: str, why: str) -> bool:
        """Say that this row is to be passed over when its turn comes."""
        mark = {"by": by, "why": why, "at": datetime.now(UTC)}
        return bool(await self._rows.update_one({"_id": row}, {"$set": {"discard": mark}}))

    async def count(self, reasons: Sequence[str] = ()) -> int:
        """How many rows there are, of these reasons or of any."""
        return await self._rows.count({"reason": {"$in": list(reasons)}} if reasons else {})

    async def oldest(self) -> datetime | None:
        """The time of the oldest event that lies parked, or when it was parked if its time cannot be read."""
        found = await self._rows.find({}, {"time": 1, "first_at": 1}, sort=[("time", 1)], limit=1)
        return found[0].get("time", found[0]["first_at"]) if found else None

    async def waiting(self, older: timedelta, again: timedelta, limit: int = 500) -> list[Document]:
        """Aggregates that have waited ``older`` for an earlier event, and were not looked at within ``again``.

        Each is ``{_id: subject, seq: the first that waits, type}``.
        """
        now = datetime.now(UTC)
        wanted: Document = {"reason": {"$in": list(WAITING)}, "first_at": {"$lt": now - older}}
        wanted["$or"] = [{"asked_at": {"$exists": False}}, {"asked_at": {"$lt": now - again}}]
        first = {"_id": "$subject", "seq": {"$min": "$seq"}, "type": {"$first": "$type"}}
        return await self._rows.aggregate([{"$match": wanted}, {"$group": first}, {"$limit": limit}])

    async def mark_looked_at(self, subjects: Sequence[str], reason: str) -> None:
        """These aggregates' waiting rows wait for this reason, ``gap`` or ``behind``, and were looked at now."""
        if subjects:
            wanted = {"subject": {"$in": list(subjects)}, "reason": {"$in": list(WAITING)}}
            await self._rows.update_many(wanted, {"$set": {"reason": reason, "asked_at": datetime.now(UTC)}})

    async def due(self, limit: int = 50) -> list[str]:
        """Rows whose trouble may have passed, claimed for one more try; each is given ever longer pauses."""
        now = datetime.now(UTC)
        wanted = {
            "reason": {"$in": list(PASSING)},
            "rounds": {"$not": {"$gte": MOST_ROUNDS}},
            "next_at": {"$not": {"$gt": now}},
            "last_at": {"$lt": now - FIRST_PAUSE},
        }
        claimed = []
        for row in await self._rows.find(wanted, {"rounds": 1, "seq": 1}, sort=[("seq", 1)], limit=limit):
            pause = min(FIRST_PAUSE * 2 ** row.get("rounds", 0), LONGEST_PAUSE)
            mine = {"_id": row["_id"], "rounds": row.get("rounds", {"$exists": False})}
            if await self._rows.update_one(mine, {"$set": {"next_at": now + pause}, "$inc": {"rounds": 1}}):
                claimed.append(str(row["_id"]))
        return claimed


def _upsert(item: Item, fault: Fault, now: datetime) -> UpdateOne:
    record = item.record
    tries = 0 if fault.reason in WAITING else fault.tries
    original = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": [[name, content] for name, content in pairs(record.headers)],
        "subject": item.subject or None,
        "seq": item.seq,
        "event": item.id,
        "type": item.type,
        "time": item.envelope.time if item.envelope else now,
        "first_at": now,
    }
    why = {"reason": fault.reason, "code": fault.code, "field": fault.field, "last_at": now}
    change = {"$setOnInsert": original, "$set": why, "$inc": {"attempts": tries}}
    return UpdateOne({"_id": item.row}, change, upsert=True)
