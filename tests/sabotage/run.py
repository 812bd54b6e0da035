"""``make sabotage``: promises broken on purpose, one at a time, in a copy of the project; the tests must notice each.

    python -m tests.sabotage.run [--only name …] [--list] [--report .local/sabotage/report.json]

The tests run first on an unbroken copy, where all must pass, then on each broken one. Writes the report, and a page to
read beside it (the same name with .md). Ends with 1 when one sabotage was not caught.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.local.install import LOCAL
from deploy.local.process import end
from deploy.local.servers import Servers, embedded
from deploy.local.trouble import Trouble, give_up
from tests.sabotage import report
from tests.sabotage.broken import SABOTAGES
from tests.sabotage.copies import Copies, remove
from tests.sabotage.judging import Ended, read, verdict
from tests.sabotage.sabotage import Sabotage

FOLDER = LOCAL / "sabotage"
REPORT = FOLDER / "report.json"
LONGEST_TEST = 120  # seconds
LONGEST_RUN = 300  # seconds of the tests of one sabotage
LONGEST_PRISTINE = 1200


def chosen(names: Sequence[str]) -> list[Sabotage]:
    """Those of these names, or all. Raises Trouble for a name that there is not."""
    known = {sabotage.name: sabotage for sabotage in SABOTAGES}
    for name in names:
        if name not in known:
            raise Trouble(
                f"没有名为 {name} 的破坏项;用 --list 查看全部。",
                f"No sabotage is called {name}; --list shows them all.",
            )
    return [known[name] for name in names] or list(SABOTAGES)


def tested(copy: Path, tests: Sequence[str], servers: Servers, seconds: float) -> list[Ended]:
    """How the tests end in a copy, on servers that all runs share. What is not over in time is ended."""
    seen, log = copy.with_suffix(".jsonl"), copy.with_suffix(".log")
    seen.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--timeout={LONGEST_TEST}"),
        *("-p", "tests.sabotage.witness", f"--witness={seen}", *tests),
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"LINLI_TEST_KAFKA": servers.kafka, "LINLI_TEST_MONGO": servers.mongo}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=copy, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass  # what it has told until now counts
        finally:
            if process.poll() is None:
                whole = psutil.Process(process.pid)
                end([*whole.children(recursive=True), whole], grace=10)
    return read(seen)


def attempted(sabotage: Sabotage, pristine: Sequence[Ended], copies: Copies, servers: Servers) -> report.Row:
    """One sabotage: applied, tested, judged. The copy stays for a look when nobody noticed."""
    began = time.monotonic()
    copy = copies.broken(sabotage)
    found = verdict(sabotage, pristine, tested(copy, sabotage.tests, servers, LONGEST_RUN))
    if found.caught:
        remove(copy)
    return report.Row(sabotage, found, round(time.monotonic() - began, 1))


@contextmanager
def shared_servers() -> Iterator[Servers]:
    """A pair for all runs, or those that ``LINLI_TEST_KAFKA`` and ``LINLI_TEST_MONGO`` name."""
    kafka, mongo = os.environ.get("LINLI_TEST_KAFKA", ""), os.environ.get("LINLI_TEST_MONGO", "")
    brokers, members = 0 if kafka else 1, 0 if mongo else 1
    with embedded(FOLDER / "servers", kafka_brokers=brokers, mongo_members=members) as own:
        yield Servers(kafka or own.kafka, mongo or own.mongo)


def run(sabotages: Sequence[Sabotage]) -> list[report.Row]:
    """All of these, told as they come."""
    tests = sorted({test for sabotage in sabotages for test in sabotage.tests})
    copies, rows = Copies(FOLDER), []
    with shared_servers() as servers:
        print(f"先在未破坏的副本上运行 {len(tests)} 项测试 · {len(tests)} tests on the unbroken copy first", flush=True)
        began = time.monotonic()
        pristine = tested(copies.unbroken, tests, servers, LONGEST_PRISTINE)
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
        for sabotage in sabotages:
            rows.append(attempted(sabotage, pristine, copies, servers))
            print(report.line(rows[-1]), flush=True)
    remove(copies.unbroken)
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sabotage.run", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this one; may be given again")
    parser.add_argument("--list", action="store_true", help="name them and end")
    parser.add_argument("--report", type=Path, default=REPORT, help="where to write the outcome, as JSON")
    return parser.parse_args()


def main() -> int:
    """One run; returns the exit code."""
    given = _arguments()
    if given.list:
        print(report.listed(SABOTAGES))
        return 0
    rows = run(chosen(given.only))
    report.write(rows, given.report)
    print(report.summary(rows), flush=True)
    return 0 if all(row.verdict.caught for row in rows) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        give_up(trouble)
