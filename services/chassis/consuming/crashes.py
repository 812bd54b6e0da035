"""Events on which this service's process has died: they are tried again at most a few times, then parked."""

from datetime import UTC, datetime

from services.chassis.storage.driver import Database

MOST = 3  # times that one event may end the process


class Crashes:
    """The record of them, few and small; kept in MongoDB because the process does not survive to remember."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("crashes")
        self._known: set[str] = set()

    async def load(self) -> None:
        """Read at the start which events earlier processes died on."""
        self._known = {row["_id"] for row in await self._collection.find({}, {"_id": 1}, limit=1000)}

    def suspects(self, event: str) -> bool:
        """Whether a process has died on this event before."""
        return event in self._known

    async def count(self, event: str) -> int:
        """Count one more attempt, before it is made; returns how many there have been with this one."""
        now = datetime.now(UTC)
        row = await self._collection.find_one_and_update(
            {"_id": event}, {"$inc": {"count": 1}, "$set": {"at": now}}, upsert=True
        )
        self._known.add(event)
        return int(row["count"]) if row else 1

    async def forget(self, event: str) -> None:
        """It is done, or parked."""
        await self._collection.delete_one({"_id": event})
        self._known.discard(event)
