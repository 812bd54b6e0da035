"""The older part of long histories, moved by a rare write of its own.

A history's head is never cut by ``$slice`` on a push: the relay would see the whole array as changed. Archive
documents are ``{_id: "<aggregate>|<last seq>", aggregate, last, ops, entries}`` in ``<name>.archive``.
"""

from collections.abc import Sequence
from contextlib import suppress

from services.chassis.storage.driver import Collection, Database, Document, DuplicateKeyError


class Archive:
    """Where the heads of long histories of one aggregate type lie."""

    longest = 120  # entries in a document before its head is moved
    kept = 40  # entries that stay

    def __init__(self, database: Database, name: str) -> None:
        self.collection = database.collection(f"{name}.archive")

    async def ensure_indexes(self) -> None:
        """The two indexes that reading and repeats need."""
        await self.collection.ensure_indexes(("aggregate", "last"), ("aggregate", "ops"))

    async def entries(self, aggregate_id: str) -> list[Document]:
        """Archived entries, oldest first, each once: a part that an interrupted try left lies within a later one."""
        parts = await self.collection.find({"aggregate": aggregate_id}, sort=[("last", 1)])
        return _once(parts)

    async def of_operation(self, aggregate_id: str, operation: str) -> list[Document]:
        """The archived entries of one operation."""
        parts = await self.collection.find({"aggregate": aggregate_id, "ops": operation}, sort=[("last", 1)])
        return [entry for entry in _once(parts) if entry["op"] == operation]

    async def cut(self, collection: Collection, document: Document) -> None:
        """Move all but the last entries. Safe to repeat: the part's id is its last sequence.

        When somebody wrote meanwhile, the part is taken back: it may hold what has just been erased.
        """
        history = document["history"]
        if len(history) <= self.longest:
            return
        head, tail = history[: -self.kept], history[-self.kept :]
        last = head[-1]["seq"]
        part = {
            "_id": f"{document['_id']}|{last}",
            "aggregate": document["_id"],
            "last": last,
            "ops": sorted({entry["op"] for entry in head}),
            "entries": head,
        }
        with suppress(DuplicateKeyError):  # an earlier try got this far
            await self.collection.insert_one(part)
        guard = {"_id": document["_id"], "version": document["version"]}
        if not await collection.update_one(guard, {"$set": {"history": tail, "archived": last}}):
            await self._take_back(collection, document["_id"], last)

    async def _take_back(self, collection: Collection, aggregate_id: str, last: int) -> None:
        """Delete a part that no document points at: its version has passed, so that none ever will."""
        now = await collection.find_one({"_id": aggregate_id}, {"archived": 1})
        if now is None or now.get("archived", 0) < last:
            await self.collection.delete_one({"_id": f"{aggregate_id}|{last}"})

    async def erase(self, aggregate_id: str, purposes: Sequence[str]) -> None:
        """Remove sealed values of these purposes from every archived entry."""
        for part in await self.collection.find({"aggregate": aggregate_id}):
            entries = [self.without(entry, purposes) for entry in part["entries"]]
            await self.collection.update_one({"_id": part["_id"]}, {"$set": {"entries": entries}})

    @staticmethod
    def without(entry: Document, purposes: Sequence[str]) -> Document:
        """The entry without its sealed values of these purposes."""
        private = {name: blob for name, blob in entry.get("private", {}).items() if name not in purposes}
        rest = {name: value for name, value in entry.items() if name != "private"}
        return rest | ({"private": private} if private else {})


def _once(parts: Sequence[Document]) -> list[Document]:
    return list({entry["seq"]: entry for part in parts for entry in part["entries"]}.values())
