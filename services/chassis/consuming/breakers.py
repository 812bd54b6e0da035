"""An open breaker as everybody sees it, and the word that closes it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from services.chassis.storage.driver import Database, Document

FRESH = timedelta(seconds=30)  # a worker that stands still says so every second


class Breakers:
    """The open breakers of one consumer's workers, in MongoDB."""

    def __init__(self, database: Database, consumer: str) -> None:
        self._collection = database.collection("breakers")
        self._consumer = consumer
        self._mine = {"_id": f"{consumer}|{uuid4()}"}

    async def opened(self, reason: str) -> None:
        """Show that this worker stands still, and why."""
        row = {"consumer": self._consumer, "reason": reason, "at": datetime.now(UTC)}
        await self._collection.replace_one(self._mine, row, upsert=True)

    async def closed(self) -> bool:
        """Whether somebody has closed it since; otherwise say again that it is open."""
        return not await self._collection.update_one(self._mine, {"$set": {"at": datetime.now(UTC)}})

    async def open(self) -> list[Document]:
        """The breakers that are open now."""
        return await self._collection.find({"consumer": self._consumer, "at": {"$gt": datetime.now(UTC) - FRESH}})

    async def close(self) -> int:
        """Let every worker go on; returns how many stood still. Older rows are of workers that have ended."""
        standing = await self.open()
        await self._collection.delete_many({"consumer": self._consumer})
        return len(standing)
