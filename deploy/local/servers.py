"""Real Kafka and real MongoDB, as a context: for tests, for faults, and for a bare pair without the services.

with embedded(Path(".local/try")) as servers:
    servers.kafka                   # "127.0.0.1:20001"
    servers.mongo                   # "mongodb://127.0.0.1:20003/?replicaSet=rs0"
    servers.members[0].kill()       # and .stop(), .pause(), .resume(), .start(), .wait_ready()
"""

import argparse
import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import kafka, mongo
from deploy.local.jars import ensure_jars
from deploy.local.ports import answers, free_ports
from deploy.local.process import Identity, ServerProcess, end
from deploy.local.trouble import Trouble, give_up
from deploy.local.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
JARS = ROOT / ".local" / "jars"
START_SECONDS = 60.0
RECORD = "processes.json"


class Server(ServerProcess):
    """One broker or one replica-set member, with the port that clients reach it on."""

    def __init__(self, name: str, command: Sequence[str], log: Path, port: int) -> None:
        super().__init__(name, command, log)
        self.port = port

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until the port is open; raises Trouble with the end of its log when it is not in time or ends first."""
        wait_until(
            lambda: answers(self.port),
            seconds,
            otherwise=lambda: did_not_start(self.name, self.log, self.last_words()),
            hopeless=lambda: not self.is_running(),
        )


def did_not_start(name: str, log: Path, last_words: str) -> Trouble:
    """What to say when a server does not come up."""
    if "No space left on device" in last_words:
        return Trouble(
            f"磁盘已满,{name} 无法启动;请腾出空间后再运行。",
            f"The disk is full and {name} cannot start; make room and try again.",
        )
    return Trouble(
        f"{name} 没有启动成功;原因见 {log}。\n{last_words}",
        f"{name} did not start; its log {log} says why.",
    )


@dataclass(frozen=True)
class Ports:
    """Where the servers listen: one entry per broker (client and controller port) and per replica-set member."""

    brokers: list[tuple[int, int]]
    members: list[int]

    @classmethod
    def free(cls, brokers: int, members: int) -> "Ports":
        numbers = free_ports(2 * brokers + members)
        pairs = list(zip(numbers[:brokers], numbers[brokers : 2 * brokers], strict=True))
        return cls(pairs, numbers[2 * brokers :])


@dataclass(frozen=True)
class Servers:
    """Running servers. ``kafka`` and ``mongo`` are the addresses; each single server can be stopped, killed, paused."""

    kafka: str
    mongo: str
    brokers: list[Server] = field(default_factory=list)
    members: list[Server] = field(default_factory=list)

    def primary(self) -> Server:
        """The member that takes writes now; waits for an election to end, at most 30 s."""
        found: list[int] = []

        def elected() -> bool:
            running = [member.port for member in self.members if member.is_running()]
            port = mongo.primary_port(running)
            found.extend([] if port is None else [port])
            return port is not None

        wait_until(elected, 30, otherwise=lambda: did_not_start("MongoDB primary", self.members[0].log, ""))
        return next(member for member in self.members if member.port == found[0])

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until every broker is in the cluster and the replica set is whole."""
        for server in [*self.brokers, *self.members]:
            server.wait_ready(seconds)
        ports = [member.port for member in self.members]
        if self.members:
            first = self.members[0]
            wait_until(
                lambda: mongo.is_whole(ports), seconds, lambda: did_not_start("MongoDB", first.log, first.last_words())
            )
        if self.brokers:
            broker = self.brokers[0]
            wait_until(
                lambda: kafka.answers_requests(self.kafka, len(self.brokers)),
                seconds,
                lambda: did_not_start("Kafka", broker.log, broker.last_words()),
            )

    def stop(self) -> None:
        """Stop every server in good order; what is paused is resumed first, what is gone already is left alone."""
        for server in [*self.brokers, *self.members]:
            server.ask_to_stop()
        for server in [*self.brokers, *self.members]:
            server.stop()


