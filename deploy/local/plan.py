"""What runs on one machine: every process with its command, its ports and its environment. Pure: starts nothing."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import kafka, mongo
from deploy.local.kafka import Node
from deploy.local.ports import HOST
from deploy.local.secret import Secrets
from services.__main__ import CATALOGUE

SERVICES = CATALOGUE.names
DEFAULT_BASE = 8100
# Offsets from the base port: identity 0, then one api each; workers and the relay only tell their health.
KAFKA, CONTROLLER, MONGO, RELAY = 90, 91, 92, 100
STRIDE = 20  # from the ports of the first of each kind to those of the second


@dataclass(frozen=True)
class Program:
    """One process to be kept running. ``ready`` is the address that answers 200 once it does its work."""

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str | None = None
    is_server: bool = False
    stop_seconds: int = 25
    directory: Path | None = None
    """Where it is started, if not where supervisord is."""


@dataclass(frozen=True)
class Plan:
    """One running system: where its data lies, which ports it takes, and whose Kafka and MongoDB it uses."""

    data: Path
    base: int = DEFAULT_BASE
    given_kafka: str = ""
    given_mongo: str = ""
    prefix: str = "linli"
    services: tuple[str, ...] = SERVICES
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further environment for every process of ours."""
    mongod: tuple[str, ...] = ()
    """Further arguments of a MongoDB of our own."""
    brokers: int = 1
    members: int = 1
    each: int = 1
    """How many of each kind of process: apis and workers of every service, and relays. At most four of anything."""
    doors: int = 0
    """Where somebody stands between: everybody reaches a server this many ports above the one it listens on."""
    oplog_mb: int = 1024
    adapted: Callable[[Program], Program] = lambda program: program
    """What is wanted otherwise of single programs."""

    @property
    def kafka(self) -> str:
        return self.given_kafka or kafka.address(self.nodes())

    @property
    def mongo(self) -> str:
        return self.given_mongo or mongo.address(self.mongo_ports)

    @property
    def mongo_ports(self) -> list[int]:
        """Where the members of the replica set are reached."""
        return [port + self.doors for port in self.mongod_ports]

    @property
    def mongod_ports(self) -> list[int]:
        """Where they listen."""
        return [self.base + MONGO + STRIDE * number for number in range(self.members)]

    def nodes(self) -> list[Node]:
        """The brokers."""
        starts = [self.base + STRIDE * number for number in range(self.brokers)]
        return [
            Node(number, start + KAFKA, start + CONTROLLER, start + KAFKA + self.doors)
            for number, start in enumerate(starts, start=1)
        ]

    @property
    def issuer(self) -> str:
        return f"http://{HOST}:{self.base}"

    def url(self, service: str, number: int = 1) -> str:
        """Where the first, second … api of a service answers."""
        return f"http://{HOST}:{self.base + STRIDE * (number - 1) + 1 + self.services.index(service)}"

    def ports(self) -> dict[str, int]:
        """Every port this plan listens on, by who needs it."""
        ports = {"identity": self.base}
        for copy in range(1, self.each + 1):
            start = self.base + STRIDE * (copy - 1)
            ports[named("relay", copy)] = start + RELAY
            for number, service in enumerate(self.services, start=1):
                ports |= {named(f"{service} api", copy): start + number}
                ports |= {named(f"{service} worker", copy): start + RELAY + number}
        for node in [] if self.given_kafka else self.nodes():
            own = {"Kafka": node.port, "Kafka controller": node.controller_port}
            ports |= {named(name, node.number): port for name, port in own.items()}
        for number, port in enumerate([] if self.given_mongo else self.mongod_ports, start=1):
            ports[named("MongoDB", number)] = port
        return ports

    def log(self, name: str) -> Path:
        return self.data / "log" / f"{name}.log"


def named(kind: str, number: int) -> str:
    """The name of the first, second … of a kind: ``relay``, ``relay-2``."""
    return kind if number == 1 else f"{kind}-{number}"


