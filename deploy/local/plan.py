"""What runs on one machine: every process with its command, its ports and its environment. Pure: starts nothing."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import kafka, mongo
from deploy.local.ports import HOST
from deploy.local.secret import Secrets
from services.__main__ import CATALOGUE

SERVICES = CATALOGUE.names
DEFAULT_BASE = 8100
# Offsets from the base port: identity 0, then one api each; workers and the relay only tell their health.
KAFKA, CONTROLLER, MONGO, RELAY = 90, 91, 92, 100


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

    @property
    def kafka(self) -> str:
        return self.given_kafka or f"{HOST}:{self.base + KAFKA}"

    @property
    def mongo(self) -> str:
        return self.given_mongo or mongo.address([self.mongo_port])

    @property
    def mongo_port(self) -> int:
        return self.base + MONGO

    @property
    def issuer(self) -> str:
        return f"http://{HOST}:{self.base}"

    def url(self, service: str) -> str:
        """Where the api of a service answers."""
        return f"http://{HOST}:{self.base + 1 + self.services.index(service)}"

    def ports(self) -> dict[str, int]:
        """Every port this plan listens on, by who needs it."""
        ports = {"identity": self.base, "relay": self.base + RELAY}
        for number, service in enumerate(self.services, start=1):
            ports |= {f"{service} api": self.base + number, f"{service} worker": self.base + RELAY + number}
        if not self.given_kafka:
            ports |= {"Kafka": self.base + KAFKA, "Kafka controller": self.base + CONTROLLER}
        if not self.given_mongo:
            ports |= {"MongoDB": self.mongo_port}
        return ports

    def log(self, name: str) -> Path:
        return self.data / "log" / f"{name}.log"


def servers(plan: Plan, jars: Path) -> list[Program]:
    """Kafka and MongoDB, as far as none is given; prepares their folders."""
    programs = []
    if not plan.given_mongo:
        command = [*mongo.command(plan.mongo_port, plan.data / "mongo", cache_gb=1), *plan.mongod]
        programs.append(Program("mongodb", tuple(command), plan.log("mongodb"), is_server=True, stop_seconds=60))
    if not plan.given_kafka:
        node = kafka.Node(1, plan.base + KAFKA, plan.base + CONTROLLER)
        command = kafka.prepare(node, [node], plan.data / "kafka" / "1", jars)
        programs.append(Program("kafka", tuple(command), plan.log("kafka"), is_server=True, stop_seconds=60))
    return programs


def processes(plan: Plan, secrets: Secrets) -> list[Program]:
    """The identity provider, the relay, and api and worker of every service."""
    return [_identity(plan, secrets), _relay(plan, secrets), *_service_processes(plan, secrets)]


def environment(plan: Plan, secrets: Secrets, client: str) -> dict[str, str]:
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
        "LINLI_PEERS": ",".join(f"{service}={plan.url(service)}" for service in plan.services),
        "LINLI_PARTITIONS": "3",
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


def _relay(plan: Plan, secrets: Secrets) -> Program:
    port = plan.base + RELAY
    settings = environment(plan, secrets, "relay") | {"LINLI_HEALTH_PORT": str(port)}
    command = (sys.executable, "-m", "services", "relay")
    return Program("relay", command, plan.log("relay"), settings, f"http://{HOST}:{port}/ready")


def _service_processes(plan: Plan, secrets: Secrets) -> list[Program]:
    programs = []
    for number, service in enumerate(plan.services, start=1):
        api, worker = plan.base + number, plan.base + RELAY + number
        own = environment(plan, secrets, service) | {"LINLI_API_PORT": str(api), "LINLI_HEALTH_PORT": str(worker)}
        for kind, port in (("api", api), ("worker", worker)):
            name = f"{service}-{kind}"
            command = (sys.executable, "-m", f"services.{service}", kind)
            programs.append(Program(name, command, plan.log(name), own, f"http://{HOST}:{port}/ready"))
    return programs
