"""A city's past, written through the real domain code: histories in complaints and the rows of insight that follow.

    python -m tests.load.generator <first street> <streets> <from> <to>      in the environment of a complaints process

Every concern is decided, evolved and sealed as the service does it; only the way over HTTP and Kafka is left out, so
that a million of them take minutes. ``out`` stays empty: nothing of the past is published again. One in twenty is
still open and fresh, the rest are spread over a year and closed.
"""

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bson import encode as to_bson
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection

from deploy.local.install import ROOT
from deploy.local.plan import environment
from deploy.local.system import System
from services.chassis.context import Context
from services.chassis.contracts.wire import decode, encode
from services.chassis.districts.units import UnitUnknown, UnitView
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.storage.documents import insertion
from services.chassis.storage.history import History, id_for
from services.complaints.codes import code_of, hash_of
from services.complaints.domain import commands as c
from services.complaints.domain.rules import Rules
from services.complaints.places import ladder_of
from services.complaints.rulebook import rules_for
from services.complaints.service import CASE, SERVICE
from services.insight.rebuild import Gathered, apply_to
from services.kernel.case.custody import Party
from services.kernel.events import Happened
from tests.load.city import grids_of

PORTION = 500
YEAR = timedelta(days=365)
OPEN_SHARE = 0.05
PATIENCE = 60.0  # seconds until every grid is known
CATEGORIES = ("property", "sanitation", "facilities", "welfare", "security")
SUBJECTS = ("电梯停运两天了", "楼道灯不亮", "垃圾没有清运", "水管漏水", "路灯坏了", "停车占道", "噪音扰民", "井盖松动")
TEXT = "三单元的电梯从周二起就停了,老人上不去楼,请尽快修。" * 3
ROLES = frozenset({"community-worker", "street-officer"})


@dataclass
class Told:
    """What the history of one concern has come to."""

    state: Any = None
    entries: list[Any] = field(default_factory=list)
    sealed: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)


