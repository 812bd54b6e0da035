from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.aggregate import Service
from services.chassis.context import Context
from services.chassis.districts.units import Units
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.storage.history import new_id
from tests.integration.history.counter import TALLY, Open

SERVICE = Service("sample", (TALLY,), (), {}, {}, indexes={"lines": (("scope", "amount"),), "marks": (("amount",),)})


@pytest.fixture
async def runtime(servers: Any) -> AsyncIterator[Runtime]:
    settings = Settings(
        "sample", servers.kafka, servers.mongo, f"test_{uuid4().hex[:12]}", master_key=bytes(96), lookup_key=bytes(32)
    )
    runtime = Runtime(SERVICE, settings)
    await runtime.start()
    yield runtime
    await runtime.database.drop()
    await runtime.stop()


@pytest.fixture
def units(runtime: Runtime) -> Units:
    return runtime.units


@pytest.fixture
async def tree(units: Units) -> Units:
    """A city, two districts; in the first two streets, a community, a grid, a compound, a building, an entrance."""
    for child, parent in LADDER.items():
        await registered(units, child, parent)
    return units


LADDER = {
    "city": None,
    "district": "city",
    "district-2": "city",
    "street": "district",
    "street-2": "district",
    "community": "street",
    "grid": "community",
    "grid-2": "community",
    "compound": "community",
    "building": "compound",
    "entrance": "building",
}


def path_of(unit: str | None) -> list[str]:
    return [] if unit is None else [*path_of(LADDER.get(unit)), unit]


async def registered(units: Units, unit: str, parent: str | None, seq: int = 1) -> None:
    data = {"kind": unit.split("-")[0], "name": f"the {unit}", "parent": parent, "path": [*path_of(parent), unit]}
    if unit == "district":
        data["zone"] = "Asia/Urumqi"
    await units.apply(unit, seq, "unit.registered.v1", data)


async def moved(units: Units, unit: str, parent: str, seq: int = 2) -> None:
    data = {"parent": parent, "path": [*path_of(parent), unit], "revision": seq - 1, "from": "2026-03-01"}
    await units.apply(unit, seq, "unit.moved.v1", data)


async def covered(units: Units, unit: str, grid: str, seq: int, layer: str = "community") -> None:
    await units.apply(unit, seq, "unit.covered.v1", {"grid": grid, "layer": layer, "scope": [], "from": "2026-03-01"})


async def opened(runtime: Runtime, unit: str) -> str:
    """A record of that unit."""
    tally = new_id("tally")
    context = Context(by="sub-1", at=datetime.now(UTC), operation=f"open {tally}")
    await runtime.histories["tally"].create(tally, unit, Open(unit), context)
    return tally
