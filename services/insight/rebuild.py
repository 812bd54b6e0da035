"""``python -m services rebuild``: every row of insight made anew from the histories of the services that own them.

The worker may go on meanwhile: what it adds has higher sequence numbers than what was read and is left alone. A row
that agrees is not touched, so the command also tells whether the read model was right.
"""

import argparse
import asyncio
from collections.abc import Iterator
from itertools import groupby
from types import SimpleNamespace
from typing import Any

from pymongo import DeleteOne, UpdateOne

from services.chassis.catalogue import Catalogue
from services.chassis.consuming.reactions import Doing
from services.chassis.contracts.wire import Envelope, decode, encode
from services.chassis.publishing.resend import Choice, chosen
from services.chassis.settings import Settings
from services.chassis.storage.driver import Document, connect
from services.insight.reactions import REACTIONS
from services.insight.rows import ROWS

PORTION = 1000
OWN = "insight"


class Gathered:
    """Applies the reactions' writes to a plain document instead of sending them."""

    def __init__(self) -> None:
        self.row: Document = {}

    async def write(self, collection: str, operation: Any) -> None:
        """Take one upsert of ``$set`` and ``$min``."""
        change = operation._doc
        for path, value in change["$set"].items():
            name, _, key = path.partition(".")
            if key:
                self.row.setdefault(name, {})[key] = value
            else:
                self.row[name] = value
        for name, value in change.get("$min", {}).items():
            self.row[name] = min(self.row.get(name, value), value)


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Rebuild and say what was found wrong."""
    settings = Settings.from_environment(OWN)
    told = asyncio.run(rebuild(settings, catalogue))
    print(
        f"核对 {told['subjects']} 条,更正 {told['mended']} 条,删除多余 {told['removed']} 条。\n"
        f"{told['subjects']} rows compared, {told['mended']} mended, {told['removed']} without a history removed."
    )
    return 0


async def rebuild(settings: Settings, catalogue: Catalogue) -> dict[str, int]:
    """Compare and mend every row. Returns ``subjects``, ``mended`` and ``removed``."""
    client = connect(settings.mongo)
    blocking = client.blocking()
    try:
        rows = blocking[f"{settings.prefix}_{OWN}"].get_collection(ROWS)
        before = {row["_id"] for row in rows.find({}, {"_id": 1})}
        told = {"subjects": 0, "mended": 0, "removed": 0}
        changes: list[Any] = []
        for subject, row, last in await _rows(settings, catalogue, blocking):
            before.discard(subject)
            told["subjects"] += 1
            change = mending(rows.find_one({"_id": subject}), row, last)
            if change:
                changes.append(UpdateOne({"_id": subject}, change, upsert=True))
        changes += [DeleteOne({"_id": ghost}) for ghost in before]
        told["mended"], told["removed"] = len(changes) - len(before), len(before)
        for start in range(0, len(changes), PORTION):
            rows.bulk_write(changes[start : start + PORTION], ordered=False)
        return told
    finally:
        blocking.close()
        await client.close()


async def _rows(settings: Settings, catalogue: Catalogue, blocking: Any) -> list[tuple[str, Document, int]]:
    made = []
    for subject, envelopes in groupby(_envelopes(settings, catalogue, blocking), key=lambda each: each.subject):
        gathered, last = Gathered(), 0
        for envelope in envelopes:
            last = envelope.sequence
            await apply_to(gathered, envelope)
        if gathered.row:
            made.append((subject, gathered.row, last))
    return made


async def apply_to(gathered: Gathered, envelope: Envelope) -> None:
    """Take one event as the reactions would."""
    for reaction in REACTIONS.of(envelope.type):
        runtime: Any = SimpleNamespace(service=SimpleNamespace(name=OWN))
        await reaction.run(
            reaction.reader.model_validate(envelope.data), Doing(envelope, runtime, reaction.name, gathered)
        )


def _envelopes(settings: Settings, catalogue: Catalogue, blocking: Any) -> Iterator[Envelope]:
    wanted = {tuple(full_type.split(".")[1:3]) for full_type in REACTIONS.types()}
    for service in catalogue.all():
        names = [each.name for each in service.aggregates if (service.name, each.name) in wanted]
        database = blocking[f"{settings.prefix}_{service.name}"]
        for _, subject, entry in chosen(database, names, Choice()):
            record = encode(entry, service.name, subject)
            yield decode(record.key, record.value, record.headers)


def mending(stored: Document | None, right: Document, last: int) -> Document | None:
    """The update that makes a stored row right, or None when it is; facts after ``last`` are newer and stay."""
    stored = stored or {}
    wrong: Document = {}
    for name, value in right.items():
        if name in ("steps", "events"):
            have = stored.get(name, {})
            wrong |= {f"{name}.{key}": fact for key, fact in value.items() if have.get(key) != fact}
        elif stored.get(name) != value and name != "scope":
            wrong[name] = value
    if "scope" not in stored and "scope" in right:
        wrong["scope"] = right["scope"]
    stale = {
        f"{name}.{key}": ""
        for name in ("steps", "events")
        for key in stored.get(name, {})
        if int(key) <= last and key not in right.get(name, {})
    }
    if "until" in stored and "until" not in right and int(max(stored.get("events", {"0": ""}), key=int)) <= last:
        stale["until"] = ""
    change = ({"$set": wrong} if wrong else {}) | ({"$unset": stale} if stale else {})
    return change or None
