"""What each promise costs: a concern kept with one more of them at a time, in this process, on the real database.

Processor time of this process and writes a second at 32 together: a bare insert that nobody waits for to be safe, then
majority and journal, then the history with its events, then sealing, then groups.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bson.timestamp import Timestamp
from pymongo.write_concern import WriteConcern

from services.chassis.collector import spare_the_collector
from services.chassis.context import Context
from services.chassis.runtime import Runtime
from services.chassis.storage.documents import insertion, operation
from services.chassis.storage.history import id_for
from services.complaints.domain import commands as c
from services.complaints.places import ladder_of
from services.complaints.rulebook import rules_for
from services.complaints.service import CASE
from tests.load.city import grids_of
from tests.load.recording import TEXT

TOGETHER = 32
Keep = Callable[[int], Awaitable[Any]]


@dataclass(frozen=True)
class Cost:
    """One way of keeping a concern."""

    name: str
    per_second: float
    cpu_us: float  # of this process, for one


async def costs(runtime: Runtime, seconds: float, rounds: int = 3) -> list[Cost]:
    """Each way in turn, in rounds; the middle of each."""
    spare_the_collector()  # as every process of a service does
    ways = await _ways(runtime)
    seen: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, keep in ways.items():
            seen[name].append(await _measured(name, keep, seconds))
    return [sorted(each, key=lambda cost: cost.per_second)[len(each) // 2] for each in seen.values()]


async def _measured(name: str, keep: Keep, seconds: float) -> Cost:
    numbers, done = itertools.count(), itertools.count()
    until = time.perf_counter() + seconds

    async def one() -> None:
        while time.perf_counter() < until:
            await keep(next(numbers))
            next(done)

    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(TOGETHER)))
    count = next(done)
    return Cost(name, count / (time.perf_counter() - begun), (time.process_time() - cpu) / count * 1e6)


async def _ways(runtime: Runtime) -> dict[str, Keep]:
    view = await runtime.units.get(grids_of(1)[0])
    rules = await rules_for(runtime, view.id, datetime.now(UTC).date())
    ladder, history = ladder_of(view, rules), runtime.histories[CASE.name]
    raw = runtime.database._raw["bench_costs"]
    fast = raw.with_options(write_concern=WriteConcern(w=1, j=False))
    run = uuid4().hex

    def command(reporter: dict[str, str]) -> c.Record:
        return c.Record(
            rules=rules, unit=view.id, kind="condition", category="property", channel="visit", subject="电梯停运两天了",
            text=TEXT, ladder=ladder, zone=view.zone, reporter=reporter,
        )  # fmt: skip

    who = {"name": "王小明", "phone": "13900001234"}

    def plain(number: int) -> dict[str, Any]:
        return {"_id": str(uuid4()), "unit": view.id, "subject": "电梯停运两天了", "text": TEXT, "number": number} | who

    def context(number: int) -> Context:
        return Context(by="usr_bench", at=datetime.now(UTC), operation=f"{run}|{uuid4()}")

    async def decided(number: int, sealed: bool) -> dict[str, Any]:
        given = context(number)
        happened = CASE.decide(None, command(who), given.at)
        if not sealed:
            happened = [type(one)(one.event, {}, one.keys) for one in happened]
        case = id_for(CASE.name, given.operation)
        made = await history._apply(None, happened, case, 0, (view.id, list(view.scope)), given)
        return insertion(CASE.schema, case, list(view.scope), made)

    async def alone(number: int, sealed: bool) -> None:
        document = await decided(number, sealed)
        bulk, _ = operation(document["_id"], 0, document | {"changed": Timestamp(0, 0)})
        await raw.bulk_write([bulk])

    async def whole(number: int) -> None:
        given = context(number)
        await history.create(id_for(CASE.name, given.operation), view.id, command(who), given)

    return {
        "a bare insert, one member, no journal": lambda number: fast.insert_one(plain(number)),
        "+ majority and journal": lambda number: raw.insert_one(plain(number)),
        "+ the decision, its events, history and scope": lambda number: alone(number, False),
        "+ sealed personal data": lambda number: alone(number, True),
        "+ indexes of the work lists, in groups: as the service does": whole,
    }
