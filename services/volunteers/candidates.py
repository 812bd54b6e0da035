"""Who may be asked: the candidates around an order, with their load, ranked by the kernel's matching."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.chassis.runtime import Runtime
from services.chassis.units import UnitView
from services.kernel.matching import Candidate, Need, Ranking, rank
from services.kernel.values import day_at
from services.volunteers.domain.order import Order
from services.volunteers.domain.volunteer import Volunteer
from services.volunteers.rules import District, decided

MOST = 500  # candidates looked at for one order
ORGANISED = ("community", "street", "district")


async def ranking(runtime: Runtime, order_id: str, order: Order, now: datetime) -> Ranking:
    """The candidates for an order, best first, and who was passed over and why. Refused: ``parameter-not-set``."""
    district = await decided(runtime, order.unit, day_at(now, order.zone))
    need = await _need(runtime, order_id, order, district)
    found = await _around(runtime, need)
    return rank(need, found, district.weights, now)


async def fits(runtime: Runtime, order_id: str, order: Order, volunteer: str, now: datetime) -> bool:
    """Whether a volunteer may take the order now."""
    return any(one.id == volunteer for one in (await ranking(runtime, order_id, order, now)).ranked)


async def _need(runtime: Runtime, order_id: str, order: Order, district: District) -> Need:
    view = await runtime.units.get(order.unit)
    start = datetime.combine(order.on, datetime.min.time(), ZoneInfo(order.zone)) if order.on else None
    return Need(
        id=order_id,
        asker=order.resident or order.case or order_id,
        path=steps_up(view),
        line=order.line,
        zone=order.zone,
        radius=district.weights.radius,
        skill=order.line if district.line(order.line).skill else None,
        start=start if order.mode != "activity_day" else None,
        end=start + timedelta(days=1) if start and order.mode != "activity_day" else None,
        named=order.named,
        asked=order.asked,
    )


def steps_up(view: UnitView) -> tuple[str, ...]:
    """The units of a place from its grid up: the grid that covers it (or is it), community, street, district."""
    path = [unit for unit, kind in zip(view.path, view.kinds, strict=True) if kind in ORGANISED]
    grid = view.id if view.kind == "grid" else view.covers.get("community")
    return tuple(([grid] if grid else []) + path[::-1])


async def _around(runtime: Runtime, need: Need) -> list[Candidate]:
    widest = need.path[min(need.radius, len(need.path)) - 1]
    wanted = {"_id": need.named} if need.named else {"scope": widest, "state.lines": need.line, "state.closed": False}
    volunteers = runtime.database.collection("volunteer")
    found = await volunteers.find(wanted, {"state": 1, "unit": 1}, sort=[("_id", 1)], limit=MOST)
    loads = await _loads(runtime, [document["_id"] for document in found])
    views = await runtime.units.get_many([document["unit"] for document in found])
    return [
        Volunteer.model_validate(document["state"]).candidate(
            document["_id"], steps_up(views[document["unit"]]), loads.get(document["_id"], 0)
        )
        for document in found
    ]


async def _loads(runtime: Runtime, volunteers: list[str]) -> dict[str, int]:
    """Orders that each volunteer has been offered or has accepted."""
    stages = ["offered", "accepted"]
    rows = await runtime.database.collection("order").aggregate(
        [
            {"$match": {"state.volunteer": {"$in": volunteers}, "state.stage": {"$in": stages}}},
            {"$group": {"_id": "$state.volunteer", "open": {"$sum": 1}}},
        ]
    )
    return {row["_id"]: row["open"] for row in rows}
