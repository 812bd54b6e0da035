"""The weekly day on which poor families and old people alone are visited: whom to visit, and whom somebody has."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from services.chassis.callers.access import Caller
from services.chassis.districts.units import UnitView
from services.chassis.personal.lookups import TEXT
from services.chassis.storage.driver import Document
from services.chassis.storage.queries import Scoped
from services.directory.domain.persons import MARKERS
from services.directory.domain.policies import CONCERNS_DAY, OWN
from services.directory.tree import today, zone_of

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

CALLED_ON = ("elderlyAlone", "hardship", "specialHardship", "disabled")  # whose bearers the day is for
MOST = 2_000
PURPOSE = "concernsDay"


def day_on(weekday: int, day: date) -> date:
    """The next such day, ``day`` itself included; 1 is Monday."""
    return day + timedelta(days=(weekday - day.isoweekday()) % 7)


async def visit_list(runtime: "Runtime", caller: Caller, view: UnitView, because: str) -> dict[str, Any]:
    """Whom to visit on the next such day, who was not visited for longest first.

    Raises Refused("parameter-not-set") where the district keeps no such day. The reading of markers is recorded.
    """
    now = runtime.clock.now()
    weekday = await runtime.policies.read(CONCERNS_DAY, view.id, today(view, now), OWN[CONCERNS_DAY])
    day = day_on(weekday, today(view, now))
    begins = datetime.combine(day, time(), ZoneInfo(zone_of(view)))
    bearers = await _bearers(runtime, caller, view, because)
    last = await _last_visits(runtime, view.id, [one["state"]["household"] for one in bearers])
    people = [_person(one, last.get(one["state"]["household"])) for one in bearers]
    people.sort(key=lambda person: (person["last_visit"] is not None, person["last_visit"] or now, person["resident"]))
    done = [one for one in people if one["last_visit"] is not None and one["last_visit"] >= begins]
    return {"day": day, "to_visit": [one for one in people if one not in done], "visited": done}


async def _bearers(runtime: "Runtime", caller: Caller, view: UnitView, because: str) -> list[Document]:
    hashes = [
        await runtime.sealing.search(caller, view.scope, TEXT, f"marker/{code}", because=because) for code in CALLED_ON
    ]
    wanted = {f"keys.{MARKERS}": {"$in": hashes}, "state.status": "active"}
    found = Scoped.on(runtime.database, "resident")
    return await found.find(view.id, wanted, fields=("unit", "state.household"), limit=MOST)


async def _last_visits(runtime: "Runtime", unit: str, homes: Sequence[str]) -> dict[str, datetime]:
    wanted = {"state.household": {"$in": sorted(set(homes))}, "state.purpose": PURPOSE}
    pipeline = [{"$match": wanted}, {"$group": {"_id": "$state.household", "last": {"$max": "$state.on"}}}]
    return {row["_id"]: row["last"] for row in await Scoped.on(runtime.database, "visit").aggregate(unit, pipeline)}


def _person(resident: Document, last: datetime | None) -> dict[str, Any]:
    household = resident["state"]["household"]
    return {"resident": resident["_id"], "household": household, "unit": resident["unit"], "last_visit": last}
