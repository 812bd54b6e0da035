"""Faults while the load runs, one or two at a time; and how long it takes until everything works again."""

import asyncio
import time
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from subprocess import CalledProcessError
from typing import Any

from deploy.local.trouble import Trouble
from tests.faults.clients import Clients, GaveUp, Refused
from tests.faults.district import DISTRICT, GRIDS
from tests.faults.ground import Ground
from tests.faults.kinds import KINDS, Fault
from tests.faults.stories import Overdue, Stories

GOAL = 30.0  # seconds until requests succeed again
PATIENCE = 180.0  # seconds until a fault counts as not overcome
LOOK = 1.0  # seconds between two looks at who is ready

FAULTS = (
    Fault("kill", "complaints-api"),
    Fault("kill", "complaints-worker"),
    Fault("kill", "relay"),
    Fault("kill", "mongodb"),
    Fault("kill", "kafka"),
    Fault("kill", "volunteers-worker"),
    Fault("kill", "insight-worker"),
    Fault("pause", "relay", 15.0),
    Fault("pause", "mongodb", 6.0),
)
SHORT = (FAULTS[1], FAULTS[2], FAULTS[3])


@dataclass
class Overcome:
    """What became of one fault or two at once.

    ``at``: seconds after the start of the load; ``over``: seconds after that, when whatever was taken away was back.
    From then on: ``requests``: a request first sent then was accepted. ``journey``: a concern recorded then had gone
    through an order, a volunteer and a confirmation, and was solved, so that api, worker, relay, database and broker
    all did their part. ``counted``: insight had counted it. ``ready``: every process said that it was ready from then
    on; 0 when none ever said that it was not. None: it did not happen within ``PATIENCE``. ``backlog``: the fault
    left one of its own making, so that what is new has to wait.
    """

    fault: str
    at: float
    kinds: tuple[str, ...]  # of the faults at once
    backlog: bool = False
    over: float | None = None
    requests: float | None = None
    journey: float | None = None
    counted: float | None = None
    ready: float | None = None
    trouble: str = ""

    def told(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)

    def met(self) -> bool:
        """Whether the goal was met: requests are taken, and what follows from them happens."""
        steps = (self.requests, self.journey, self.counted)
        return all(took is not None and (self.backlog or took <= GOAL) for took in steps)


@dataclass
class Injector:
    """Brings the faults about. ``probes`` tells stories of its own, unpaced by the load's."""

    ground: Ground
    probes: Stories
    began: float  # monotonic
    overcome: list[Overcome] = field(default_factory=list)

    async def bring_about(self, *faults: Fault) -> Overcome:
        """These at once, and the wait until they are overcome."""
        at, backlog = round(time.monotonic() - self.began, 1), any(KINDS[fault.kind].backlog for fault in faults)
        told = Overcome(" + ".join(map(str, faults)), at, tuple(fault.kind for fault in faults), backlog)
        self.overcome.append(told)
        began = time.monotonic()
        try:
            ended = await asyncio.gather(*(self._through(fault) for fault in faults), return_exceptions=True)
            for error in filter(None, ended):
                raise error
            told.over = _since(began)
            await self._until_overcome(told, time.monotonic())
        except TimeoutError:
            told.trouble = "not overcome"
        except (GaveUp, Overdue, Refused, Trouble, CalledProcessError) as trouble:
            told.trouble = f"{type(trouble).__name__} {trouble}"
        return told

    async def _through(self, fault: Fault) -> None:
        acting: AbstractContextManager[None] = KINDS[fault.kind].act(self.ground, fault.program)
        await asyncio.to_thread(acting.__enter__)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            await asyncio.to_thread(acting.__exit__, None, None, None)

    async def _until_overcome(self, told: Overcome, since: float) -> None:
        async with asyncio.timeout(PATIENCE):
            probing = asyncio.create_task(self._probe(told, since))
            await asyncio.gather(probing, self._ready(told, since, probing))

    async def _probe(self, told: Overcome, since: float) -> None:
        clients, people = self.probes.clients, self.probes.people
        await self.probes.recorded(GRIDS[0])
        told.requests = _since(since)
        case, _ = await self.probes.served(GRIDS[0])
        told.journey = _since(since)
        await self._counted(clients, people.street, case)
        told.counted = _since(since)

    async def _counted(self, clients: Clients, officer: Any, case: str) -> None:
        """The concern stands behind insight's figure: pages of subjects run by id, so ask for the one after."""
        page = f"/figures/complaints.solved/subjects?unit={DISTRICT}&cursor={case[:-1]}&limit=20"
        while True:
            found = await clients.get(officer, "insight", page)
            if any(item["id"] == case for item in found["items"]):
                return
            await asyncio.sleep(0.3)

    async def _ready(self, told: Overcome, since: float, probing: "asyncio.Task[None]") -> None:
        """A process may take a while to notice, so look as long as the probe is under way."""
        last, late = 0.0, True
        while late or not probing.done():
            late = bool(await asyncio.to_thread(lambda: self.ground.system.not_ready()))
            last = _since(since) if late else last
            await asyncio.wait({probing}, timeout=LOOK)
        told.ready = last


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)
