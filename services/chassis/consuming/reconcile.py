"""What a service has not applied yet, made visible: zero is the promise.

Compares what lies in the topics (the lag of its group) and what is parked with its places.
"""

import argparse
import asyncio
from collections import Counter
from dataclasses import dataclass, field

from services.chassis.catalogue import Catalogue
from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.lag import Group
from services.chassis.consuming.parked import Parked
from services.chassis.consuming.records import REASONS
from services.chassis.settings import Settings
from services.chassis.storage.driver import Database, connect
from services.chassis.telemetry import configure_logs


@dataclass(frozen=True)
class Unapplied:
    """What one consumer has yet to apply. ``behind_place``: rows that lie parked although their place has passed."""

    lag: dict[str, int]  # by topic
    parked: dict[str, int]  # by reason
    places: int
    behind_place: list[str] = field(default_factory=list)

    def total(self) -> int:
        """Events that have not taken effect."""
        return sum(self.lag.values()) + sum(self.parked.values())


async def unapplied(settings: Settings, database: Database, topics: list[str]) -> Unapplied:
    """Look once. Raises KafkaError and PyMongo's errors."""
    group = Group(settings, topics)
    try:
        standing = await asyncio.to_thread(group.look)
    finally:
        group.close()
    lag: Counter[str] = Counter()
    for (topic, _), waiting in standing.lag().items():
        lag[topic] += waiting
    parked = Parked(database)
    by_reason = {reason: await parked.count([reason]) for reason in REASONS}
    return Unapplied(
        lag=dict(sorted(lag.items())),
        parked={reason: number for reason, number in by_reason.items() if number},
        places=await database.collection("places").count({}),
        behind_place=await _behind_place(database, settings.service),
    )


async def _behind_place(database: Database, consumer: str) -> list[str]:
    rows = await database.collection("parked").aggregate(
        [
            {"$match": {"subject": {"$ne": None}, "reason": {"$ne": "forked"}}},
            {"$set": {"place": {"$concat": [f"{consumer}|", "$subject"]}}},
            {"$lookup": {"from": "places", "localField": "place", "foreignField": "_id", "as": "at"}},
            {"$match": {"$expr": {"$lte": ["$seq", {"$ifNull": [{"$first": "$at.seq"}, 0]}]}}},
            {"$project": {"_id": 1}},
        ]
    )
    return [str(row["_id"]) for row in rows]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--service", required=True)


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Print the figures; code 1 unless all is applied."""
    configure_logs(arguments.service, "reconcile", "ERROR")
    found = asyncio.run(_look(arguments.service, catalogue))
    for topic, waiting in found.lag.items():
        print(f"{topic}: {waiting} 条未取 · not taken yet")
    for reason, number in found.parked.items():
        print(f"{reason}: {number} 条停放 · parked")
    for row in found.behind_place:
        print(f"{row}: 已越过,可以丢弃 · passed already, may be discarded")
    print(f"来源记录 {found.places} 条,未生效事件 {found.total()} 条。")
    print(f"{found.places} source aggregates, events_unapplied {found.total()}")
    return 0 if found.total() == 0 else 1


async def _look(name: str, catalogue: Catalogue) -> Unapplied:
    settings = Settings.from_environment(name)
    client = connect(settings.mongo)
    try:
        topics = reactions_of(catalogue.load(name)).topics(settings)
        return await unapplied(settings, client.database(settings.database), topics)
    finally:
        await client.close()
