"""Ten times the usual load for a minute, by clients that wait for nobody: what is refused, and when it is over."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

from deploy.local.system import System
from tests.load.growth import People, concern, ports
from tests.load.http_load import percentile
from tests.load.line import Line

USUAL, TIMES = 40, 10  # requests a second; how many times as many in the burst
LINES = 400  # connections: a client that finds none free opens no other
NORMAL = 2.0  # times the usual p99, or NORMAL_SECONDS, is normal again
NORMAL_SECONDS = 0.1
WINDOW = 1.0  # seconds over which it is judged whether all is normal again
PATIENCE = 120


@dataclass
class Phase:
    """What came of one stretch of load."""

    latencies: list[float] = field(default_factory=list)  # seconds, of answers 201
    statuses: Counter[str] = field(default_factory=Counter)
    sent_at: list[float] = field(default_factory=list)  # of the same answers, on the clock of perf_counter

    def p99(self) -> float:
        """Seconds."""
        return percentile(self.latencies, 0.99) if self.latencies else float("inf")


class Crowd:
    """Clients that come at a steady rate, whether the earlier ones have been answered or not."""

    def __init__(self, port: int, people: People) -> None:
        self._port, self._people = port, people
        self._free: asyncio.Queue[Line | None] = asyncio.Queue()
        for _ in range(LINES):
            self._free.put_nowait(None)

    async def come(self, per_second: float, seconds: float) -> Phase:
        """So many a second for so long; returns when the last has been answered."""
        phase, tasks, begun = Phase(), set[asyncio.Task[None]](), time.perf_counter()
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
            task = asyncio.create_task(self._one(phase))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        while tasks:
            await asyncio.wait(tasks)
        return phase

    async def _one(self, phase: Phase) -> None:
        begun = time.perf_counter()
        line = await self._free.get()
        try:
            line = line or await Line.open(self._port)
            told = await line.ask(concern(self._people.worker))
        except OSError as error:
            phase.statuses[type(error).__name__] += 1
            line = None
        else:
            phase.statuses[str(told.status)] += 1
            if told.status == 201:
                phase.latencies.append(time.perf_counter() - begun)
                phase.sent_at.append(begun)
        finally:
            self._free.put_nowait(line)


@dataclass
class Burst:
    """The usual load, the burst, and what followed. ``normal_after``: seconds after the burst's end; None is never."""

    usual: Phase
    burst: Phase
    normal_after: float | None
    memory_mb: float  # more of the api's than before


async def burst(system: System, seconds: float = 60, before: float = 15) -> Burst:
    """Bring it about and look until the answers are as quick as before."""
    crowd = Crowd(ports(system)["complaints"], People.of(system))
    await crowd.come(USUAL, 3)  # warm
    usual = await crowd.come(USUAL, before)
    api = psutil.Process(system.pid("complaints-api"))
    held = api.memory_info().rss
    during = await crowd.come(USUAL * TIMES, seconds)
    over = time.perf_counter()
    more = (api.memory_info().rss - held) / 2**20
    limit = max(usual.p99() * NORMAL, NORMAL_SECONDS)
    while time.perf_counter() - over < PATIENCE:
        after = await crowd.come(USUAL, WINDOW)
        if after.p99() <= limit and set(after.statuses) == {"201"}:
            return Burst(usual, during, time.perf_counter() - over - WINDOW, more)
    return Burst(usual, during, None, more)
