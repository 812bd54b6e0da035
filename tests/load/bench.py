"""``make bench``: what the promises cost, as ratios against peers and bare baselines in the same run.

    python -m tests.load.bench [--rounds 3] [--seconds 6]

Prints a table and writes ``.local/bench/report.json``. Nothing is asserted: a missed goal is shown, with by how much.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass

from deploy.local.desk import Desk
from deploy.local.install import LOCAL, ROOT
from deploy.local.system import System
from tests.faults.district import found, urls_of
from tests.faults.run import system_of_its_own
from tests.load import flow
from tests.load.http_load import percentile
from tests.load.recording import JSON, baselines, compare

FOLDER = LOCAL / "bench"
PER_SECOND, STEADY = 200, 15
BASELINE_OFFSET = 60  # of the baselines' port from the system's first one


@dataclass
class Row:
    """One measured line. ``goal`` is told in words; ``met`` is None where there is none."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None


def against(name: str, value: float, baseline: float, unit: str, least: float | None) -> Row:
    """A rate beside its baseline."""
    ratio = value / baseline
    row = Row(name, round(value, 1), unit, round(baseline, 1), round(ratio, 2))
    if least is not None:
        row.goal, row.met = f"≥ {least}", ratio >= least
    return row


async def measure(system: System, rounds: int, seconds: float) -> list[Row]:
    """Every line, in an order in which each leaves the backlog that the next one needs."""
    topic = f"{system.plan.prefix}.complaints.case"
    beside = ["relay", *(f"{service}-worker" for service in system.plan.services)]
    for name in beside:
        system.pause(name)
    with baselines(system, system.plan.base + BASELINE_OFFSET) as port:
        sides = await compare(system, port, rounds, seconds)
    record, bare, outbox = (sides[name] for name in ("record", "bare", "outbox"))
    p99 = record.percentile(0.99) * 1000
    rows = [
        against("recording a concern / bare insert", record.rate, bare.rate, "requests/s", 2.5),
        against("recording a concern / outbox transaction", record.rate, outbox.rate, "requests/s", None),
        Row("recording a concern, p99", round(p99, 1), "ms", goal="≤ 100", met=p99 <= 100),
        Row("recording a concern, refused", sum(record.refused.values()), "requests", goal="0", met=not record.refused),
    ]
    relayed = flow.relay_rate(system, topic)
    rows.append(against("relay / bare produce", relayed, flow.bare_produce_rate(system, topic), "events/s", 0.8))
    applied = flow.worker_rate(system, topic)
    rows.append(against("worker / empty handler", applied, flow.empty_rate(system, topic), "events/s", 0.5))
    for name in beside[1:]:
        system.resume(name)
    return rows + await _latencies(system)


async def _latencies(system: System) -> list[Row]:
    headers = Desk(urls_of(system.plan), "worker-c1")._headers() | JSON
    through = await flow.read_model_latencies(system, headers, PER_SECOND, STEADY)
    raw = flow.raw_latencies(system, PER_SECOND, STEADY)
    rows = []
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        value, base = percentile(through, share) * 1000, percentile(raw, share) * 1000
        title = f"api to insight's read model at {PER_SECOND}/s, {name} / raw Kafka"
        rows.append(Row(title, round(value, 1), "ms", round(base, 1), round(value / base, 2)))
    return rows


def shown(rows: list[Row]) -> str:
    """The table."""
    lines = [f"{'what':62} {'value':>9} {'unit':10} {'baseline':>9} {'ratio':>6} {'goal':>6}  met"]
    for row in rows:
        base = f"{row.baseline:>9}" if row.baseline is not None else " " * 9
        ratio = f"{row.ratio:>6}" if row.ratio is not None else " " * 6
        met = {True: "yes", False: "NO", None: ""}[row.met]
        lines.append(f"{row.name:62} {row.value:>9} {row.unit:10} {base} {ratio} {row.goal:>6}  {met}")
    return "\n".join(lines)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of each side in each round")
    given = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    before = os.getloadavg()[0]
    with system_of_its_own(FOLDER / "data", prefix="bench") as system:
        found(urls_of(system.plan))
        rows = asyncio.run(measure(system, given.rounds, given.seconds))
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    report = {"commit": commit.strip(), "load_before": before, "rows": [asdict(row) for row in rows]}
    (FOLDER / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    print(shown(rows))
    print(f"\nload average before: {before:.1f}; {os.cpu_count()} processors; {FOLDER / 'report.json'}")


if __name__ == "__main__":
    main()
