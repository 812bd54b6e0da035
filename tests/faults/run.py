"""``make faults``: a system of its own under load, disturbed in every way, and then judged.

    make faults                                   the long run: three of each server, two of each process
    make faults ARGS="--faults 10 --seconds 300 --seed 7 --only cut,slow --rate 20 --events 0 --release v1.2"
    make faults ARGS="--small --only kill"        one of each, no doors

Leaves ``.local/faults/report.json`` and ``report.html``, and the data and logs of the last run. Ends with 1 when a
promise was broken.
"""

import argparse
import os
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from deploy.local.install import LOCAL, ROOT
from deploy.local.plan import Plan
from deploy.local.ports import CANDIDATES, is_free
from deploy.local.system import System, end_recorded, running
from deploy.local.trouble import Trouble, give_up
from tests.faults import report
from tests.faults.beneath import laid
from tests.faults.course import Manner, course
from tests.faults.draw import drawn
from tests.faults.ground import Beneath
from tests.faults.links import Links, doors
from tests.faults.stories import LONG_MIX, MIX

FOLDER = LOCAL / "faults"
PUBLISHED = ROOT / "docs" / "reports"
PREFIX = "faults"
STEP = 400  # ports between two choices
START = 400  # seconds for the first start, beside whatever else the machine does
DOORS = 200  # ports from a server to its door
LONG_EVENTS, LONG_FAULTS, LONG_RATE = 100_000, 56, 40


def free_base(like: Plan) -> int:
    """The first port of a range in which all ports of such a plan are free, chosen at random."""
    offsets = [port - like.base for port in like.ports().values()]
    offsets += [offset + like.doors for offset in offsets] if like.doors else []
    starts = list(range(CANDIDATES.start, CANDIDATES.stop - max(offsets), STEP))
    random.shuffle(starts)
    for start in starts:
        if all(is_free(start + offset) for offset in offsets):
            return start
    raise Trouble(
        "找不到空闲的端口范围;请关闭一些程序后再运行。", "No free range of ports is left; close some programs first."
    )


@contextmanager
def system_of_its_own(folder: Path, prefix: str = PREFIX, mongod: tuple[str, ...] = ()) -> Iterator[System]:
    """A whole system on free ports with fresh data under ``folder``, ended afterwards; data and logs stay."""
    with _running(Plan(data=folder, prefix=prefix, mongod=mongod)) as system:
        yield system


@contextmanager
def cluster_of_its_own(folder: Path, release: str = "") -> Iterator[tuple[System, Links, Beneath]]:
    """The same with three of each server and two of each process, doors before the servers, and what lies beneath."""
    shape = Plan(data=folder, prefix=PREFIX, brokers=3, members=3, each=2, doors=DOORS, oplog_mb=256)
    plan = replace(shape, base=free_base(shape))
    with ExitStack() as stack:
        beneath, adapted = stack.enter_context(laid(folder, release))
        links = stack.enter_context(doors(plan))
        yield stack.enter_context(_running(replace(plan, adapted=adapted), plan.base)), links, beneath


@contextmanager
def _running(plan: Plan, base: int = 0) -> Iterator[System]:
    chosen = replace(plan, base=base or free_base(plan))
    with running(chosen, tell=lambda text: print(f"  {text}", flush=True), ready_seconds=START) as system:
        yield system


def fresh_folder() -> Path:
    """The folder of this run; what earlier ones left is ended and removed, unless they are alive."""
    for old in FOLDER.glob("run-*"):
        if not psutil.pid_exists(int(old.name.rpartition("-")[2])):
            end_recorded(old)
            shutil.rmtree(old)
    folder = FOLDER / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one of each server and process")
    parser.add_argument("--seconds", type=float, default=150, help="of load, at least")
    parser.add_argument("--events", type=int, default=None, help="in the histories, at least")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of stories and faults")
    parser.add_argument("--faults", type=int, default=LONG_FAULTS, help="how many, at least")
    parser.add_argument("--only", default="", help="only these kinds of faults, divided by commas")
    parser.add_argument("--rate", type=float, default=None, help="requests a second, at most")
    parser.add_argument("--release", default="", help="the commit of the release beside the present one")
    parser.add_argument("--publish", action="store_true", help="write docs/reports/faults.json and .html too")
    return parser.parse_args()


def main() -> int:
    """One run; returns the exit code."""
    given = _arguments()
    folder = fresh_folder()
    print(f"种子 seed {given.seed} · {folder}", flush=True)
    with ExitStack() as stack:
        if given.small:
            system, links, beneath = stack.enter_context(system_of_its_own(folder)), None, Beneath()
            manner = Manner(given.seconds, given.seed, given.rate or 20, dict(MIX))
        else:
            system, links, beneath = stack.enter_context(cluster_of_its_own(folder, given.release))
            events = LONG_EVENTS if given.events is None else given.events
            manner = Manner(given.seconds, given.seed, given.rate or LONG_RATE, LONG_MIX, links, beneath, events)
        told = course(
            system,
            lambda ground, seeded: drawn(ground, seeded, given.faults, given.only),
            manner,
            folder / "asked.jsonl",
        )
    report.write(told, FOLDER / "report.json", FOLDER / "report.html")
    if given.publish:
        PUBLISHED.mkdir(exist_ok=True)
        report.write(told, PUBLISHED / "faults.json", PUBLISHED / "faults.html", series=False)
    print(report.page(told), flush=True)
    return 0 if told.held else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        give_up(trouble)
