"""The same work at ten thousand and at a million concerns: does a street slow down because its city has grown?

The first street keeps its ten thousand concerns; what grows around it are the city's other streets, in the same
database. Rates are taken twice in one run, first small, then grown.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import psutil
from pymongo import MongoClient

from deploy.local.demo_district import FIRST
from deploy.local.system import System
from tests.faults.district import urls_of
from tests.faults.tokens import Caller, Tokens
from tests.load import city, generator
from tests.load.http_load import Request, load, request
from tests.load.line import Line
from tests.load.recording import CONNECTIONS, JSON, TEXT

STREET_HOLDS = 10_000
AT_ONCE = 16  # lives lived beside each other
SETTLED = 600.0  # seconds until everything that was written has gone its way
QUIET_CPU = 40.0  # per cent of one processor, of all processes together
COUNT = itertools.count(time.time_ns() % 10**9)


@dataclass(frozen=True)
class People:
    """Who works in the first street: a community worker, a street officer, a clerk, and the district's officer."""

    worker: Caller
    officer: Caller
    clerk: Caller
    district: Caller

    @classmethod
    def of(cls, system: System) -> "People":
        """Fresh tokens, good for an hour."""
        tokens, street = Tokens(system), city.street(0)
        community = city.communities_of(0)[0]
        return cls(
            tokens.of(f"usr_worker-{community}", ("community-worker",), community),
            tokens.of("usr_city-officer", ("street-officer",), street),
            tokens.of("usr_city-clerk", ("hotline-clerk",), street),
            tokens.of("usr_city-district", ("street-officer",), FIRST),
        )


def ports(system: System) -> dict[str, int]:
    """Where the apis listen."""
    return {name: int(system.plan.url(name).rpartition(":")[2]) for name in system.plan.services}


def asked(who: Caller, path: str, **headers: str) -> bytes:
    """A GET."""
    return request("GET", path, b"", {"Authorization": f"Bearer {who.token}"} | headers)


def posted(who: Caller, path: str, body: object) -> bytes:
    """A POST with a key of its own."""
    key = {"Authorization": f"Bearer {who.token}", "Idempotency-Key": f"growth-{next(COUNT)}"}
    return request("POST", path, orjson.dumps(body), key | JSON)


def concern(who: Caller) -> bytes:
    """A concern recorded in the first grid of the first street."""
    number = next(COUNT)
    told = {"subject": "电梯停运两天了", "text": TEXT, "channel": "visit"}
    reporter = {"name": "王小明", "phone": f"139{number % 10**8:08d}"}
    body = {"unit": city.grids_of(1)[0], "kind": "condition", "category": "property", "reporter": reporter} | told
    return posted(who, "/cases", body)


async def lives(system: System, people: People, seconds: float) -> float:
    """Whole lives a second: recorded, taken up, solved, confirmed at the call-back, and found again by telephone."""
    port, done, until = ports(system)["complaints"], itertools.count(), time.perf_counter() + seconds

    async def one(line: Line) -> None:
        told = await line.ask(concern(people.worker))
        case = told.body["aggregate"]
        steps = (("accept", {}), ("solve", {"reply": "已经修好。"}), ("confirm", {"satisfied": True}))
        for step, body in steps:
            told = await line.ask(posted(people.worker, f"/cases/{case}/{step}", body))
            if told.status != 200:
                raise RuntimeError(f"{step}: {told.status} {told.body.get('code')}")
        found = await line.ask(by_phone(people, 137_0000_0000 + next(COUNT) % STREET_HOLDS))
        if found.status != 200:
            raise RuntimeError(f"search: {found.status} {found.body.get('code')}")

    async def many() -> None:
        line = await Line.open(port)
        while time.perf_counter() < until:
            await one(line)
            next(done)
        line.close()

    begun = time.perf_counter()
    await asyncio.gather(*(many() for _ in range(AT_ONCE)))
    return next(done) / (time.perf_counter() - begun)


def by_phone(people: People, phone: int) -> bytes:
    """The concerns of one telephone: a search that is recorded."""
    return asked(people.clerk, "/cases/by-phone?because=call", **{"Linli-Phone": str(phone)})


def month() -> tuple[str, str]:
    """A whole month of the past year: first and last day."""
    last = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    return last.replace(day=1).isoformat(), last.isoformat()


