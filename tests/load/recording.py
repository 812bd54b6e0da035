"""Recording a concern through the real api process, beside a bare insert and the textbook outbox transaction."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import orjson

from deploy.local.desk import Desk
from deploy.local.install import ROOT
from deploy.local.system import System
from tests.faults.district import GRIDS, urls_of
from tests.load.http_load import HOST, Measured, load, request

CONNECTIONS = 32
JSON = {"Content-Type": "application/json"}
TEXT = "三单元的电梯从周二起就停了,老人上不去楼,请尽快修。" * 3
COUNT = itertools.count(time.time_ns() % 10**7)


def concern(number: int) -> bytes:
    """The same body for every side of the comparison."""
    reporter = {"name": "王小明", "phone": f"139{number % 10**8:08d}"}
    told = {"subject": "电梯停运两天了", "text": TEXT, "channel": "visit", "reporter": reporter}
    return orjson.dumps({"unit": GRIDS[0], "kind": "condition", "category": "property"} | told)


def recorder(system: System) -> Callable[[], bytes]:
    """Makes requests that record a concern, each with a key of its own, as a community worker."""
    headers = Desk(urls_of(system.plan), "worker-c1")._headers() | JSON

    def make() -> bytes:
        number = next(COUNT)
        return request("POST", "/cases", concern(number), headers | {"Idempotency-Key": f"bench-{number}"})

    return make


def plainly(path: str) -> Callable[[], bytes]:
    """Makes requests of a baseline."""
    return lambda: request("POST", path, concern(next(COUNT)), JSON)


@contextmanager
def baselines(system: System, port: int) -> Iterator[int]:
    """The baselines' own process, on the system's MongoDB."""
    command = [sys.executable, "-m", "uvicorn", "tests.load.baselines:app", "--port", str(port), "--no-access-log"]
    environment = os.environ | {"LINLI_MONGO": system.plan.mongo}
    with subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            httpx.get(f"http://{HOST}:{port}/openapi.json", timeout=2)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError("the baselines did not start")


async def compare(system: System, baseline_port: int, rounds: int, seconds: float) -> dict[str, Measured]:
    """Rounds of each side in turn, so that what else the machine does falls on all of them."""
    api = int(system.plan.url("complaints").rpartition(":")[2])
    sides = {"record": (api, recorder(system)), "bare": (baseline_port, plainly("/bare"))}
    sides["outbox"] = (baseline_port, plainly("/outbox"))
    total = {name: Measured() for name in sides}
    for port, make in sides.values():
        await load(port, make, CONNECTIONS, 1.0)  # warm
    for _ in range(rounds):
        for name, (port, make) in sides.items():
            total[name].add(await load(port, make, CONNECTIONS, seconds))
    return total
