"""``make bench``: what the promises cost, as ratios against peers and bare baselines in the same run.

    python -m tests.load.bench [--only flow,growth] [--sizes 10000,1000000] [--report docs/reports]

Chapters: ``flow`` (recording, relay, worker, the way to a read model), ``costs`` (what each promise adds), ``growth``
(the same work at several sizes), ``burst`` (ten times the load). Each has a system of its own. Prints a table and
writes ``bench.json``, ``bench.md`` and ``growth.svg`` into the report's folder, where chapters that are not measured
this time stay as they were, each line with its commit. Nothing is asserted: a missed goal is shown, with by how much.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil

from deploy.local.install import LOCAL, ROOT
from deploy.local.plan import environment
from deploy.local.system import System
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.complaints.service import SERVICE
from tests.faults.district import found, urls_of
from tests.faults.run import system_of_its_own
from tests.load import city, flow
from tests.load.burst import TIMES, USUAL, Burst, burst
from tests.load.costs import costs
from tests.load.curve import drawn
from tests.load.growth import Size, at_sizes
from tests.load.http_load import percentile
from tests.load.recording import baselines, compare, recorder
from tests.load.rows import Row, against, as_page, latency, shown

FOLDER = LOCAL / "bench"
PER_SECOND, STEADY = 200, 15
BASELINE_OFFSET = 160  # of the baselines' port from the system's first one


async def flow_chapter(system: System, given: argparse.Namespace) -> list[Row]:
    """Every line, in an order in which each leaves the backlog that the next one needs."""
    topic = f"{system.plan.prefix}.complaints.case"
    beside = ["relay", *(f"{service}-worker" for service in system.plan.services)]
    for name in beside:
        system.pause(name)
    api = psutil.Process(system.pid("complaints-api"))
    with baselines(system, system.plan.base + BASELINE_OFFSET) as port:
        used = sum(api.cpu_times()[:2])
        sides = await compare(system, port, given.rounds, given.seconds)
        used = sum(api.cpu_times()[:2]) - used
    record, bare, outbox = (sides[name] for name in ("record", "bare", "outbox"))
    p99 = record.percentile(0.99) * 1000
    rows = [
        against("recording a concern / bare insert", record.rate, bare.rate, "requests/s", 2.5),
        against("recording a concern / outbox transaction", record.rate, outbox.rate, "requests/s"),
        Row("recording a concern, p99", round(p99, 1), "ms", goal="≤ 100 ms", met=p99 <= 100),
        Row("recording a concern, refused", sum(record.refused.values()), "requests", goal="0", met=not record.refused),
        Row("processor time of a recording", round(used / len(record.latencies) * 1e6), "µs"),
    ]
    relayed = flow.relay_rate(system, topic)
    rows.append(against("relay / bare produce", relayed, flow.bare_produce_rate(system, topic), "events/s", 0.8))
    applied = flow.worker_rate(system)
    rows.append(against("worker / empty handler", applied, flow.empty_rate(system, topic), "events/s", 0.5))
    for name in beside[1:]:
        system.resume(name)
    return rows + await _latencies(system)


async def _latencies(system: System) -> list[Row]:
    through = await flow.read_model_latencies(system, recorder(system), PER_SECOND, STEADY)
    raw = flow.raw_latencies(system, PER_SECOND, STEADY)
    title = f"api to insight's read model at {PER_SECOND}/s, {{}} / raw Kafka"
    (p50, base50), (p99, base99) = (
        (percentile(through, share) * 1000, percentile(raw, share) * 1000) for share in (0.5, 0.99)
    )
    return [latency(title.format("p50"), p50, base50, most_ms=30), latency(title.format("p99"), p99, base99, most=5)]


async def costs_chapter(system: System, given: argparse.Namespace) -> list[Row]:
    """What each promise adds to keeping one concern; nobody publishes or applies it meanwhile."""
    await asyncio.to_thread(city.build, urls_of(system.plan), 1)
    for name in ("relay", *(f"{service}-worker" for service in system.plan.services)):
        system.pause(name)
    os.environ.update(environment(system.plan, system.secrets, SERVICE.name))
    runtime = Runtime(SERVICE, Settings.from_environment(SERVICE.name))
    await runtime.sealing.start()
    seen = await costs(runtime, given.seconds, given.rounds)
    await runtime.stop()
    rows = [against(f"keeping a concern: {one.name}", one.per_second, seen[0].per_second, "writes/s") for one in seen]
    return rows + [Row(f"processor time: {one.name}", round(one.cpu_us), "µs") for one in seen]


async def growth_chapter(system: System, given: argparse.Namespace) -> list[Row]:
    """Rates at the largest size beside those at the smallest."""
    seen = await at_sizes(system, given.sizes, given.rounds, given.seconds)
    (given.folder / "growth.svg").write_text(drawn(seen), encoding="utf-8")
    small, large = seen[0], seen[-1]
    rows = [
        against(f"{name} at {large.concerns:,} / at {small.concerns:,}", rate, small.rates[name], "/s", 0.9)
        for name, rate in large.rates.items()
    ]
    return rows + _beside_growth(small, large)


def _beside_growth(small: Size, large: Size) -> list[Row]:
    ours = {name: mb for name, mb in large.memory.items() if name not in ("kafka", "mongodb")}
    return [
        Row("report over the whole city, all time", round(large.whole_city, 2), "s", round(small.whole_city, 2)),
        Row("concerns written through the domain code", round(large.written), "/s"),
        *(Row(name, round(value), "bytes") for name, value in large.stored.items()),
        *(Row(f"resident memory: {name}", round(mb), "MB", round(small.memory[name])) for name, mb in ours.items()),
    ]


async def burst_chapter(system: System, given: argparse.Namespace) -> list[Row]:
    """Ten times the usual load for a minute."""
    await asyncio.to_thread(city.build, urls_of(system.plan), 1)
    return _burst_rows(await burst(system, given.burst))


def _burst_rows(seen: Burst) -> list[Row]:
    statuses = seen.burst.statuses
    errors = sum(count for status, count in statuses.items() if status not in ("201", "429"))
    title = f"at {TIMES} times {USUAL}/s:"
    after = -1.0 if seen.normal_after is None else round(seen.normal_after, 1)
    return [
        Row(f"{title} answered", statuses["201"], "requests"),
        Row(f"{title} refused with 429", statuses["429"], "requests"),
        Row(f"{title} errors", errors, "requests", goal="0", met=errors == 0),
        latency(f"{title} p99 / at the usual load", seen.burst.p99() * 1000, seen.usual.p99() * 1000),
        Row(f"{title} normal again after", after, "s", goal="≤ 10 s", met=0 <= after <= 10),
        Row(f"{title} more memory in the api", round(seen.memory_mb), "MB"),
    ]


CHAPTERS: dict[str, Callable[[System, argparse.Namespace], Any]] = {
    "flow": flow_chapter,
    "costs": costs_chapter,
    "burst": burst_chapter,
    "growth": growth_chapter,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of each side in each round")
    parser.add_argument("--burst", type=float, default=60, help="seconds of ten times the load")
    parser.add_argument("--only", default=",".join(CHAPTERS), help="chapters, separated by commas")
    parser.add_argument("--sizes", default="10000,1000000", help="concerns, from small to large")
    parser.add_argument("--report", default=str(FOLDER), help="the folder of the report")
    given = parser.parse_args()
    given.sizes = [int(size) for size in given.sizes.split(",")]
    given.folder = Path(given.report)
    return given


def _commit() -> str:
    command = ["git", "rev-parse", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def write(folder: Path, chapter: str, rows: list[Row]) -> None:
    """The report for programs and for people, in which this chapter is new."""
    file, commit = folder / "bench.json", _commit()
    known = [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []
    rows = [replace(row, chapter=chapter, commit=commit) for row in rows]
    kept = [row for row in known if row.chapter != chapter] + rows
    kept.sort(key=lambda row: list(CHAPTERS).index(row.chapter))
    file.write_text(json.dumps([asdict(row) for row in kept], ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    page = f"# Bench\n\n`make bench`, {os.cpu_count()} processors. Baselines are of the same run.\n"
    for name in dict.fromkeys(row.chapter for row in kept):
        part = [row for row in kept if row.chapter == name]
        page += f"\n## {name}\n\nCommit `{part[0].commit}`.\n\n{as_page(part)}\n"
    (folder / "bench.md").write_text(page, encoding="utf-8")


def main() -> None:
    """Measure and tell."""
    given = _arguments()
    shutil.rmtree(FOLDER, ignore_errors=True)
    for folder in (FOLDER, given.folder):
        folder.mkdir(parents=True, exist_ok=True)
    before = os.getloadavg()[0]
    for name in given.only.split(","):
        print(f"{name} …", flush=True)
        with system_of_its_own(FOLDER / name, prefix="bench") as system:
            found(urls_of(system.plan))
            part = asyncio.run(CHAPTERS[name](system, given))
        print(shown(part), flush=True)
        write(given.folder, name, part)
    print(f"\nload average before: {before:.1f}; {os.cpu_count()} processors; {given.folder / 'bench.json'}")


if __name__ == "__main__":
    main()