def _brokers(data: Path, ports: Ports, jars: Path, heap_mb: int) -> tuple[list[Server], list[kafka.Node]]:
    cluster = [kafka.Node(number, *pair) for number, pair in enumerate(ports.brokers, start=1)]
    servers = []
    for node in cluster:
        folder = data / "kafka" / str(node.number)
        command = kafka.prepare(node, cluster, folder, jars, heap_mb)
        servers.append(Server(f"Kafka {node.number}", command, data / "log" / f"kafka-{node.number}.log", node.port))
    return servers, cluster


def _members(data: Path, ports: Ports, cache_gb: float, oplog_mb: int) -> list[Server]:
    if ports.members:
        mongo.require_runs(mongo.binary())
    return [
        Server(
            f"MongoDB {number}",
            mongo.command(port, data / "mongo" / str(number), cache_gb, oplog_mb),
            data / "log" / f"mongo-{number}.log",
            port,
        )
        for number, port in enumerate(ports.members, start=1)
    ]


def end_leftovers(data: Path) -> None:
    """End the servers that a killed program left running on this data folder; refuse when that program is alive."""
    record = data / RECORD
    if not record.exists():
        return
    known = json.loads(record.read_text())
    if Identity(**known["owner"]).process() is not None:
        raise Trouble(
            f"数据目录 {data} 正被另一个运行中的程序(pid {known['owner']['pid']})使用;请先停止它。",
            f"The data folder {data} is in use by a running program (pid {known['owner']['pid']}); stop it first.",
        )
    living = [Identity(**row).process() for row in known["servers"]]
    end([process for process in living if process is not None], grace=30)
    record.unlink()


def _write_record(record: Path, servers: Sequence[Server]) -> None:
    rows = [server.identity().record() for server in servers if server.is_running()]
    record.write_text(json.dumps({"owner": Identity.of(os.getpid()).record(), "servers": rows}))


@contextmanager
def embedded(
    data_dir: Path,
    *,
    mongo_members: int = 1,
    kafka_brokers: int = 1,
    ports: Ports | None = None,
    kafka_heap_mb: int = 512,
    mongo_cache_gb: float = 0.5,
    oplog_mb: int = 1024,
) -> Iterator[Servers]:
    """Start servers of its own under ``data_dir`` and stop them at the end; data stays and is found again next time.

    Either count may be 0. Ports are free ones unless given. Raises Trouble when a server does not come up.
    """
    data = data_dir.resolve()
    data.mkdir(parents=True, exist_ok=True)
    end_leftovers(data)
    record = data / RECORD
    chosen = ports or Ports.free(kafka_brokers, mongo_members)
    jars = ensure_jars(JARS) if chosen.brokers else JARS
    brokers, cluster = _brokers(data, chosen, jars, kafka_heap_mb)
    members = _members(data, chosen, mongo_cache_gb, oplog_mb)
    servers = Servers(kafka.address(cluster), mongo.address(chosen.members), brokers, members)
    try:
        for server in [*members, *brokers]:
            server.start()
        _write_record(record, [*members, *brokers])
        for member in members:
            member.wait_ready()
        if members:
            mongo.form_replica_set(chosen.members)
        servers.wait_ready()
        yield servers
    finally:
        servers.stop()
        record.unlink(missing_ok=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One Kafka broker and one MongoDB until stopped by a signal.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--kafka-port", type=int, required=True)
    parser.add_argument("--mongo-port", type=int, required=True)
    return parser.parse_args()


def _serve(arguments: argparse.Namespace) -> None:
    ports = Ports([(arguments.kafka_port, arguments.kafka_port + 1)], [arguments.mongo_port])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), embedded(arguments.data, ports=ports, mongo_cache_gb=1) as servers:
        print(f"LINLI_KAFKA={servers.kafka}\nLINLI_MONGO={servers.mongo}", flush=True)
        signal.pause()


if __name__ == "__main__":
    try:
        _serve(_arguments())
    except Trouble as trouble:
        give_up(trouble)
