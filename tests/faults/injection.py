"""Faults, one after the other, while the load runs; and how long it takes until everything works again."""

import asyncio
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from deploy.local.system import System
from tests.faults.clients import Clients, GaveUp, Refused
from tests.faults.district import DISTRICT, GRIDS
from tests.faults.stories import Overdue, Stories

GOAL = 30.0  # seconds until requests succeed again
PATIENCE = 120.0  # seconds until a fault counts as not overcome
LOOK = 1.0  # seconds between two looks at who is ready


@dataclass(frozen=True)
class Fault:
    """``kill``: SIGKILL. ``pause``: SIGSTOP for ``seconds``, then SIGCONT."""

    kind: str
    program: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind} {self.program}" + (f" {self.seconds:g} s" if self.seconds else "")


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
    """What became of one fault; times in seconds after it. None: it did not happen within ``PATIENCE``.

    ``requests``: a request first sent after the fault was accepted. ``journey``: a concern recorded after the fault had
    gone through an order, a volunteer and a confirmation, and was solved, so that api, worker, relay, database and
    broker all did their part. ``counted``: insight had counted it. ``ready``: from then on every process said that it
    was ready; 0 when none ever said that it was not.
    """

    fault: str
    at: float  # seconds after the start of the load
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
        return all(took is not None and took <= GOAL for took in (self.requests, self.journey, self.counted))


@dataclass
class Injector:
    """Brings the faults about. ``probes`` tells stories of its own, unpaced by the load's."""

    system: System
    probes: Stories
    began: float  # monotonic
    overcome: list[Overcome] = field(default_factory=list)

    async def bring_about(self, fault: Fault) -> Overcome:
        """One fault, and the wait until it is overcome."""
        told = Overcome(str(fault), round(time.monotonic() - self.began, 1))
        self.overcome.append(told)
        began = time.monotonic()
        thawing = None
        if fault.kind == "kill":
            await asyncio.to_thread(self.system.kill, fault.program)
        else:
            await asyncio.to_thread(self.system.pause, fault.program)
            thawing = asyncio.create_task(self._thaw(fault))
        try:
            async with asyncio.timeout(PATIENCE):
                probing = asyncio.create_task(self._probe(told, began))
                await asyncio.gather(probing, self._ready(told, began, probing))
        except TimeoutError:
            told.trouble = "not overcome"
        except (GaveUp, Overdue, Refused) as trouble:
            told.trouble = f"{type(trouble).__name__} {trouble}"
        finally:
            if thawing:
                await thawing
        return told

    async def _thaw(self, fault: Fault) -> None:
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(self.system.resume, fault.program)

    async def _probe(self, told: Overcome, began: float) -> None:
        clients, people = self.probes.clients, self.probes.people
        await self.probes.recorded(GRIDS[0])
        told.requests = _since(began)
        case, _ = await self.probes.served(GRIDS[0])
        told.journey = _since(began)
        await self._counted(clients, people.street, case)
        told.counted = _since(began)

    async def _counted(self, clients: Clients, officer: Any, case: str) -> None:
        """The concern stands behind insight's figure: pages of subjects run by id, so ask for the one after."""
        page = f"/figures/complaints.solved/subjects?unit={DISTRICT}&cursor={case[:-1]}&limit=20"
        while True:
            found = await clients.get(officer, "insight", page)
            if any(item["id"] == case for item in found["items"]):
                return
            await asyncio.sleep(0.3)

    async def _ready(self, told: Overcome, began: float, probing: "asyncio.Task[None]") -> None:
        """A process may take a while to notice, so look as long as the probe is under way."""
        last, late = 0.0, True
        while late or not probing.done():
            late = bool(await asyncio.to_thread(self.system.not_ready))
            last = _since(began) if late else last
            await asyncio.wait({probing}, timeout=LOOK)
        told.ready = last


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)
