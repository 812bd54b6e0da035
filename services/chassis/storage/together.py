"""Writes of reactions to their own read models, sent together: one bulk write for what a batch does at once."""

import asyncio
from typing import Any

from pymongo import InsertOne

from services.chassis.errors import Conflict, Unavailable
from services.chassis.storage.driver import TRANSIENT_CODES, BulkWriteError, Database

DUPLICATE_KEY = 11000
Waiting = tuple[Any, "asyncio.Future[None]"]


class WriteRefused(Exception):
    """The server refused a write for good; ``code`` is the server's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the server refused a write with code {code}")
        self.code = code


class Together:
    """Queues by collection; a group leaves when the one before has returned."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: dict[str, list[Waiting]] = {}
        self._flying: dict[str, asyncio.Task[None]] = {}

    async def write(self, collection: str, operation: Any) -> None:
        """Return when the write is kept. Raises PyMongo's errors or Unavailable while it is away, and WriteRefused."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(collection, []).append((operation, done))
        if collection not in self._flying:
            self._flying[collection] = asyncio.create_task(self._fly(collection))
        await done

    async def _fly(self, collection: str) -> None:
        try:
            while group := self._queues.pop(collection, []):
                await self._send(collection, group)
        finally:
            del self._flying[collection]

    async def _send(self, collection: str, group: list[Waiting]) -> None:
        failed: dict[int, Exception] = {}
        try:
            await self._database.collection(collection).bulk_write([operation for operation, _ in group])
        except BulkWriteError as error:
            failed = _failures(group, error)
        except Exception as error:  # noqa: BLE001 - handed to everybody who waits
            failed = dict.fromkeys(range(len(group)), error)
        for index, (_, done) in enumerate(group):
            if done.done():
                continue
            if index in failed:
                done.set_exception(failed[index])
            else:
                done.set_result(None)


def _failures(group: list[Waiting], error: BulkWriteError) -> dict[int, Exception]:
    details = error.details or {}
    if details.get("writeConcernErrors"):
        return dict.fromkeys(range(len(group)), error)
    failed: dict[int, Exception] = {}
    for each in details.get("writeErrors", ()):
        failure = _failure(each["code"], group[each["index"]][0])
        if failure is not None:
            failed[each["index"]] = failure
    return failed


def _failure(code: int, operation: Any) -> Exception | None:
    if code == DUPLICATE_KEY:
        return None if isinstance(operation, InsertOne) else Conflict("contended")  # two upserts at once
    return Unavailable() if code in TRANSIENT_CODES else WriteRefused(code)
