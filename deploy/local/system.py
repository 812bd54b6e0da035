"""The whole system as one thing that is started, asked and stopped: for ``make run``, for journeys and for fault tests.

with running(Plan(data=Path(".local/test/x"), base=20_000)) as system:
    system.plan.url("complaints"), system.pid("complaints-worker"), system.kill("kafka")
"""

import fcntl
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local import kafka, mongo
from deploy.local.install import LOCAL, ROOT
from deploy.local.jars import ensure_jars
from deploy.local.machine import require_space
from deploy.local.plan import Plan, Program, processes, servers
from deploy.local.ports import answers, require_free
from deploy.local.process import Identity, end
from deploy.local.secret import Secrets
from deploy.local.state import State, forget
from deploy.local.supervision import MARK, Supervisor, configuration, socket_for, start
from deploy.local.trouble import Trouble
from deploy.local.waiting import wait_until

JARS = LOCAL / "jars"
SERVER_SECONDS = 60
READY_SECONDS = 120
STOP_SECONDS = 90
NEEDED_MB = 500

Tell = Callable[[str], None]


@dataclass
class System:
    """One system under supervisord. Its data folder belongs to one living System at a time."""

    plan: Plan
    secrets: Secrets
    programs: list[Program]
    supervisor: Supervisor
    state: State
    tell: Tell = field(repr=False, default=print)

    def pid(self, name: str) -> int:
        """The process that runs this program now, 0 when it is down."""
        return int(self.supervisor.processes()[name]["pid"])

    def kill(self, name: str) -> None:
        """Kill a program's process (SIGKILL); supervisord starts it again."""
        self._signal(name, signal.SIGKILL)

    def pause(self, name: str) -> None:
        """Freeze a program's process (SIGSTOP)."""
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a frozen process go on."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = self.pid(name)
        if not pid:  # to the system that is the number of everybody in our own group
            raise ProcessLookupError(f"{name} is down")
        os.kill(pid, number)

    def stop(self, name: str) -> None:
        """Stop a program in good order, and leave it stopped until ``start``."""
        self.supervisor.stop_program(self._full(name))

    def start(self, name: str) -> None:
        """Start a stopped program, without waiting for it."""
        self.supervisor.start_program(self._full(name))

    def _full(self, name: str) -> str:
        program = next(program for program in self.programs if program.name == name)
        return f"{'servers' if program.is_server else 'services'}:{name}"

    def not_ready(self) -> dict[str, str]:
        """Every process of ours that is not ready, with what it says of itself."""
        pages = {program.name: program.ready for program in self.programs if program.ready}
        with httpx.Client(timeout=2, verify=False) as http:  # plain HTTP: what certificates to trust need not be read
            told = {name: _readiness(http, page) for name, page in pages.items()}
        return {name: reason for name, reason in told.items() if reason}

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until every process says that it is ready; raises Trouble naming those that are not."""
        wait_until(
            lambda: not self.not_ready(),
            seconds,
            otherwise=lambda: _not_ready(self.not_ready(), self.plan, seconds),
            hopeless=lambda: not self.is_alive(),
            every=0.3,
        )

    def is_alive(self) -> bool:
        """Whether supervisord is still there."""
        return self.state.supervisor.process() is not None


def end_recorded(data: Path) -> None:
    """End every process of the run recorded under ``data``, orphans too, and nothing else.

    Processes of ours end first and the servers they stand on last.
    """
    state = State.read(data)
    if state is None:
        return
    supervisor = state.supervisor.process()
    if supervisor is not None:
        end([supervisor], grace=STOP_SECONDS)
    end(state.processes(), grace=30)
    forget(data)


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the data folder for one run; raises Trouble when another run holds it, ends what a killed one left."""
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                "系统已在运行;查看状态:make status,停止:make stop。",
                "The system is running already; see make status, or end it by make stop.",
            ) from None
        end_recorded(data)
        yield


@contextmanager
def running(plan: Plan, tell: Tell = print, ready_seconds: float = READY_SECONDS) -> Iterator[System]:
    """Start the system of this plan, wait until it is ready, and end everything it started at the end."""
    with held(plan.data):
        try:
            system = launched(plan, tell)
            bring_up(system, ready_seconds)
            yield system
        finally:
            end_recorded(plan.data)


