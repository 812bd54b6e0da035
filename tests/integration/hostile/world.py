"""A service's own consumer on real servers, fed with whatever a test gives it."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from deploy.local.servers import Servers
from services.__main__ import CATALOGUE
from services.chassis.consuming.breaker import Breaker, Limits
from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.records import Item, Stored
from services.chassis.consuming.rounds import Rounds
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings

LOCAL = Path(__file__).parents[3] / "deploy" / "local"
POLICIES = [
    policy
    for file in (LOCAL / "demo_policies.json", LOCAL / "demo_policies" / "volunteers.json")
    for policy in json.loads(file.read_text("utf-8"))
]
TREE = (("unit_d1", "district", None), ("unit_s1", "street", "unit_d1"), ("unit_c1", "community", "unit_s1"))
GRID = ("unit_g1", "grid", "unit_c1")
PATIENT = Limits(in_a_row=10**9, window=10**9)


def settings_of(servers: Servers, service: str, prefix: str) -> Settings:
    """Settings of a service of ours under a prefix of the test's own."""
    return Settings(
        service, servers.kafka, servers.mongo, prefix, master_key=bytes(range(96)), lookup_key=b"l" * 32,
        issuer="http://127.0.0.1:1", partitions=1,
    )  # fmt: skip


async def know_district(runtime: Runtime) -> None:
    """A small district with its decisions, as if the directory had told of it."""
    for unit, kind, parent in (*TREE, GRID):
        data = {"kind": kind, "name": unit, "parent": parent, "path": [], "zone": "Asia/Shanghai"}
        await runtime.units.apply(unit, 1, "unit.registered.v1", data)
    for number, policy in enumerate(POLICIES):
        await runtime.policies.apply(f"policy_{number}", 1, "policy.published.v1", policy | {"unit": "unit_d1"})


class World:
    """One service's rounds in a database of its own, with a loop of its own: Hypothesis knows of none."""

    def __init__(self, servers: Servers, service: str) -> None:
        self._runner = asyncio.Runner()
        self._offsets = itertools.count()
        self._settings = settings_of(servers, service, f"hostile_{uuid4().hex[:8]}")
        self._runner.run(self._start(service))

    def take(self, records: Sequence[Stored]) -> list[str]:
        """Give the records to the consumer; what is wrong with how it took them."""
        return self._runner.run(self._take(records))

    def close(self) -> None:
        """Drop the database."""
        self._runner.run(self._stop())
        self._runner.close()

    async def _start(self, service: str) -> None:
        own = CATALOGUE.load(service)
        self._runtime = Runtime(own, self._settings)
        await self._runtime.start()
        await know_district(self._runtime)
        self.rounds = Rounds(self._runtime, reactions_of(own), breaker=Breaker(PATIENT), patience=0.05)
        await self.rounds.start()

    async def _take(self, records: Sequence[Stored]) -> list[str]:
        for record in records:
            record.offset = next(self._offsets)  # as in a topic, no two lie in one place
        assert await self.rounds.take(records), "the breaker opened"
        return [wrong for record in records for wrong in await unaccounted(self.rounds, record)]

    async def _stop(self) -> None:
        await self._runtime.database.drop()
        await self._runtime.client.database(f"{self._settings.prefix}_clock").drop()
        await self._runtime.stop()


async def unaccounted(rounds: Rounds, record: Stored) -> list[str]:
    """Nothing, when the record is applied or parked whole with its reason; else what is missing."""
    item = Item(record)
    if item.subject and (await rounds.places.of(item.subject)).seq >= item.seq:
        return []
    row = await rounds.parked.get(item.row)
    if row is None:
        return [f"lost: {item.type} {item.seq} {item.fault}"]
    kept = (row["key"], row["value"], [tuple(pair) for pair in row["headers"]])
    whole = kept == (record.key, record.value, [(name, content) for name, content in record.headers])
    return _unreasoned(row) + ([] if whole else [f"not kept whole: {item.type}"])


def _unreasoned(row: dict[str, Any]) -> list[str]:
    return [] if row["reason"] and row["code"] else [f"parked without a reason: {row['type']}"]
