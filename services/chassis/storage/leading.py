"""Work of which one process at a time does all, and the others stand by."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from services.chassis.storage.driver import Database
from services.chassis.storage.lease import Held, Lease, LeaseLost

LOG = structlog.get_logger()


async def while_leading(
    database: Database, name: str, stopping: asyncio.Event, work: Callable[[Held], Awaitable[None]]
) -> None:
    """Do ``work`` whenever this process holds the lease ``name``, until told to stop.

    ``work`` is cut off where it waits when the lease is lost and when ``stopping`` is set, so every step of it must
    bear being done again. What it raises ends the call.
    """
    leading = asyncio.create_task(_lead(database, name, stopping, work), name=f"leading {name}")
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({leading, stop}, return_when=asyncio.FIRST_COMPLETED)
        if leading.done():
            leading.result()
    finally:
        leading.cancel()
        stop.cancel()
        await asyncio.gather(leading, stop, return_exceptions=True)


async def _lead(
    database: Database, name: str, stopping: asyncio.Event, work: Callable[[Held], Awaitable[None]]
) -> None:
    while not stopping.is_set():
        try:
            async with Lease(database, name).held() as held:
                await work(held)
        except LeaseLost:
            LOG.warning("lease_lost", lease=name)


async def pause(seconds: float, unless: asyncio.Event) -> None:
    """Wait that long, or until ``unless`` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for may swallow a cancellation that comes with the event
            await unless.wait()
