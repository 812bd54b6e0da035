"""Who may be asked: the candidates around an order, with their load, ranked by the kernel's matching."""

from datetime import datetime
from typing import TYPE_CHECKING

from services.chassis.storage.driver import Document
from services.chassis.storage.history import Stored
from services.kernel.matching import Candidate, Need, Ranking, rank
from services.volunteers.domain.order.state import Order
from services.volunteers.domain.rules import Rules
from services.volunteers.domain.volunteer import Volunteer
from services.volunteers.places import steps_up
from services.volunteers.rulebook import rules_now

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

VOLUNTEER, ORDER = "volunteer", "order"
MOST = 500  # candidates looked at for one order, the nearest first
BUSY = ("offered", "accepted")


async def ranking(runtime: "Runtime", order: Stored[Order], now: datetime) -> Ranking:
    """Who may be asked now, best first, and who was passed over and why.

    Raises Refused("parameter-not-set"), UnitUnknown.
    """
    rules = await rules_now(runtime, order.unit, order.state.zone, now)
    need = await _need(runtime, order, rules)
    return rank(need, await _candidates(runtime, order, await _around(runtime, order, need)), rules.matching, now)


async def unfit(runtime: "Runtime", order: Stored[Order], volunteer: str, now: datetime) -> tuple[str, ...]:
    """Why a volunteer may not take the order now; empty when he may."""
    rules = await rules_now(runtime, order.unit, order.state.zone, now)
    need = await _need(runtime, order, rules)
    found = await _candidates(runtime, order, await _found(runtime, {"_id": volunteer, "scope": order.scope[0]}, 1))
    if not found:
        return ("unknown",)
    passed_over = rank(need, found, rules.matching, now).passed_over
    return passed_over[0].reasons if passed_over else ()


async def _need(runtime: "Runtime", order: Stored[Order], rules: Rules) -> Need:
    state = order.state
    return Need(
        id=order.id,
        asker=await _asker(runtime, order) or order.id,
        path=await steps_up(runtime.units, order.unit),
        line=state.line,
        zone=state.zone,
        radius=rules.matching.radius,
        skill=state.line if rules.line(state.line).skill else None,
        start=state.start,
        end=state.end,
        named=state.named,
        asked=state.asked,
    )


async def _asker(runtime: "Runtime", order: Stored[Order]) -> str | None:
    """The resident who asks, as a volunteer, if an entry exists: nobody is sent to himself."""
    if order.state.resident is None:
        return None
    key = runtime.sealing.lookup(order.scope[0], "text", order.state.resident)
    found = await runtime.database.collection(VOLUNTEER).find_one({"keys.resident": key, "scope": order.scope[0]})
    return str(found["_id"]) if found else None


async def _around(runtime: "Runtime", order: Stored[Order], need: Need) -> list[Document]:
    """The named volunteer, anywhere in the district; else those of the line, level by level from the grid up."""
    if need.named is not None:
        return await _found(runtime, {"_id": need.named, "scope": order.scope[0]}, 1)
    found: dict[str, Document] = {}
    for level in need.path[: need.radius]:
        if len(found) >= MOST:
            break
        wanted = {"scope": level, "state.lines": need.line, "state.closed": False, "_id": {"$nin": list(need.asked)}}
        for document in await _found(runtime, wanted, MOST):
            found.setdefault(document["_id"], document)
    return list(found.values())[:MOST]


async def _found(runtime: "Runtime", wanted: Document, limit: int) -> list[Document]:
    volunteers = runtime.database.collection(VOLUNTEER)
    return await volunteers.find(wanted, {"state": 1, "unit": 1}, sort=[("_id", 1)], limit=limit)


async def _candidates(runtime: "Runtime", order: Stored[Order], found: list[Document]) -> list[Candidate]:
    loads = await _loads(runtime, [document["_id"] for document in found], order.id)
    return [
        Volunteer.model_validate(document["state"]).candidate(
            document["_id"], await steps_up(runtime.units, document["unit"]), loads.get(document["_id"], 0)
        )
        for document in found
    ]


async def _loads(runtime: "Runtime", volunteers: list[str], besides: str) -> dict[str, int]:
    """The other orders that each volunteer has been offered or has accepted."""
    busy = {"state.volunteer": {"$in": volunteers}, "state.stage": {"$in": list(BUSY)}, "_id": {"$ne": besides}}
    rows = await runtime.database.collection(ORDER).aggregate(
        [{"$match": busy}, {"$group": {"_id": "$state.volunteer", "open": {"$sum": 1}}}]
    )
    return {row["_id"]: row["open"] for row in rows}
