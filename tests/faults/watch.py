"""What is seen from outside while a run lasts: events taken, events that wait, the relay's lag; every two seconds."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from deploy.local.system import System

EVERY = 2.0  # seconds between two looks
WORTH = 200  # events that wait at least, before the rate at which they drain says anything


@dataclass(frozen=True)
class Seen:
    """One look. ``applied``: events taken by all workers since the look before, by second; ``waiting``: in the topics
    or parked, over all consumers; ``lag``: seconds of the relay. Processes that do not answer count nothing."""

    at: float  # epoch seconds
    applied: float
    waiting: float
    lag: float
    silent: int  # processes that did not answer


@dataclass
class Watch:
    """Looks at every worker's and relay's metrics."""

    system: System
    seen: list[Seen] = field(default_factory=list)
    _applied: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled."""
        pages = {
            program.name: program.ready.replace("/ready", "/metrics")
            for program in self.system.programs
            if program.ready and ("worker" in program.name or "relay" in program.name)
        }
        async with httpx.AsyncClient(timeout=1.5) as http:
            while True:
                began = time.monotonic()
                answers = await asyncio.gather(*(_page(http, url) for url in pages.values()))
                self._note(dict(zip(pages, answers, strict=True)))
                await asyncio.sleep(max(0.0, EVERY - (time.monotonic() - began)))

    def _note(self, told: dict[str, dict[str, float]]) -> None:
        applied, lag, last = 0.0, 0.0, self.seen[-1].at if self.seen else time.time() - EVERY
        waiting: dict[str, float] = {}  # by consumer: its workers see the same group
        for name, figures in told.items():
            taken = figures.get("linli_events_applied_total", 0.0) + figures.get("linli_events_repeated_total", 0.0)
            before = self._applied.get(name, 0.0)
            applied += taken - before if taken >= before else taken  # a process that was started again counts from 0
            if figures:
                self._applied[name] = taken
            consumer = name.partition("-")[0]
            here = figures.get("linli_consumer_lag", 0.0) + figures.get("linli_parked_events", 0.0)
            waiting[consumer] = max(waiting.get(consumer, 0.0), here)
            lag = max(lag, figures.get("linli_relay_lag_seconds", 0.0))
        now = time.time()
        silent = sum(not figures for figures in told.values())
        self.seen.append(Seen(now, applied / max(0.1, now - last), sum(waiting.values()), lag, silent))


async def _page(http: httpx.AsyncClient, url: str) -> dict[str, float]:
    """Each figure summed over its labels, the largest for a lag; nothing when nobody answers."""
    try:
        text = (await http.get(url)).text
    except httpx.HTTPError:
        return {}
    figures: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("linli_"):
            name, value = line.partition("{")[0].partition(" ")[0], float(line.rpartition(" ")[2])
            before = figures.get(name, 0.0)
            figures[name] = max(before, value) if "relay_lag" in name else before + value
    return figures


def drains(seen: Iterable[Seen]) -> list[float]:
    """For each time that more than ``WORTH`` events waited: how many times the rate of arrival they were taken, from
    the peak until a tenth of it was left."""
    found: list[float] = []
    peak: Seen | None = None
    taken: list[float] = []
    for one in seen:
        if peak is None or one.waiting >= peak.waiting:
            peak, taken = (one, []) if one.waiting > WORTH else (None, [])
            continue
        taken.append(one.applied)
        if one.waiting < peak.waiting / 10:
            seconds = one.at - peak.at
            rate = sum(taken) / len(taken)
            arriving = rate - (peak.waiting - one.waiting) / seconds
            if arriving > 0:  # else nothing came meanwhile, and there is nothing to compare with
                found.append(round(rate / arriving, 1))
            peak, taken = None, []
    return found
