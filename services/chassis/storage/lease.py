"""One holder at a time, by the server's clock, with a fencing token that only grows.

A lease cannot stop a holder that was frozen and wakes up late; its fencing token can: whoever stores something on the
strength of a lease guards that write with ``fence``. Duration is measured by the server (``$$NOW``) when a lease is
taken and by the holder's monotonic clock while it is held, so no two clocks are ever compared.
"""

import asyncio
import contextlib
import os
import random
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog

from services.chassis.storage.driver import Database, DuplicateKeyError, PyMongoError

LOG = structlog.get_logger()
TTL_SECONDS = 6.0
RENEWALS_PER_TTL = 4
SAFE_SHARE = 0.8  # of the ttl; a holder stops itself after this much without a renewal
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
EXPIRED = {"$expr": {"$lte": ["$until", "$$NOW"]}}


class LeaseLost(Exception):
    """The holder could not renew in time, or another has taken over; what it did after that may be undone."""


class Held:
    """A lease while it is held. ``fence`` is larger than that of every earlier holder."""

    def __init__(self, name: str, fence: int, taken: float, ttl: float) -> None:
        self.name = name
        self.fence = fence
        self.lost = False
        self._ttl = ttl
        self._safe_until = taken + ttl * SAFE_SHARE

    def valid(self) -> bool:
        """Whether the holder may still act; callable from any thread, and cheap."""
        return not self.lost and time.monotonic() < self._safe_until

    def require(self) -> None:
        """Raise LeaseLost when the holder may not act any more."""
        if not self.valid():
            raise LeaseLost(self.name)

    def remaining(self) -> float:
        """Seconds until the holder must stop unless it renews."""
        return 0.0 if self.lost else max(0.0, self._safe_until - time.monotonic())

    def renewed(self, asked: float) -> None:
        """A renewal asked for at the monotonic instant ``asked`` was granted."""
        self._safe_until = asked + self._ttl * SAFE_SHARE


class Lease:
    """A named lease in the service's own database, collection ``leases``; ``ttl`` in seconds."""

    def __init__(self, database: Database, name: str, ttl: float = TTL_SECONDS) -> None:
        self.name = name
        self.ttl = ttl
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._leases = database.collection("leases")

    async def take(self) -> Held | None:
        """Take the lease when it is free or already ours; None while another holds it. Raises PyMongoError."""
        asked = time.monotonic()
        free = {"_id": self.name, "$or": [EXPIRED, {"holder": self.holder}]}
        grown = {"holder": self.holder, "fence": {"$add": ["$fence", 1]}, "until": self._later()}
        found = await self._leases.find_one_and_update(free, [{"$set": grown}])
        if found is None and await self._made():
            return await self.take()
        return Held(self.name, int(found["fence"]), asked, self.ttl) if found is not None else None

    async def renew(self, held: Held) -> bool:
        """Hold it for another ttl; False when another has it. Raises PyMongoError when nobody knows."""
        asked = time.monotonic()
        if await self._leases.update_one(self._mine(held), [{"$set": {"until": self._later()}}]) == 0:
            return False
        held.renewed(asked)
        return True

    async def release(self, held: Held) -> None:
        """Let another take it at once. The document stays: the fencing token must never start again."""
        held.lost = True
        await self._leases.update_one(self._mine(held), [{"$set": {"until": "$$NOW", "holder": ""}}])

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[Held]:
        """Wait for the lease, keep it while the body runs, release it after.

        The body is cancelled, and LeaseLost raised, when the lease is lost or could not be renewed well before the
        ttl has passed. Threads started by the body ask ``Held.valid()`` themselves.
        """
        held = await self._wait()
        LOG.info("lease_held", lease=self.name, fence=held.fence)
        keeper = asyncio.create_task(self._keep(held, _current_task()))
        try:
            try:
                yield held
            finally:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
                await self._release_if_ours(held)
        except asyncio.CancelledError:
            lost = keeper.done() and not keeper.cancelled()
            if lost and _current_task().uncancel() == 0:
                raise LeaseLost(self.name) from None
            raise

    async def _wait(self) -> Held:
        while True:
            try:
                if (held := await self.take()) is not None:
                    return held
            except PyMongoError as error:
                LOG.warning("lease_not_asked", lease=self.name, error=type(error).__name__)
            await asyncio.sleep(self.ttl / RENEWALS_PER_TTL * random.uniform(0.5, 1.0))

    async def _keep(self, held: Held, body: "asyncio.Task[Any]") -> None:
        while held.valid():
            await asyncio.sleep(min(self.ttl / RENEWALS_PER_TTL, held.remaining()))
            try:
                async with asyncio.timeout(held.remaining()):
                    if not await self.renew(held):
                        break
            except (PyMongoError, TimeoutError) as error:
                LOG.warning("lease_not_renewed", lease=self.name, error=type(error).__name__)
        held.lost = True
        LOG.error("lease_lost", lease=self.name, fence=held.fence)
        body.cancel()

    async def _release_if_ours(self, held: Held) -> None:
        if held.lost:
            return
        try:
            await self.release(held)
        except PyMongoError as error:
            LOG.warning("lease_runs_out", lease=self.name, error=type(error).__name__)

    async def _made(self) -> bool:
        """Whether there was no such lease until now, and this call made it."""
        # Not by an upsert of the guarded update: that would try to insert a second lease whenever this one is taken.
        if await self._leases.find_one({"_id": self.name}, {"_id": 1}) is not None:
            return False
        try:
            await self._leases.insert_one({"_id": self.name, "holder": "", "fence": 0, "until": _LONG_AGO})
        except DuplicateKeyError:
            return False
        return True

    def _mine(self, held: Held) -> dict[str, Any]:
        return {"_id": self.name, "holder": self.holder, "fence": held.fence}

    def _later(self) -> dict[str, Any]:
        return {"$add": ["$$NOW", round(self.ttl * 1000)]}


def _current_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a lease is held by a task")
    return task
