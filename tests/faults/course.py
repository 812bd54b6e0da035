"""The course of a run: people enlist, load and faults run side by side, everything comes to rest, all is checked."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from deploy.local.system import System
from tests.faults import poison
from tests.faults.checker import violations
from tests.faults.clients import Clients
from tests.faults.district import COMMUNITIES, DISTRICT, STREET, apis_of, found, urls_of
from tests.faults.draw import left_out
from tests.faults.evidence import Evidence, gather
from tests.faults.ground import Beneath, Ground
from tests.faults.injection import Injector, Overcome
from tests.faults.kinds import Fault
from tests.faults.ledger import Ledger, counts
from tests.faults.links import Links
from tests.faults.load import Load
from tests.faults.recount import REPORT, value_of, wrong_figures
from tests.faults.stories import MIX, People, Stories
from tests.faults.tokens import Tokens
from tests.faults.watch import Seen, Watch, drains

REST = 240.0  # seconds until what was accepted must be applied everywhere
LONGEST = 3600.0  # seconds until the events that were asked for must be there
LOOK = 3.0  # seconds between looks at it
QUIET = (1.0, 4.0)  # seconds between two faults
TWICE = 2.0  # times the rate of arrival at which a backlog must drain
FIGURES = "insight's figures equal a recount"
STORIES = "every story came to its end"
BACK = "works again in time after each fault"
DRAINS = "a backlog drains at twice the rate of arrival"
ZERO = "nothing is left unapplied once the poison is discarded"

Draw = Callable[[Ground, Random], Iterable[tuple[Fault, ...]]]


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
    began: float = 0.0  # epoch seconds, of the load
    loaded: float = 0.0  # seconds
    rested: float | None = None  # seconds after the load until everything was applied everywhere
    seconds: dict[int, dict[str, int]] = field(default_factory=dict)  # by epoch second: answers and troubles
    seen: list[Seen] = field(default_factory=list)
    drains: list[float] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)  # kinds of faults, each with the reason

    @property
    def held(self) -> bool:
        """Whether every promise held."""
        return not any(self.violations.values())


@dataclass
class Manner:
    """How a run is to be: with what load, how long at least, and what stands between and beneath."""

    seconds: float
    seed: int
    rate: float  # requests a second
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))
    links: Links | None = None
    beneath: Beneath = field(default_factory=Beneath)
    events: int = 0  # in the histories, at least


def run(system: System, faults: Sequence[Fault], seconds: float, seed: int, rate: float, ledger: Path) -> Course:
    """The whole course on a fresh system, these faults one after the other. Load lasts ``seconds``, and longer until
    the last fault is overcome."""
    return course(system, lambda ground, random: [(fault,) for fault in faults], Manner(seconds, seed, rate), ledger)


def course(system: System, draw: Draw, manner: Manner, ledger: Path) -> Course:
    """The whole course on a fresh system; ``draw`` gives the faults, those of one turn at once."""
    found(urls_of(system.plan))
    return asyncio.run(_run(system, draw, manner, ledger))


async def _run(system: System, draw: Draw, manner: Manner, ledger: Path) -> Course:
    course, random, written = Course(manner.seed, manner.rate), Random(manner.seed), Ledger(ledger)
    clients = Clients(apis_of(system.plan), written, manner.rate)
    tokens, watch = Tokens(system), Watch(system)
    watching = asyncio.create_task(watch.run())
    try:
        stories = Stories(clients, People.of(tokens), random, manner.mix)
        await stories.enlist(tokens)
        ground = Ground(system, Load(stories), Random(manner.seed + 2), manner.links, manner.beneath)
        course.began = time.time()
        injector = Injector(ground, Stories(clients, stories.people, Random(manner.seed + 1)), time.monotonic())
        course.faults, course.left_out = injector.overcome, left_out(ground)
        await _under_load(injector, draw(ground, Random(manner.seed + 3)), manner)
        course.loaded = round(time.monotonic() - injector.began, 1)
        course.stories, course.poison = stories.ended, len(ground.poisonous)
        await _rest(course, ground, clients, written)
        course.violations[STORIES] = stories.surprises
        course.violations[BACK] = [f"{one.fault}: {one.told()}" for one in course.faults if not one.met()]
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await clients.close()
        written.close()
    course.requests, course.seconds = counts(written.asked), {at: dict(of) for at, of in written.seconds.items()}
    course.seen, course.drains = watch.seen, drains(watch.seen)
    course.violations[DRAINS] = [f"{times} times the rate of arrival" for times in course.drains if times < TWICE]
    return course


async def _under_load(
    injector: Injector, faults: Iterable[tuple[Fault, ...]], manner: Manner
) -> None:
    """Keep people busy while the faults happen, for at least as long as ``manner`` says."""
    ground = injector.ground
    async with ground.load.under_way():
        ground.poisonous += await asyncio.to_thread(poison.spread, ground.system.plan.kafka, ground.prefix)
        for together in faults:
            await asyncio.sleep(ground.random.uniform(*QUIET))
            print(f"  {_passed(injector)} {' + '.join(map(str, together))}", flush=True)
            told = await injector.bring_about(*together)
            print(f"  {_passed(injector)}   over {told.over} counted {told.counted} {told.trouble}", flush=True)
        await asyncio.sleep(max(0.0, manner.seconds - (time.monotonic() - injector.began)))
        await asyncio.to_thread(
            lambda: ground.until(lambda: ground.events() >= manner.events, f"{manner.events} events", LONGEST)
        )


def _passed(injector: Injector) -> str:
    return f"{time.monotonic() - injector.began:7.1f}s"


async def _rest(course: Course, ground: Ground, clients: Clients, written: Ledger) -> None:
    """Look until nothing is wrong any more, or for ``REST``: what is on its way is not lost yet."""
    began, plan = time.monotonic(), ground.system.plan
    officer = ground.load.stories.people.street
    while True:
        evidence = await asyncio.to_thread(gather, plan.mongo, plan.kafka, plan.prefix)
        course.violations = violations(evidence, written.asked, ground.poisonous, written.pages)
        course.violations[FIGURES] = await _wrong_reports(clients, officer, evidence)
        if course.held:
            course.violations[FIGURES] = await _wrong_figures(clients, officer, evidence)
        passed = time.monotonic() - began
        broken = {promise: len(sentences) for promise, sentences in course.violations.items() if sentences}
        print(f"  after {passed:.0f} s of rest {broken or 'all is as it should be'}", flush=True)
        if course.held or passed > REST:
            course.rested = round(passed, 1) if course.held else None
            course.found = _counted(evidence)
            break
        await asyncio.sleep(LOOK)
    if course.held:
        course.violations[ZERO] = await asyncio.to_thread(_left_unapplied, ground)


async def _wrong_reports(clients: Clients, officer: Any, evidence: Evidence) -> list[str]:
    wrong: list[str] = []
    for unit in (DISTRICT, STREET, *COMMUNITIES):
        report = await clients.get(officer, "insight", f"/reports/{REPORT}?unit={unit}")
        wrong += wrong_figures(report, evidence, unit)
    return wrong


async def _wrong_figures(clients: Clients, officer: Any, evidence: Evidence) -> list[str]:
    """Every figure that insight defines, of the district and of one community."""
    wrong: list[str] = []
    defined = (await clients.get(officer, "insight", "/indicators"))["items"]
    by_key = {each["key"]: each for each in defined}
    for unit in (DISTRICT, COMMUNITIES[0]):
        for definition in defined:
            told = await clients.get(officer, "insight", f"/figures/{definition['key']}?unit={unit}")
            right = value_of(definition, by_key, evidence, unit, evidence.now)
            if told["value"] != right:
                wrong.append(f"{unit} {definition['key']}: {told['value']} where the histories hold {right}")
    return wrong


def _left_unapplied(ground: Ground) -> list[str]:
    """Discard the poison as an operator does; then nothing is parked and the reconciliation finds nothing unapplied."""
    left: list[str] = []
    with ground.database() as client:
        for service in ground.system.plan.services:
            parked = client[f"{ground.prefix}_{service}"]["parked"]
            if rows := [str(row["_id"]) for row in parked.find({}, {"_id": 1})]:
                ground.discard(service, rows)
            if count := parked.count_documents({}):
                left.append(f"{service}: {count} events stay parked")
    if told := ground.unapplied():
        left.append(f"the reconciliation finds {told} events unapplied")
    return left


def _counted(evidence: Evidence) -> dict[str, Any]:
    entries = sum(len(history) for kind in evidence.histories.values() for history in kind.values())
    return {
        "aggregates": sum(len(kind) for kind in evidence.histories.values()),
        "events": entries,
        "records": sum(len(records) for records in evidence.topics.values()),
        "places": sum(len(places) for places in evidence.places.values()),
        "parked": sum(len(rows) for rows in evidence.parked.values()),
    }
