"""The environment of a process, read once at its start."""

import os
from base64 import b64decode
from dataclasses import dataclass, field


class SettingMissing(SystemExit):
    """A required environment variable is absent or malformed; the process ends with one clear sentence."""


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SettingMissing(f"{name} is not set: give it in the environment (see docs/operations.md)")
    return value


def _key(name: str, size: int) -> bytes:
    try:
        value = b64decode(_required(name), validate=True)
    except ValueError:
        raise SettingMissing(f"{name} is not base64: make one with `openssl rand -base64 {size}`") from None
    if len(value) != size:
        raise SettingMissing(f"{name} holds {len(value)} bytes where {size} are needed")
    return value


def _pairs(text: str) -> dict[str, str]:
    return dict(item.split("=", 1) for item in text.split(",") if "=" in item)


@dataclass(frozen=True)
class Settings:
    """What a process of one service needs to know of the world around it."""

    service: str
    kafka: str  # bootstrap servers, host:port[,host:port]
    mongo: str  # connection string with its replica set
    prefix: str = "linli"  # of databases, topics and consumer groups
    master_key: bytes = field(repr=False, default=b"")  # 96 bytes: wraps the data keys
    lookup_key: bytes = field(repr=False, default=b"")  # 32 bytes: keyed look-up hashes
    issuer: str = ""  # OpenID Connect issuer, a URL
    audience: str = "linli"
    client_id: str = ""
    client_secret: str = field(repr=False, default="")
    peers: dict[str, str] = field(default_factory=dict)  # service name to base URL
    partitions: int = 12
    replication: int = 1
    api_port: int = 8000
    health_port: int = 9000
    embedded: bool = False  # the embedded default: not for production, and says so
    movable_clock: bool = False  # tests and demonstrations only

    @property
    def database(self) -> str:
        """The service's own database."""
        return f"{self.prefix}_{self.service}"

    def topic(self, service: str, aggregate: str) -> str:
        """The topic of an aggregate type; ``linli.complaints.case`` under the default prefix."""
        return f"{self.prefix}.{service}.{aggregate}"

    @classmethod
    def from_environment(cls, service: str) -> "Settings":
        """Read ``LINLI_*``; raises ``SettingMissing`` with what to set."""
        env = os.environ
        return cls(
            service=service,
            kafka=_required("LINLI_KAFKA"),
            mongo=_required("LINLI_MONGO"),
            prefix=env.get("LINLI_PREFIX", "linli"),
            master_key=_key("LINLI_MASTER_KEY", 96),
            lookup_key=_key("LINLI_LOOKUP_KEY", 32),
            issuer=_required("LINLI_OIDC_ISSUER"),
            audience=env.get("LINLI_OIDC_AUDIENCE", "linli"),
            client_id=env.get("LINLI_CLIENT_ID", service),
            client_secret=env.get("LINLI_CLIENT_SECRET", ""),
            peers=_pairs(env.get("LINLI_PEERS", "")),
            partitions=int(env.get("LINLI_PARTITIONS", "12")),
            replication=int(env.get("LINLI_REPLICATION", "1")),
            api_port=int(env.get("LINLI_API_PORT", "8000")),
            health_port=int(env.get("LINLI_HEALTH_PORT", "9000")),
            embedded=env.get("LINLI_EMBEDDED") == "1",
            movable_clock=env.get("LINLI_MOVABLE_CLOCK") == "1",
        )
