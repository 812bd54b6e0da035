"""The only module that imports motor: a thin, uniform face of MongoDB.

Every read has read concern majority on the primary, every write majority and journal: a local read can show what is
rolled back later, and a write that only one member holds can be lost. ``backend`` chooses between motor and PyMongo's
own asynchronous client; both pass the same tests (see docs/adr/0002-motor.md).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel, MongoClient, ReturnDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

Document = dict[str, Any]
Backend = Literal["motor", "pymongo"]
Sort = Sequence[tuple[str, int]]

# The server may or may not have done it: the same operation with the same ids is sent again.
UNCERTAIN = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)
TRANSIENT_CODES = {6, 7, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 46841}

__all__ = ["UNCERTAIN", "BulkWriteError", "Client", "Collection", "Database", "DuplicateKeyError", "PyMongoError"]


def is_passing(error: BaseException) -> bool:
    """Whether the trouble lies with the server or the way to it, so that trying again makes sense."""
    if isinstance(error, UNCERTAIN):
        return True
    return isinstance(error, PyMongoError) and getattr(error, "code", None) in TRANSIENT_CODES


class Collection:
    """One collection. Filters and documents are plain mappings; results are plain dicts."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.name: str = raw.name

    async def find_one(self, filter: Mapping[str, Any], projection: Mapping[str, Any] | None = None) -> Document | None:
        """The first match or None."""
        found: Document | None = await self._raw.find_one(filter, projection)
        return found

    async def find(
        self,
        filter: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        sort: Sort | None = None,
        limit: int = 0,
        skip: int = 0,
    ) -> list[Document]:
        """All matches, at most ``limit`` when it is not 0."""
        cursor = self._raw.find(filter, projection, sort=sort, limit=limit, skip=skip)
        found: list[Document] = await cursor.to_list(None)
        return found

    async def iterate(
        self,
        filter: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        sort: Sort | None = None,
        batch: int = 1000,
    ) -> AsyncIterator[Document]:
        """All matches, fetched ``batch`` at a time."""
        async for document in self._raw.find(filter, projection, sort=sort, batch_size=batch):
            yield document

    async def insert_one(self, document: Mapping[str, Any]) -> None:
        """Insert; raises DuplicateKeyError."""
        await self._raw.insert_one(document)

    async def insert_many(self, documents: Sequence[Mapping[str, Any]], ordered: bool = False) -> None:
        """Insert all; raises BulkWriteError when any failed, after trying all unless ``ordered``."""
        await self._raw.insert_many(documents, ordered=ordered)

    async def update_one(
        self, filter: Mapping[str, Any], update: Mapping[str, Any] | Sequence[Mapping[str, Any]], upsert: bool = False
    ) -> int:
        """Update the first match; returns how many matched (0 or 1). Never upsert an aggregate."""
        result = await self._raw.update_one(filter, update, upsert=upsert)
        return int(result.matched_count)

    async def update_many(
        self, filter: Mapping[str, Any], update: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> int:
        """Update every match; returns how many matched."""
        result = await self._raw.update_many(filter, update)
        return int(result.matched_count)

    async def replace_one(
        self, filter: Mapping[str, Any], document: Mapping[str, Any], upsert: bool = False
    ) -> int:
        """Replace the first match; returns how many matched."""
        result = await self._raw.replace_one(filter, document, upsert=upsert)
        return int(result.matched_count)

    async def delete_one(self, filter: Mapping[str, Any]) -> int:
        """Delete the first match; returns how many were deleted."""
        return int((await self._raw.delete_one(filter)).deleted_count)

    async def delete_many(self, filter: Mapping[str, Any]) -> int:
        """Delete every match; returns how many were deleted."""
        return int((await self._raw.delete_many(filter)).deleted_count)

    async def bulk_write(self, operations: Sequence[Any], ordered: bool = False) -> Any:
        """PyMongo's bulk result; raises BulkWriteError when any operation failed."""
        return await self._raw.bulk_write(operations, ordered=ordered)

    async def find_one_and_update(
        self,
        filter: Mapping[str, Any],
        update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        upsert: bool = False,
        after: bool = True,
    ) -> Document | None:
        """Update the first match and return it, as it is after (or before) the change."""
        found: Document | None = await self._raw.find_one_and_update(
            filter,
            update,
            upsert=upsert,
            return_document=ReturnDocument.AFTER if after else ReturnDocument.BEFORE,
        )
        return found

    async def aggregate(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """The whole result of a pipeline."""
        cursor = self._raw.aggregate(pipeline)
        if hasattr(cursor, "__await__"):
            cursor = await cursor
        found: list[Document] = await cursor.to_list(None)
        return found

    async def count(self, filter: Mapping[str, Any], limit: int = 0) -> int:
        """How many match; stops counting at ``limit`` when it is not 0."""
        options = {"limit": limit} if limit else {}
        return int(await self._raw.count_documents(filter, **options))

    async def ensure_indexes(self, *fields: Sequence[str], unique: bool = False) -> None:
        """One index for each list of field names; a leading ``-`` sorts that field downwards."""
        if fields:
            await self._raw.create_indexes([IndexModel(index_keys(names), unique=unique) for names in fields])

    async def drop(self) -> None:
        """Remove the whole collection: read models that are rebuilt, and tests."""
        await self._raw.drop()


def index_keys(names: Sequence[str]) -> list[tuple[str, int]]:
    """Field names, ``-`` for downwards, as PyMongo's list of keys."""
    return [(n[1:], DESCENDING) if n.startswith("-") else (n, ASCENDING) for n in names]


class Database:
    """One database with the promised concerns."""

    def __init__(self, client: "Client", raw: Any) -> None:
        self.client = client
        self._raw = raw
        self.name: str = raw.name
        self._collections: dict[str, Collection] = {}

    def collection(self, name: str) -> Collection:
        """A collection by name; it need not exist yet."""
        if name not in self._collections:
            self._collections[name] = Collection(self._raw[name])
        return self._collections[name]

    async def command(self, command: Mapping[str, Any]) -> Document:
        """Run a database command and return its reply."""
        reply: Document = await self._raw.command(command, codec_options=CodecOptions(tz_aware=True))
        return reply

    async def collection_names(self) -> list[str]:
        """The collections that exist."""
        names: list[str] = await self._raw.list_collection_names()
        return names

    async def drop(self) -> None:
        """Remove the database: tests only."""
        await self.client.raw.drop_database(self.name)


class Client:
    """A connection pool to one replica set or sharded cluster."""

    def __init__(self, uri: str, backend: Backend = "motor") -> None:
        self.uri = uri
        self.backend = backend
        options: dict[str, Any] = {
            "tz_aware": True,
            "w": "majority",
            "journal": True,
            "readConcernLevel": "majority",
            "retryWrites": True,
            "serverSelectionTimeoutMS": 3000,
            "connectTimeoutMS": 3000,
            "socketTimeoutMS": 10000,
            "timeoutMS": None,
            "maxPoolSize": 64,
        }
        options = {k: v for k, v in options.items() if v is not None}
        self.raw: Any = (AsyncIOMotorClient if backend == "motor" else AsyncMongoClient)(uri, **options)

    def database(self, name: str) -> Database:
        """A database with majority reads and journalled majority writes."""
        raw = self.raw.get_database(
            name,
            codec_options=CodecOptions(tz_aware=True),
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority", j=True, wtimeout=8000),
        )
        return Database(self, raw)

    async def ping(self) -> None:
        """Raise one of PyMongo's errors when the primary does not answer."""
        await self.raw.admin.command("ping")

    def vault(self) -> AsyncMongoClient[Document]:
        """A client of PyMongo's own, for client-side encryption; the caller closes it."""
        return AsyncMongoClient(
            self.uri, tz_aware=True, w="majority", journal=True, readConcernLevel="majority",
            serverSelectionTimeoutMS=3000, connectTimeoutMS=3000, socketTimeoutMS=10000,
        )

    def blocking(self) -> MongoClient[Document]:
        """A client for a thread of its own, for change streams read in bulk; the caller closes it."""
        return MongoClient(
            self.uri, tz_aware=True, w="majority", journal=True, readConcernLevel="majority",
            serverSelectionTimeoutMS=3000, connectTimeoutMS=3000, socketTimeoutMS=20000,
        )

    async def close(self) -> None:
        """Close every connection."""
        closing = self.raw.close()
        if closing is not None:
            await closing


def connect(uri: str, backend: Backend = "motor") -> Client:
    """A client; it connects when first used."""
    return Client(uri, backend)
