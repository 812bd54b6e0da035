"""The links between processes and servers: cut, slow, half-open."""

from collections.abc import Iterator

from tests.faults.ground import Ground
from tests.faults.kinds.registry import kind

PAIRS = (
    "complaints-api*>mongodb", "volunteers-api*>mongodb", "complaints-worker*>mongodb", "insight-worker*>mongodb",
    "complaints-worker*>kafka", "insight-worker*>kafka", "relay*>kafka", "relay*>mongodb",
)  # fmt: skip
AMONG_SERVERS = ("kafka>kafka-2", "mongodb>mongodb-2")
DOORS = "doors between processes and servers"


def _pairs(ground: Ground) -> list[str]:
    plan = ground.system.plan
    among = AMONG_SERVERS if min(plan.brokers, plan.members) > 1 else ()
    return [*PAIRS, *among] if ground.links else []


def _disturbed(ground: Ground, pair: str, how: str) -> Iterator[None]:
    clients, _, servers = pair.partition(">")
    assert ground.links is not None
    with ground.links.disturbed(clients, servers, how):
        yield


@kind("cut", _pairs, why_not=DOORS, seconds=(5, 12))
def cut(ground: Ground, pair: str) -> Iterator[None]:
    """Connections are broken off, new ones too."""
    return _disturbed(ground, pair, "cut")


@kind("slow", _pairs, why_not=DOORS, seconds=(8, 15))
def slow(ground: Ground, pair: str) -> Iterator[None]:
    """Everything comes late."""
    return _disturbed(ground, pair, "slow")


@kind("half-open", _pairs, why_not=DOORS, seconds=(5, 12))
def half_open(ground: Ground, pair: str) -> Iterator[None]:
    """The server has forgotten the connection and the client does not know."""
    return _disturbed(ground, pair, "half-open")
