"""What happens to servers: a primary steps down, a leader is lost, a disk is lost, a disk is full."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress

from pymongo.errors import AutoReconnect

from deploy.local import kafka
from deploy.local.plan import named
from deploy.local.system import JARS
from tests.faults.ground import Ground
from tests.faults.kinds.registry import kind

SPARE = 256 << 10  # bytes of a full disk, since the member goes on writing while it is filled
SEVERAL_BROKERS, SEVERAL_MEMBERS = "more than one broker", "more than one database member"


@kind("step down", lambda g: ["primary"] if g.system.plan.members > 1 else [], why_not=SEVERAL_MEMBERS)
def step_down(ground: Ground, _: str) -> Iterator[None]:
    """The primary gives up its role; another is elected."""
    # it may close the connections with its role
    with ground.member(ground.primary()) as client, suppress(AutoReconnect):
        client.admin.command("replSetStepDown", 10, force=True)
    yield
    ground.primary()


@kind("leader lost", lambda g: ["complaints.case/0"] if g.system.plan.brokers > 1 else [], why_not=SEVERAL_BROKERS)
def leader_lost(ground: Ground, partition: str) -> Iterator[None]:
    """The broker that leads this partition is killed."""
    topic, _, number = partition.partition("/")
    with closing(ground.admin()) as admin:
        [described] = admin.describe_topics([f"{ground.prefix}.{topic}"])
    leads = {each["partition_index"]: each["leader_id"] for each in described["partitions"]}
    broker = named("kafka", leads[int(number)])
    ground.kill(broker)
    yield
    ground.until_back(broker)


def _brokers(ground: Ground) -> list[str]:
    plan = ground.system.plan
    return [named("kafka", node.number) for node in plan.nodes()] if plan.brokers > 2 else []


@kind("disk lost", _brokers, why_not="three brokers", seconds=(3, 8), alone=True)
def disk_lost(ground: Ground, broker: str) -> Iterator[None]:
    """A broker comes back with an empty disk, and everything is copied to it."""
    ground.until(lambda: whole(ground), "every partition on all brokers")
    data = ground.system.plan.data / "kafka" / (broker.partition("-")[2] or "1")
    with ground.stopped(broker):
        shutil.rmtree(data / "logs")
        (data / "formatted").unlink()
        yield
        kafka.format_storage(data, JARS)
    ground.until_back(broker)
    ground.until(lambda: whole(ground), "every partition on all brokers again")


def whole(ground: Ground) -> bool:
    """Whether every partition is on as many brokers as it should be."""
    with closing(ground.admin()) as admin:
        topics = admin.describe_topics(list(admin.list_topics()))
    partitions = [each for topic in topics for each in topic["partitions"]]
    return all(len(each["isr_nodes"]) == len(each["replica_nodes"]) for each in partitions)


def _small_disk(ground: Ground) -> list[str]:
    return ["mongodb"] if ground.beneath.disk else []


@kind("disk full", _small_disk, why_not="a file system of its own for a database member", seconds=(8, 15))
def disk_full(ground: Ground, member: str) -> Iterator[None]:
    """Nothing more fits on the disk of the first database member, until room is made."""
    assert ground.beneath.disk is not None
    filler = ground.beneath.disk / "filler"
    with filler.open("wb") as file:
        free = os.statvfs(ground.beneath.disk)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - SPARE)
    yield
    filler.unlink()
    ground.until_back(member)
