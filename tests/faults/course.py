"""The course of a run: people enlist, load and faults run side by side, everything comes to rest, all is checked."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from deploy.local.system import System
from tests.faults import poison
from tests.faults.checker import violations
from tests.faults.clients import Clients
from tests.faults.district import COMMUNITIES, DISTRICT, STREET, found, urls_of
from tests.faults.evidence import Evidence, gather
from tests.faults.injection import Fault, Injector, Overcome
from tests.faults.ledger import Ledger, counts
from tests.faults.recount import REPORT, wrong_figures
from tests.faults.stories import People, Stories
from tests.faults.tokens import Tokens

AT_ONCE = 8  # stories
REST = 150.0  # seconds until what was accepted must be applied everywhere
LOOK = 3.0  # seconds between looks at it
QUIET = (1.0, 4.0)  # seconds between two faults
FIGURES = "insight's figures equal a recount"
STORIES = "every story came to its end"
BACK = "works again in time after each fault"


@dataclass
class Course:
    """What was done, what became of it. ``violations`` holds sentences by promise; empty lists mean that it held."""

    seed: int
    rate: float
    violations: dict[str, list[str]] = field(default_factory=dict)
    faults: list[Overcome] = field(default_factory=list)
    stories: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    poison: int = 0
    loaded: float = 0.0  # seconds
    rested: float | None = None  # seconds after the load until everything was applied everywhere

    @property
    def held(self) -> bool:
        """Whether every promise held."""
        return not any(self.violations.values())


def run(system: System, faults: Sequence[Fault], seconds: float, seed: int, rate: float, ledger: Path) -> Course:
    """The whole course on a fresh system. Load lasts ``seconds``, and longer until the last fault is overcome."""
    found(urls_of(system.plan))
    return asyncio.run(_run(system, faults, seconds, seed, rate, ledger))


async def _run(
    system: System, faults: Sequence[Fault], seconds: float, seed: int, rate: float, ledger: Path
) -> Course:
    course, random = Course(seed, rate), Random(seed)
    written = Ledger(ledger)
    clients = Clients(urls_of(system.plan), written, rate)
    tokens = Tokens(system)
    try:
        load = Stories(clients, People.of(tokens), random)
        await load.enlist(tokens)
        probes = Stories(clients, load.people, Random(seed + 1))
        began = time.monotonic()
        injector = Injector(system, probes, began)
        poisonous = await _under_load(load, injector, faults, seconds)
        course.loaded = round(time.monotonic() - began, 1)
        course.faults, course.stories, course.poison = injector.overcome, load.ended, len(poisonous)
        await _rest(course, system, clients, load, written, poisonous)
        course.violations[STORIES] = load.surprises
        course.violations[BACK] = [f"{one.fault}: {one.told()}" for one in course.faults if not one.met()]
    finally:
        await clients.close()
        written.close()
    course.requests = counts(written.asked)
    return course


async def _under_load(
    load: Stories, injector: Injector, faults: Sequence[Fault], seconds: float
) -> list[poison.Poison]:
    """Keep people busy while the faults happen, at least for ``seconds``; what has begun is told to the end."""
    over = asyncio.Event()
    busy = [asyncio.create_task(_busy(load, over)) for _ in range(AT_ONCE)]
    plan = injector.system.plan
    try:
        poisonous = await asyncio.to_thread(poison.spread, plan.kafka, plan.prefix)
        for fault in faults:
            await asyncio.sleep(load.random.uniform(*QUIET))
            await injector.bring_about(fault)
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - injector.began)))
    finally:
        over.set()
        await asyncio.gather(*busy)
    return poisonous


async def _busy(load: Stories, over: asyncio.Event) -> None:
    while not over.is_set():
        await load.any()


async def _rest(
    course: Course, system: System, clients: Clients, load: Stories, written: Ledger, poisonous: list[poison.Poison]
) -> None:
    """Look until nothing is wrong any more, or for ``REST``: what is on its way is not lost yet."""
    began = time.monotonic()
    while True:
        plan = system.plan
        evidence = await asyncio.to_thread(gather, plan.mongo, plan.kafka, plan.prefix)
        course.violations = violations(evidence, written.asked, poisonous)
        course.violations[FIGURES] = await _wrong_figures(clients, load, evidence)
        passed = time.monotonic() - began
        if course.held or passed > REST:
            course.rested = round(passed, 1) if course.held else None
            course.found = _counted(evidence)
            return
        await asyncio.sleep(LOOK)


async def _wrong_figures(clients: Clients, load: Stories, evidence: Evidence) -> list[str]:
    wrong: list[str] = []
    for unit in (DISTRICT, STREET, *COMMUNITIES):
        report = await clients.get(load.people.street, "insight", f"/reports/{REPORT}?unit={unit}")
        wrong += wrong_figures(report, evidence, unit)
    return wrong


def _counted(evidence: Evidence) -> dict[str, Any]:
    entries = sum(len(history) for kind in evidence.histories.values() for history in kind.values())
    return {
        "aggregates": sum(len(kind) for kind in evidence.histories.values()),
        "events": entries,
        "records": sum(len(records) for records in evidence.topics.values()),
        "places": sum(len(places) for places in evidence.places.values()),
        "parked": sum(len(rows) for rows in evidence.parked.values()),
    }
