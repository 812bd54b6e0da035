"""``make faults``: a system of its own under load, killed and paused part by part, and then judged.

    python -m tests.faults.run [--seconds 150] [--seed n] [--faults n] [--only kafka] [--rate 20]

Leaves ``.local/faults/report.json`` and the data and logs of the last run. Ends with 1 when a promise was broken.
"""

import argparse
import os
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.local.install import LOCAL
from deploy.local.plan import Plan
from deploy.local.ports import CANDIDATES, is_free
from deploy.local.system import System, end_recorded, running
from deploy.local.trouble import Trouble, give_up
from tests.faults import report
from tests.faults.course import run
from tests.faults.injection import FAULTS

FOLDER = LOCAL / "faults"
PREFIX = "faults"
STEP = 200  # ports between two choices
START = 400  # seconds for the first start, beside whatever else the machine does


def free_base(like: Plan) -> int:
    """The first port of a range in which all ports of such a plan are free, chosen at random."""
    offsets = [port - like.base for port in like.ports().values()]
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
    like = Plan(data=folder, prefix=prefix, mongod=mongod)
    plan = Plan(data=folder, base=free_base(like), prefix=prefix, mongod=mongod)
    with running(plan, tell=lambda text: print(f"  {text}", flush=True), ready_seconds=START) as system:
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
    parser.add_argument("--seconds", type=float, default=150, help="of load, at least")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of stories and pauses")
    parser.add_argument("--faults", type=int, default=None, help="how many, in turn; each once")
    parser.add_argument("--only", default="", help="only faults of this program, for example kafka")
    parser.add_argument("--rate", type=float, default=20, help="requests a second, at most")
    return parser.parse_args()


def main() -> int:
    """One run; returns the exit code."""
    given = _arguments()
    folder = fresh_folder()
    print(f"种子 seed {given.seed} · {folder}", flush=True)
    chosen = [fault for fault in FAULTS if given.only in ("", fault.program)]
    many = len(chosen) if given.faults is None else given.faults
    faults = [chosen[number % len(chosen)] for number in range(many)]
    with system_of_its_own(folder) as system:
        course = run(system, faults, given.seconds, given.seed, given.rate, folder / "asked.jsonl")
    report.write(course, FOLDER / "report.json")
    print(report.page(course), flush=True)
    return 0 if course.held else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        give_up(trouble)