def readings(people: People) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """What is read: name to the service and what makes its requests."""
    since, until = month()
    span = f"unit={city.street(0)}&since={since}&until={until}"
    phones = itertools.count()
    lists = {
        "work list of a street": asked(people.officer, "/cases"),
        "work list by category": asked(people.officer, "/cases?category=property"),
        "list of what is due": asked(people.officer, "/cases/due"),
        "queue of a worker": asked(people.worker, "/cases/queues/answerable"),
    }
    figures = {
        "monthly report of a street": asked(people.officer, f"/reports/street-concerns?{span}"),
        "drill-down of a month": asked(people.officer, f"/figures/complaints.closed/subjects?{span}&limit=200"),
    }
    found: dict[str, tuple[str, Callable[[], bytes]]] = {
        name: ("complaints", lambda made=made: made) for name, made in lists.items()
    }
    found["search by telephone"] = (
        "complaints",
        lambda: by_phone(people, 137_0000_0000 + next(phones) % STREET_HOLDS),
    )
    return found | {name: ("insight", lambda made=made: made) for name, made in figures.items()}


async def rates(system: System, rounds: int, seconds: float) -> dict[str, float]:
    """Every rate, taken in rounds so that what else the machine does falls on all of them."""
    people, where = People.of(system), ports(system)
    lines: dict[str, tuple[str, Request]] = {"recording": ("complaints", lambda: concern(people.worker))}
    lines |= readings(people)
    total: dict[str, list[float]] = {name: [] for name in [*lines, "whole life"]}
    for _ in range(rounds):
        for name, (service, make) in lines.items():
            measured = await load(where[service], make, CONNECTIONS, seconds)
            if measured.refused:
                raise RuntimeError(f"{name}: refused {measured.refused}")
            total[name].append(measured.rate)
        total["whole life"].append(await lives(system, people, seconds * 2))
    return {name: sorted(values)[len(values) // 2] for name, values in total.items()}


def settle(system: System) -> float:
    """Wait until relay and workers have nothing left to do; returns the seconds it took."""
    begun = time.monotonic()
    processes = [psutil.Process(row["pid"]) for row in system.supervisor.processes().values() if row["pid"]]
    while time.monotonic() - begun < SETTLED:
        for process in processes:
            process.cpu_percent()
        time.sleep(3)
        busy = sum(process.cpu_percent() for process in processes)
        if busy < QUIET_CPU and not system.not_ready():
            return time.monotonic() - begun
    raise TimeoutError(f"not settled after {SETTLED:.0f} s: {busy:.0f} % busy, {system.not_ready()}")


def memory(system: System) -> dict[str, float]:
    """Resident megabytes by process."""
    rows = system.supervisor.processes()
    return {name: psutil.Process(row["pid"]).memory_info().rss / 2**20 for name, row in rows.items() if row["pid"]}


def whole_city(system: System) -> float:
    """Seconds for the report over everything that the city ever had: the price of the widest question."""
    who, url = People.of(system).district, f"{urls_of(system.plan)['insight']}/reports/street-concerns?unit={FIRST}"
    begun = time.perf_counter()
    httpx.get(url, headers={"Authorization": f"Bearer {who.token}"}, timeout=300).raise_for_status()
    return time.perf_counter() - begun


def stored(system: System, concerns: int) -> dict[str, float]:
    """Bytes on disk for one concern, compressed as the database compresses: records and indexes, and insight's row."""
    found = {}
    with MongoClient[Any](system.plan.mongo) as client:
        client.admin.command("fsync")
        for name, database, collection in (("a concern", "complaints", "case"), ("its row", "insight", "rows")):
            told = client[f"{system.plan.prefix}_{database}"].command("collStats", collection)
            found[f"on disk: {name}"] = told["storageSize"] / concerns
            found[f"on disk: indexes of {name}"] = told["totalIndexSize"] / concerns
    return found


@dataclass
class Size:
    """What was seen at one size. Rates are a second."""

    concerns: int
    rates: dict[str, float]
    whole_city: float  # seconds
    memory: dict[str, float]  # megabytes
    written: float  # concerns a second, by the generator
    settled: float  # seconds
    stored: dict[str, float]  # bytes


async def at_sizes(system: System, sizes: list[int], rounds: int, seconds: float) -> list[Size]:
    """Grow the city to each size and measure."""
    streets = max(2, max(sizes) // STREET_HOLDS // 2)
    await asyncio.to_thread(city.build, urls_of(system.plan), streets)
    seen, have = [], 0
    for size in sizes:
        around = (1, streets) if have else (0, 1)
        written = await asyncio.to_thread(generator.grow, system, *around, have, size)
        have = size
        settled = await asyncio.to_thread(settle, system)
        found = await rates(system, rounds, seconds)
        whole = await asyncio.to_thread(whole_city, system)
        kept = await asyncio.to_thread(stored, system, size)
        seen.append(Size(size, found, whole, memory(system), written, settled, kept))
        print(f"  {size} concerns: {written:.0f} written/s, " + ", ".join(f"{k} {v:.0f}/s" for k, v in found.items()))
    return seen