def launched(plan: Plan, tell: Tell) -> System:
    """Check what is needed, write the configuration and start supervisord, which starts nothing yet."""
    require_free(plan.ports())
    require_space(plan.data, NEEDED_MB)
    if not plan.given_mongo:
        mongo.require_runs(mongo.binary())
    jars = JARS if plan.given_kafka else ensure_jars(JARS)
    secrets = Secrets(plan.data / "secrets")
    programs = [*servers(plan, jars), *processes(plan, secrets)]
    socket, config = socket_for(plan.data), plan.data / "supervisord.conf"
    (plan.data / "log").mkdir(exist_ok=True)
    _write_private(config, configuration(programs, plan.data, socket))
    mark = uuid.uuid4().hex
    surroundings = {MARK: mark, "PYTHONUNBUFFERED": "1"}
    process = start(config, ROOT, surroundings, plan.log("supervisord-start"))
    state = State(mark, Identity.of(os.getpid()), Identity.of(process.pid), plan.base, plan.kafka, plan.mongo)
    state.write(plan.data)
    return System(plan, secrets, programs, Supervisor(socket), state, tell)


def bring_up(system: System, ready_seconds: float = READY_SECONDS) -> None:
    """Start the servers, wait for them, start our processes, wait until all are ready."""
    plan = system.plan
    wait_until(system.supervisor.answers, 15, lambda: _no_supervisor(plan), lambda: not system.is_alive())
    if any(program.is_server for program in system.programs):
        system.tell("启动 Kafka 和 MongoDB · Starting Kafka and MongoDB")
        system.supervisor.start_group("servers")
    wait_for_servers(plan, hopeless=lambda: not system.is_alive())
    system.tell("启动各项服务 · Starting the services")
    system.supervisor.start_group("services")
    system.wait_ready(ready_seconds)


def wait_for_servers(plan: Plan, hopeless: Callable[[], bool]) -> None:
    """Wait for MongoDB and Kafka, one's own or given ones; raises Trouble naming the one that does not answer."""
    if not plan.given_mongo:
        ports = plan.mongo_ports
        trouble = _server_down("MongoDB", plan.mongo, plan.log("mongodb"))
        wait_until(lambda: all(map(answers, ports)), SERVER_SECONDS, lambda: trouble, hopeless)
        wait_until(lambda: all(map(mongo.answers_requests, ports)), SERVER_SECONDS, lambda: trouble, hopeless)
        mongo.form_replica_set(ports)
        wait_until(lambda: mongo.is_whole(ports), SERVER_SECONDS, lambda: trouble, hopeless)
    else:
        trouble = _server_down("MongoDB", mongo.without_password(plan.mongo), None)
        wait_until(lambda: mongo.takes_writes(plan.mongo), SERVER_SECONDS, lambda: trouble, hopeless)
    log = None if plan.given_kafka else plan.log("kafka")
    trouble = _server_down("Kafka", plan.kafka, log)
    brokers = 1 if plan.given_kafka else plan.brokers
    wait_until(lambda: kafka.answers_requests(plan.kafka, brokers), SERVER_SECONDS, lambda: trouble, hopeless)


def _readiness(http: httpx.Client, page: str) -> str:
    try:
        answer = http.get(page)
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.status_code == httpx.codes.OK else f"{answer.status_code} {answer.text[:300]}"


def _not_ready(reasons: dict[str, str], plan: Plan, seconds: float) -> Trouble:
    names = ", ".join(reasons)
    details = "\n".join(f"  {name}: {reason} {_last_line(plan.log(name))}" for name, reason in reasons.items())
    return Trouble(
        f"{seconds:.0f} 秒内未就绪:{names};日志在 {plan.data / 'log'};机器繁忙时请再次运行。\n{details}",
        f"Not ready within {seconds:.0f} s: {names}; their logs say why. On a busy machine run it again.",
    )


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1][-300:] if lines else ""


def _no_supervisor(plan: Plan) -> Trouble:
    log = plan.log("supervisord-start")
    words = _last_line(log)
    return Trouble(
        f"进程管理器没有启动({words});日志见 {log}。", f"The process supervisor did not start ({words}); see {log}."
    )


def _server_down(name: str, address: str, log: Path | None) -> Trouble:
    if log is None:
        return Trouble(
            f"连不上您给出的 {name}({address});请检查地址,以及它是否在运行。",
            f"The {name} you named ({address}) does not answer; check the address and that it runs.",
        )
    return Trouble(
        f"{name} 没有启动成功({address});原因见 {log}。", f"{name} did not start ({address}); its log {log} says why."
    )


def _write_private(file: Path, text: str) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
