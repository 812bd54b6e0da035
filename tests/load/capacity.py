"""From measured costs to a city: how many processes, partitions, shards and bytes, checked by simulated days.

    python -m tests.load.capacity [--report docs/reports]

Reads ``bench.json``; prints the table of ``docs/capacity.md``. What is assumed of a city stands in ``CITIES``; what is
measured comes from the report. Each stage (api, relay, worker) is a queue with a rate; a week of arrivals, second by
second, with an hour of tenfold load in its busiest hour, must pass without a wait that people would notice.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy.local.install import ROOT

REPORT = ROOT / "docs" / "reports"
# Share of a day's calls by hour, as hotlines see them: few at night, a high morning, a lower afternoon.
MORNING = (1.0, 0.7, 0.5, 0.4, 0.5, 0.9, 2.0, 4.0, 7.5, 9.5, 9.5, 7.5)
HOURS = (*MORNING, 5.0, 5.5, 7.5, 8.0, 7.5, 6.0, 4.5, 4.0, 3.5, 2.5, 1.7, 1.3)
DAYS = 7
PEAK = 10  # times the average, for one hour
BUSY = 0.6  # share of a process' time that may be used at the peak: the rest is for what was not thought of
WAIT = 2.0  # seconds that an event may wait at the peak before somebody notices
WRITES, EVENTS, READS = 7, 9, 25  # of one request's whole life: steps over HTTP, events, pages looked at
CONSUMERS = 3  # services that take each event
COPIES = 3  # of every byte
SHARD = 2_000_000_000_000  # bytes that one shard should hold
READ_SHARE = 0.5  # of a write's processor time that a page costs


@dataclass(frozen=True)
class City:
    """What is assumed of it."""

    name: str
    requests: float  # a year


CITIES = (
    City("a city: 25 million requests a year", 25e6),
    City("120,000 communities, 6 requests a day each", 120_000 * 6 * 365),
)


@dataclass(frozen=True)
class Measured:
    """What one process does on the machine of the report."""

    write_seconds: float
    relay: float  # events a second
    worker: float  # events a second
    concern: float  # bytes on disk, records, indexes and rows

    @classmethod
    def of(cls, folder: Path) -> "Measured":
        """From the report. Raises KeyError naming the line that is missing."""
        rows = {row["name"]: row["value"] for row in json.loads((folder / "bench.json").read_text(encoding="utf-8"))}
        disk = sum(value for name, value in rows.items() if name.startswith("on disk:"))
        write = rows["processor time of a recording"] / 1e6
        return cls(write, rows["relay / bare produce"], rows["worker / empty handler"], disk)


def arrivals(a_year: float, seed: int = 1) -> np.ndarray:
    """Requests in each second of a week: Poisson around the curve of the day, and one tenfold hour on its third day."""
    shares = np.array(HOURS) / sum(HOURS)
    a_second = np.tile(np.repeat(shares * a_year / 365 / 3600, 3600), DAYS)
    busiest = 2 * 86_400 + int(np.argmax(shares)) * 3600
    a_second[busiest : busiest + 3600] = PEAK * a_year / 365 / 86_400
    return np.random.default_rng(seed).poisson(a_second)


def longest_wait(come: np.ndarray, rate: float) -> float:
    """Seconds that the unluckiest waits in a queue that is worked off at ``rate`` a second."""
    total = np.cumsum(come - rate)
    return float((total - np.minimum.accumulate(np.minimum(total, 0))).max() / rate)


def needed(come: np.ndarray, rate: float) -> int:
    """The fewest processes of that rate that are not too busy at the peak and keep nobody waiting."""
    peak = come.reshape(-1, 60).mean(axis=1).max()
    many = max(1, math.ceil(peak / (rate * BUSY)))
    while longest_wait(come, rate * many) > WAIT:
        many += 1
    return many


def plan(city: City, measured: Measured) -> dict[str, str]:
    """The line of the table."""
    come = arrivals(city.requests)
    busy = 1 / measured.write_seconds / (WRITES + READS * READ_SHARE)  # whole lives a second of one api process
    apis = needed(come, busy)
    workers = needed(come * EVENTS, measured.worker)
    relays = needed(come * EVENTS, measured.relay)
    disk = city.requests * measured.concern * COPIES
    return {
        "city": city.name,
        "average a second": f"{city.requests / 365 / 86400:.2f}",
        "peak a second": f"{come.reshape(-1, 60).mean(axis=1).max():.1f}",
        "api processes": str(apis),
        "workers of each service": str(workers),
        "active relays (a service in as many shards)": str(relays),
        "partitions of a topic": str(max(12, workers * 2)),
        "disk a year, three copies": f"{disk / 1e12:.2f} TB",
        "shards after five years": str(max(1, math.ceil(disk * 5 / COPIES / SHARD))),
        "longest wait of an event": f"{longest_wait(come * EVENTS, measured.worker * workers):.2f} s",
    }


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.capacity", description=__doc__.splitlines()[0])
    parser.add_argument("--report", default=str(REPORT), help="the folder of bench.json")
    measured = Measured.of(Path(parser.parse_args().report))
    plans = [plan(city, measured) for city in CITIES]
    print("| | " + " | ".join(each["city"] for each in plans) + " |")
    print("|---|" + "---:|" * len(plans))
    for name in list(plans[0])[1:]:
        print(f"| {name} | " + " | ".join(each[name] for each in plans) + " |")


if __name__ == "__main__":
    main()
