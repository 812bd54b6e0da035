"""What faults act upon: one system with its servers, the load, and what a run has put between and underneath."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Any
from xmlrpc.client import Fault as SupervisorRefused

from kafka import KafkaAdminClient, KafkaConsumer
from pymongo import MongoClient

from deploy.local import kafka, mongo
from deploy.local.install import ROOT
from deploy.local.plan import environment, named
from deploy.local.ports import HOST, answers
from deploy.local.system import System
from deploy.local.trouble import Trouble
from deploy.local.waiting import wait_until
from tests.faults.links import Links
from tests.faults.load import Load
from tests.faults.poison import Poison

KINDS = "complaints.case", "volunteers.order", "volunteers.hours", "volunteers.volunteer"
PATIENCE = 120.0  # seconds until what was taken away must be back


@dataclass(frozen=True)
class Beneath:
    """What lies beneath single processes of a system, where a run has put it there.

    ``disk``: the small file system of the first database member. ``clock``: the file by which the wall clock of the
    second processes is moved. ``trees``: by program the link to the tree it runs from; ``release``: an earlier one.
    ``missing`` says of each that is not there why.
    """

    disk: Path | None = None
    clock: Path | None = None
    trees: dict[str, Path] = field(default_factory=dict)
    release: Path | None = None
    missing: dict[str, str] = field(default_factory=dict)


@dataclass
class Ground:
    """Everything that a fault may touch. Its methods block, and raise Trouble when something does not come back."""

    system: System
    load: Load
    random: Random
    links: Links | None = None
    beneath: Beneath = field(default_factory=Beneath)
    poisonous: list[Poison] = field(default_factory=list)
    _stopping: threading.Lock = field(default_factory=threading.Lock)

    @property
    def prefix(self) -> str:
        return self.system.plan.prefix

    def programs(self, pattern: str) -> list[str]:
        """Names of programs like this."""
        return [program.name for program in self.system.programs if fnmatchcase(program.name, pattern)]

    def admin(self) -> KafkaAdminClient:
        """For a with statement of contextlib.closing."""
        return KafkaAdminClient(bootstrap_servers=self.system.plan.kafka.split(","), reconnect_backoff_max_ms=500)

    def consumer(self, **more: Any) -> KafkaConsumer:
        """One that commits nothing by itself."""
        servers = self.system.plan.kafka.split(",")
        return KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, reconnect_backoff_max_ms=500, **more)

    def database(self) -> MongoClient[dict[str, Any]]:
        """A client of the replica set."""
        return MongoClient(self.system.plan.mongo, tz_aware=True)

    def until(self, holds: Any, what: str, seconds: float = PATIENCE) -> None:
        """Wait for a condition; what raises while servers are away is not yet."""
        late = Trouble(f"{what}:没有等到", f"{what}: did not come within {seconds:g} s")
        wait_until(lambda: _holds(holds), seconds, lambda: late, every=0.2)

    def found(self, ask: Callable[[], int | None], what: str) -> int:
        """What is asked for, as soon as there is an answer that is not nothing."""
        answered: list[int] = []

        def there() -> bool:
            answered.append(ask() or 0)
            return bool(answered[-1])

        self.until(there, what)
        return answered[-1]

    def events(self) -> int:
        """How many stand in the histories."""
        with self.database() as client:
            kinds = [client[f"{self.prefix}_{kind.partition('.')[0]}"][kind.partition(".")[2]] for kind in KINDS]
            sums = [list(each.aggregate([{"$group": {"_id": None, "sum": {"$sum": "$version"}}}])) for each in kinds]
        return sum(int(row["sum"]) for found in sums for row in found)

    def until_back(self, program: str) -> None:
        """A server answers again; a process of ours was started again."""
        kind, _, number = program.partition("-")
        plan = self.system.plan
        if kind == "kafka":
            port = plan.nodes()[int(number or 1) - 1].port
            self.until(lambda: answers(port) and kafka.answers_requests(plan.kafka, plan.brokers), f"{program} back")
        elif kind == "mongodb":
            port = plan.mongod_ports[int(number or 1) - 1]
            self.until(lambda: mongo.answers_requests(port) and mongo.takes_writes(plan.mongo), f"{program} back")
        else:
            self.until(lambda: self.system.pid(program), f"{program} started")

    def primary(self) -> str:
        """The member that takes writes."""
        ports = self.system.plan.mongod_ports
        port = self.found(lambda: mongo.primary_port(ports), "a primary")
        return named("mongodb", ports.index(port) + 1)

    def member(self, name: str) -> MongoClient[dict[str, Any]]:
        """A client of one member alone."""
        port = self.system.plan.mongod_ports[int(name.partition("-")[2] or 1) - 1]
        return MongoClient(HOST, port, directConnection=True, serverSelectionTimeoutMS=5_000)

    def signal(self, pid: int, number: signal.Signals) -> None:
        """To a process of this system, if it is still there."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

    @contextmanager
    def stopped(self, *programs: str) -> Iterator[None]:
        """These are stopped in good order and started again; one such time does not overlap with another."""
        with self._stopping:
            for name in programs:
                self.until(lambda name=name: self._stopped(name), f"{name} stopped")
            try:
                yield
            finally:
                for name in programs:
                    self.system.start(name)

    def _stopped(self, program: str) -> bool:
        if self.system.supervisor.processes()[program]["statename"] == "STOPPED":
            return True
        with suppress(SupervisorRefused):  # it has ended this moment, and is about to be started again
            self.system.stop(program)
        return False

    def pid(self, program: str) -> int:
        """Its process, once it has one."""
        return self.found(lambda: self.system.pid(program), f"{program} running")

    def kill(self, program: str) -> None:
        """SIGKILL to whatever runs it now."""
        self.signal(self.pid(program), signal.SIGKILL)

    def ready(self, program: str) -> None:
        """Wait until it says that it is ready."""
        self.until(lambda: program not in self.system.not_ready(), f"{program} ready")

    def operate(self, *command: str) -> str:
        """An operator's command, ``python -m services …``; returns what it printed. Raises CalledProcessError."""
        own = os.environ | environment(self.system.plan, self.system.secrets, "operations")
        done = subprocess.run(
            [sys.executable, "-m", "services", *command], cwd=ROOT, env=own, text=True, capture_output=True, check=True
        )
        return done.stdout

    def discard(self, service: str, rows: Sequence[str]) -> None:
        """Discard parked rows by the operator's command, all from one process: each start takes seconds."""
        script = "import sys; from services.__main__ import main; sys.exit(max(main([*sys.argv[2:], row]) for row in "
        command = [sys.executable, "-c", f"{script}sys.argv[1].split(chr(10))))", "\n".join(rows)]
        command += ["parked", "discard", "--service", service, "--why", "poison of a run"]
        own = os.environ | environment(self.system.plan, self.system.secrets, "operations")
        subprocess.run(command, cwd=ROOT, env=own, text=True, capture_output=True, check=True)

    def unapplied(self) -> int:
        """What the operator's reconciliation finds unapplied, as soon as that is nothing, else after some looks."""
        told: list[int] = [0]
        own = os.environ | environment(self.system.plan, self.system.secrets, "operations")
        command = [sys.executable, "-m", "services", "reconcile", "--json", "--older-than", "1s"]

        def looked() -> bool:
            done = subprocess.run(command, cwd=ROOT, env=own, text=True, capture_output=True, check=False)
            told[0] = int(json.loads(done.stdout)["unapplied"])
            return not told[0]

        with suppress(Trouble):
            self.until(looked, "nothing unapplied", seconds=20)
        return told[0]


def _holds(holds: Any) -> bool:
    from kafka.errors import KafkaError
    from pymongo.errors import PyMongoError

    try:
        return bool(holds())
    except (OSError, KafkaError, PyMongoError):
        return False
