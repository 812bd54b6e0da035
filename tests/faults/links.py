"""The links between processes and servers, as a run disturbs them: the doors' process, and what it is told."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from deploy.local.plan import Plan, named
from tests.faults.doors import Rule


class Links:
    """Rules for the doors of one system. Usable from several threads."""

    def __init__(self, plan: Plan, doors: "subprocess.Popen[str]") -> None:
        self._doors = doors
        self._rules: list[Rule] = []
        self._lock = Lock()
        self._ports = {named("kafka", node.number): node.door for node in plan.nodes()}
        self._ports |= {named("mongodb", number): port for number, port in enumerate(plan.mongo_ports, start=1)}

    @contextmanager
    def disturbed(self, clients: str, servers: str, how: str) -> Iterator[None]:
        """Between processes of these names and these servers (``kafka``: all of Kafka) it is like this meanwhile."""
        ports = [port for name, port in self._ports.items() if servers in (name, name.partition("-")[0])]
        rules: list[Rule] = [(clients, port, how) for port in ports]
        self._tell(add=rules)
        try:
            yield
        finally:
            self._tell(remove=rules)

    def _tell(self, add: list[Rule] | None = None, remove: list[Rule] | None = None) -> None:
        with self._lock:
            self._rules += add or []
            for rule in remove or []:
                self._rules.remove(rule)
            assert self._doors.stdin is not None
            self._doors.stdin.write(json.dumps(self._rules) + "\n")
            self._doors.stdin.flush()
            _until_ok(self._doors)


@contextmanager
def doors(plan: Plan) -> Iterator[Links]:
    """Doors before every server of this plan; they end with the context."""
    pairs = [f"{node.door}={node.port}" for node in plan.nodes()]
    pairs += [f"{door}={behind}" for door, behind in zip(plan.mongo_ports, plan.mongod_ports, strict=True)]
    command = [sys.executable, "-m", "tests.faults.doors", str(plan.data), *pairs]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            _until_ok(process)
            yield Links(plan, process)
        finally:
            process.terminate()


def _until_ok(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    if process.stdout.readline() != "ok\n":
        raise RuntimeError("the doors' process has ended")
