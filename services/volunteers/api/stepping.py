"""What every step shares: the caller as a volunteer, and the operation as his own in his whole district."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Path

from services.chassis.callers.access import Caller
from services.chassis.context import Context
from services.chassis.http import Answer, Running, answer
from services.chassis.storage.driver import Document
from services.chassis.storage.history import Stored
from services.chassis.storage.queries import Scoped
from services.kernel.events import Refused
from services.volunteers.domain.order.state import Order
from services.volunteers.queries import ORDER, VOLUNTEER

Id = Annotated[str, Path(max_length=100)]


async def district_of(running: Running, caller: Caller) -> str:
    """The caller's district: a volunteer's own offers, deeds and hours may lie anywhere in it."""
    return await running.units.district_of(caller.unit)


async def own_entry(running: Running, caller: Caller) -> Document | None:
    """The caller's entry in the register, the open one first; None for who has none."""
    district = await district_of(running, caller)
    key = running.sealing.lookup(district, "text", caller.sub)
    found = await Scoped.on(running.database, VOLUNTEER).find(
        district, {"keys.account": key}, sort=("state.closed", "-_id"), limit=1
    )
    return found[0] if found else None


async def me(running: Running, caller: Caller) -> Document:
    """As ``own_entry``. Refused: ``account-not-a-volunteer``."""
    found = await own_entry(running, caller)
    if found is None:
        raise Refused("account-not-a-volunteer")
    return found


async def worker(running: Running, caller: Caller) -> str | None:
    """The id under which a worker serves as a volunteer too: nobody vouches for his own deeds."""
    found = await own_entry(running, caller)
    return found["_id"] if found else None


def as_own(operation: Context, own: Document) -> Context:
    """The operation with the volunteer's district as its scope; the domain sees to it that the order is his."""
    return replace(operation, scope=own["scope"][0])


async def found_order(running: Running, scope: str, order: str) -> Stored[Order]:
    """The order, when it lies in ``scope``."""
    stored: Stored[Order] = await running.histories[ORDER].get(order, scope=scope)
    return stored


async def take(running: Running, order: str, command: Any, operation: Context, version: int | None = None) -> Answer:
    """Give a command to an order."""
    return answer(await running.histories[ORDER].change(order, command, operation, if_version=version))


def history_shown(entries: list[Document]) -> Answer:
    """Who did what when, oldest first; what is sealed stays sealed."""
    names = ("id", "seq", "type", "at", "by", "cause", "data")
    items = [
        {name: entry[name] for name in names if name in entry}
        | ({"sealed": sorted(entry["private"])} if entry.get("private") else {})
        for entry in entries
    ]
    return Answer({"items": items})