class Past:
    """Makes concerns of one process. ``grids`` are those in which it puts them, in turn."""

    def __init__(self, runtime: Runtime, grids: list[UnitView], rules: Rules, now: datetime) -> None:
        self._history: History[Any] = runtime.histories[CASE.name]
        self._key = runtime.settings.lookup_key
        self._sealing = runtime.sealing
        self._grids, self._rules, self._now = grids, rules, now

    async def concern(self, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """One concern: the stored document, and insight's row."""
        random = Random(number)
        view = self._grids[number % len(self._grids)]
        operation = f"generated|{number}"
        case = id_for(CASE.name, operation)
        told = Told()
        fresh = random.random() < OPEN_SHARE
        at = self._now - (timedelta(minutes=random.uniform(1, 60)) if fresh else random.uniform(0.02, 1) * YEAR)
        for step, (command, later) in enumerate(self._life(number, view, case, random, fresh)):
            at = min(at + later, self._now)
            context = Context(by=f"usr_worker-{view.id}", at=at, operation=f"{operation}|{step}")
            await self._take(told, case, view, CASE.decide(told.state, command, at), context)
        document = insertion(CASE.schema, case, list(view.scope), told) | {"out": []}
        return document, await self._row(case, told.entries)

    def _life(
        self, number: int, view: UnitView, case: str, random: Random, fresh: bool
    ) -> Iterator[tuple[Any, timedelta]]:
        ladder = ladder_of(view, self._rules)
        worker = Party(id=f"usr_worker-{ladder[0][1]}", unit=ladder[0][1])
        phone = f"137{number:08d}"
        district = view.scope[0]
        keys = {
            "code": [hash_of(self._key, code_of(self._key, case))],
            "phone": [self._sealing.lookup(district, "phone", phone)],
            "tail": [self._sealing.tail(district, phone[-4:])],
        }
        yield c.Record(
            rules=self._rules, unit=view.id, kind="condition", category=random.choice(CATEGORIES), channel="visit",
            subject=random.choice(SUBJECTS), text=TEXT, ladder=ladder, zone=view.zone, by=worker,
            reporter={"name": "王小明", "phone": phone}, keys=keys,
        ), timedelta()  # fmt: skip
        if fresh:
            return
        yield c.Accept(self._rules, worker, ROLES), timedelta(minutes=20)
        yield c.Settle(self._rules, worker, ROLES, "solved", "已经修好。"), timedelta(hours=3)
        yield c.Confirm(self._rules, frozenset({"resident"}), None, True), timedelta(hours=9)

    async def _take(self, told: Told, case: str, view: UnitView, happened: list[Happened], context: Context) -> None:
        place = (view.id, list(view.scope))
        decided = await self._history._apply(told.state, happened, case, len(told.entries), place, context)
        told.state = decided.state
        told.entries += decided.entries
        told.sealed |= decided.sealed
        told.keys |= decided.keys

    async def _row(self, case: str, entries: list[Any]) -> dict[str, Any]:
        gathered = Gathered()
        for entry in entries:
            record = encode(entry, SERVICE.name, case)
            await apply_to(gathered, decode(record.key, record.value, record.headers))
        return {"_id": case, **gathered.row}


async def write(street: int, streets: int, first: int, last: int) -> None:
    """Make concerns number ``first`` up to ``last`` (not included) in the streets from ``street`` up to ``streets``."""
    settings = Settings.from_environment(SERVICE.name)
    runtime = Runtime(SERVICE, settings)
    await runtime.sealing.start()
    grids = await _known(runtime, grids_of(streets, street))
    now = datetime.now(UTC)
    rules = await rules_for(runtime, grids[0].id, now.date())
    past = Past(runtime, grids, rules, now)
    with MongoClient[Any](settings.mongo) as client:
        fast = WriteConcern(w=1, j=False)  # the last portion's majority covers those before it
        cases = client[settings.database].get_collection(CASE.name, write_concern=fast)
        rows = client[f"{settings.prefix}_insight"].get_collection("rows", write_concern=fast)
        begun = time.perf_counter()
        for start in range(first, last, PORTION):
            made = [await past.concern(number) for number in range(start, min(start + PORTION, last))]
            _keep(cases, [document for document, _ in made])
            _keep(rows, [row for _, row in made])
        done = {"appendOplogNote": 1, "data": {"generated": last - first}}
        client.admin.command(done, writeConcern={"w": "majority"})
    print(f"{(last - first) / (time.perf_counter() - begun):.0f}", flush=True)
    await runtime.sealing.stop()
    await runtime.client.close()


async def _known(runtime: Runtime, grids: list[str]) -> list[UnitView]:
    """The grids in their places, once the service has heard of all."""
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            views = await runtime.units.get_many(grids)
        except UnitUnknown:
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(0.2)
        else:
            return [views[grid] for grid in grids]


def _keep(collection: Collection[Any], documents: list[dict[str, Any]]) -> None:
    collection.insert_many([RawBSONDocument(to_bson(one)) for one in documents], ordered=False)


def grow(system: System, street: int, streets: int, first: int, last: int) -> float:
    """Write the past in as many processes as there are processors; returns concerns a second."""
    many = os.cpu_count() or 1
    own = os.environ | environment(system.plan, system.secrets, SERVICE.name)
    begun = time.perf_counter()
    edges = [first + (last - first) * part // many for part in range(many + 1)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.load.generator", *map(str, (street, streets, one, two))], cwd=ROOT, env=own
        )
        for one, two in itertools.pairwise(edges)
    ]
    failed = [process.args for process in running if process.wait()]
    if failed:
        raise RuntimeError(f"the generator ended with an error: {failed[0]}")
    return (last - first) / (time.perf_counter() - begun)


if __name__ == "__main__":
    asyncio.run(write(*map(int, sys.argv[1:5])))