def servers(plan: Plan, jars: Path) -> list[Program]:
    """Kafka and MongoDB, as far as none is given; prepares their folders."""
    programs = []
    if not plan.given_mongo:
        programs += [_member(plan, number, port) for number, port in enumerate(plan.mongod_ports, start=1)]
    if not plan.given_kafka:
        programs += [_broker(plan, node, jars) for node in plan.nodes()]
    return [plan.adapted(program) for program in programs]


def _member(plan: Plan, number: int, port: int) -> Program:
    name, cache = named("mongodb", number), 1.0 if plan.members == 1 else 0.25
    command = mongo.command(port, plan.data / named("mongo", number), cache_gb=cache, oplog_mb=plan.oplog_mb)
    return Program(name, (*command, *plan.mongod), plan.log(name), is_server=True, stop_seconds=60)


def _broker(plan: Plan, node: kafka.Node, jars: Path) -> Program:
    name, heap = named("kafka", node.number), 512 if plan.brokers == 1 else 320
    command = kafka.prepare(node, plan.nodes(), plan.data / "kafka" / str(node.number), jars, heap)
    return Program(name, tuple(command), plan.log(name), is_server=True, stop_seconds=60)


def processes(plan: Plan, secrets: Secrets) -> list[Program]:
    """The identity provider, the relays, and apis and workers of every service."""
    programs = [_identity(plan, secrets)]
    for number in range(1, plan.each + 1):
        programs += [_relay(plan, secrets, number), *_service_processes(plan, secrets, number)]
    return [plan.adapted(program) for program in programs]


def environment(plan: Plan, secrets: Secrets, client: str, number: int = 1) -> dict[str, str]:
    """What a process of ours finds in its environment; ``client`` is the name it presents to the identity provider."""
    return {
        "LINLI_KAFKA": plan.kafka,
        "LINLI_MONGO": plan.mongo,
        "LINLI_PREFIX": plan.prefix,
        "LINLI_OIDC_ISSUER": plan.issuer,
        "LINLI_OIDC_AUDIENCE": "linli",
        "LINLI_CLIENT_ID": client,
        "LINLI_CLIENT_SECRET": secrets.client(client),
        "LINLI_MASTER_KEY": secrets.master_key,
        "LINLI_LOOKUP_KEY": secrets.lookup_key,
        "LINLI_PEERS": ",".join(f"{service}={plan.url(service, number)}" for service in plan.services),
        "LINLI_PARTITIONS": "3",
        "LINLI_REPLICATION": str(1 if plan.given_kafka else min(3, plan.brokers)),
        "LINLI_EMBEDDED": "1",
        "LINLI_MOVABLE_CLOCK": "1",
        **plan.settings,
    }


def _identity(plan: Plan, secrets: Secrets) -> Program:
    settings = {
        "LINLI_OIDC_ISSUER": plan.issuer,
        "LINLI_OIDC_AUDIENCE": "linli",
        "LINLI_API_PORT": str(plan.base),
        "LINLI_SECRETS": str(secrets.folder),
        "LINLI_CLIENTS": ",".join(plan.services),
    }
    command = (sys.executable, "-m", "deploy.local.identity")
    return Program("identity", command, plan.log("identity"), settings, f"{plan.issuer}/ready")


def _relay(plan: Plan, secrets: Secrets, number: int) -> Program:
    name, port = named("relay", number), plan.base + STRIDE * (number - 1) + RELAY
    settings = environment(plan, secrets, "relay", number) | {"LINLI_HEALTH_PORT": str(port)}
    command = (sys.executable, "-m", "services", "relay")
    return Program(name, command, plan.log(name), settings, f"http://{HOST}:{port}/ready")


def _service_processes(plan: Plan, secrets: Secrets, number: int) -> list[Program]:
    programs = []
    for place, service in enumerate(plan.services, start=1):
        api = plan.base + STRIDE * (number - 1) + place
        worker = api + RELAY
        own = environment(plan, secrets, service, number)
        own |= {"LINLI_API_PORT": str(api), "LINLI_HEALTH_PORT": str(worker)}
        for kind, port in (("api", api), ("worker", worker)):
            name = named(f"{service}-{kind}", number)
            command = (sys.executable, "-m", f"services.{service}", kind)
            programs.append(Program(name, command, plan.log(name), own, f"http://{HOST}:{port}/ready"))
    return programs
