"""Every difference down to the event: which service lacks which event of which record, and where it was lost.

Reads the databases of all services, so it is for an operator's command, not for a service. Histories are read a page at
a time; what differs is read once more before it is told, since everything goes on meanwhile. Nothing is changed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from pymongo import MongoClient

from services.chassis.aggregate import Service
from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.lag import Group, Partition
from services.chassis.consuming.places import Place, place_of
from services.chassis.reconciling.held import Wanted, find, kept_seconds
from services.chassis.reconciling.hours import Hours, instant
from services.chassis.reconciling.log import SLACK
from services.chassis.reconciling.written import (
    SHARE,
    Blocking,
    Entry,
    Standing,
    count,
    history,
    page,
    standings,
    written,
)
from services.chassis.reconciling.written import since as written_since
from services.chassis.settings import Settings
from services.chassis.storage.driver import Document

NOT_IN_TOPIC, WAITING, PASSED_OVER, PARKED = "not-in-topic", "waiting", "passed-over", "parked"
FORKED, BEYOND, OTHER = "forked", "beyond-history", "other-history"
ASTRAY = (FORKED, BEYOND, OTHER)  # what a person must decide
SENT_AGAIN = (NOT_IN_TOPIC, PASSED_OVER)  # what sending again from the history mends
PAGE = 1000
HIGHEST = "\uffff"
QUICK = 50_000.0  # records a second: a command may read as fast as it can
REASON = {"_id": 1, "subject": 1, "seq": 1, "event": 1, "reason": 1, "code": 1, "field": 1}


@dataclass(frozen=True)
class Difference:
    """One event of one record. ``consumer`` is empty when only the topic lacks it."""

    consumer: str
    service: str
    aggregate: str
    subject: str
    sequence: int
    event: str  # its id; of a place beyond the history the id that was applied
    type: str = ""  # case.registered.v1
    second: int | None = None  # when it was written, by the database's clock
    where: str = ""
    reason: str = ""  # of a parked one, with code and field
    code: str = ""
    field: str = ""
    row: str = ""  # the parked row
    history: int = 0  # how many events the history holds

    def told(self) -> dict[str, Any]:
        """The difference as a plain document, with the hour in which the event was written."""
        plain = asdict(self)
        second = plain.pop("second")
        return plain | {"hour": instant(Hours().of(second)).isoformat() if second is not None else None}


@dataclass(frozen=True)
class Asked:
    """What to look at, in seconds since 1970. What was written from ``until`` on is on its way.

    ``service``: as owner or as consumer; ``topics_since``: from where topics are compared with histories.
    """

    until: int
    topics_since: int
    since: int | None = None
    service: str = ""
    aggregate: str = ""
    subject: str = ""
    most: int = 10_000


@dataclass(frozen=True)
class Source:
    """One aggregate type, its topic, and the services that consume it."""

    service: str
    aggregate: str
    topic: str
    database: Blocking
    consumers: tuple[str, ...]


class Looking:
    """One look at everything that was asked for. Calls block and raise KafkaError and PyMongoError."""

    def __init__(
        self, settings: Settings, services: Iterable[Service], mongo: MongoClient[dict[str, Any]], asked: Asked
    ) -> None:
        self._settings = settings
        self._services = list(services)
        self._mongo = mongo
        self._asked = asked
        self._consumed = {each.name: reactions_of(each).topics(settings) for each in self._services}
        self.records = 0  # compared
        self.more = False  # there is more than was asked to be named
        self._committed = cache(self._committed_of)

    def differences(self) -> list[Difference]:
        """Everything that differs, by source; at most ``asked.most``."""
        found: list[Difference] = []
        for source in self._sources():
            lacking = list(islice(self._lacking(source), self._asked.most + 1))
            known = {(each.subject, each.sequence) for each in lacking if not each.where}
            holes = islice(self._holes(source, known), self._asked.most + 1)
            found += self._placed(source, [*lacking, *holes])
            if len(found) > self._asked.most:
                self.more = True
                return found[: self._asked.most]
        return found

    def _sources(self) -> Iterator[Source]:
        for owner in self._services:
            for aggregate in owner.aggregates:
                topic = self._settings.topic(owner.name, aggregate.name)
                consumers = [name for name, topics in self._consumed.items() if topic in topics]
                if self._asked.service not in ("", owner.name):
                    consumers = [name for name in consumers if name == self._asked.service]
                    if not consumers:
                        continue
                if self._asked.aggregate in ("", aggregate.name):
                    database = self._database(owner.name)
                    yield Source(owner.name, aggregate.name, topic, database, tuple(consumers))

    def _database(self, service: str) -> Blocking:
        return self._mongo[replace(self._settings, service=service).database]

    def _lacking(self, source: Source) -> Iterator[Difference]:
        """What some consumer has not applied, or has applied beyond or beside the history."""
        for after, found, upto in self._pages(source):
            self.records += len(found)
            for consumer in source.consumers:
                yield from self._compared(source, consumer, found)
                if self._asked.subject:
                    yield from self._ghost(source, consumer, found)
                elif self._asked.since is None:
                    yield from self._ghosts(source, consumer, after, upto, {each.subject for each in found})

    def _pages(self, source: Source) -> Iterator[tuple[str, list[Standing], str]]:
        asked = self._asked
        if asked.subject:
            yield "", standings(source.database, source.aggregate, [asked.subject]), asked.subject
            return
        if asked.since is not None:
            for found in written_since(source.database, source.aggregate, asked.since, PAGE):
                yield "", found, ""
            return
        after, more = "", True
        while more:
            found = page(source.database, source.aggregate, after, PAGE)
            more = len(found) == PAGE
            upto = found[-1].subject if more else ""
            yield after, found, upto
            after = upto

    def _compared(self, source: Source, consumer: str, found: list[Standing]) -> Iterator[Difference]:
        places = self._places(consumer, [each.subject for each in found])
        beyond: dict[str, Place] = {}
        for each in found:
            place = places.get(each.subject, Place())
            if place.forked:
                yield self._forked(source, consumer, each, place)
            if place.seq < each.version:
                yield from self._behind(source, consumer, each, place)
            elif place.seq > each.version:
                beyond[each.subject] = place
            elif place.last_id not in ("", each.event):
                yield _applied(source, consumer, each.subject, place, each.version, OTHER)
        yield from self._beyond(source, consumer, beyond)

    def _behind(self, source: Source, consumer: str, standing: Standing, place: Place) -> Iterator[Difference]:
        entries = history(source.database, source.aggregate, standing.subject)
        if 0 < place.seq <= len(entries) and place.last_id not in ("", entries[place.seq - 1].id):
            yield _applied(source, consumer, standing.subject, place, len(entries), OTHER)
        parked = self._database(consumer)["parked"]
        rows = {
            (row["seq"], row["event"]): row
            for row in parked.find({"subject": standing.subject, "seq": {"$gt": place.seq}}, REASON)
        }
        for entry in entries[place.seq :]:
            if entry.second is None or entry.second < self._asked.until:
                yield _lacked(source, consumer, standing.subject, entry, rows.get((entry.seq, entry.id)))

    def _forked(self, source: Source, consumer: str, standing: Standing, place: Place) -> Difference:
        wanted = {"subject": standing.subject, "reason": "forked"}
        row = self._database(consumer)["parked"].find_one(wanted, REASON) or {}
        found = _applied(source, consumer, standing.subject, place, standing.version, FORKED)
        return replace(found, sequence=place.forked, event=row.get("event", place.last_id), row=row.get("_id", ""))

    def _beyond(self, source: Source, consumer: str, places: dict[str, Place]) -> Iterator[Difference]:
        """Places were read after the histories; only what a later reading of the histories lacks too is told."""
        if not places:
            return
        versions = {each.subject: each.version for each in standings(source.database, source.aggregate, places)}
        for subject, place in places.items():
            if place.seq > versions.get(subject, 0):
                yield _applied(source, consumer, subject, place, versions.get(subject, 0), BEYOND)

    def _ghosts(
        self, source: Source, consumer: str, after: str, upto: str, stated: set[str]
    ) -> Iterator[Difference]:
        """Places of records that the owner does not have. Ids begin with the name of their type."""
        same = [topic for topic in self._consumed[consumer] if topic.endswith(f".{source.aggregate}")]
        low, high = max(after, f"{source.aggregate}_"), upto or f"{source.aggregate}_{HIGHEST}"
        if len(same) > 1 or low > high:
            return
        wanted = {"_id": {"$gt": f"{consumer}|{low}", "$lte": f"{consumer}|{high}"}, "seq": {"$gt": 0}}
        rows = self._database(consumer)["places"].find(wanted, limit=PAGE + len(stated))
        places = {row["_id"].partition("|")[2]: place_of(row) for row in rows}
        yield from self._beyond(source, consumer, {name: at for name, at in places.items() if name not in stated})

    def _ghost(self, source: Source, consumer: str, found: list[Standing]) -> Iterator[Difference]:
        """The same of the one record that was asked for."""
        subject = self._asked.subject
        if not found and subject.startswith(f"{source.aggregate}_"):
            yield from self._beyond(source, consumer, self._places(consumer, [subject]))

    def _holes(self, source: Source, known: set[tuple[str, int]]) -> Iterator[Difference]:
        """What the topic lacks though every consumer may have applied it: who comes later would miss it."""
        if self._asked.service not in ("", source.service):
            return
        kept = kept_seconds(self._settings, source.topic)
        since = max(self._asked.topics_since, self._asked.until - kept + SLACK if kept is not None else 0)
        for begin, end in self._spans(source, since):
            entries = {
                (subject, entry.seq): entry
                for subject, found in written(source.database, source.aggregate, begin, end)
                for entry in found
                if (subject, entry.seq) not in known and self._asked.subject in ("", subject)
            }
            wanted = {key: entry.id for key, entry in entries.items()}
            held = find(self._settings, source.topic, wanted, since=begin, per_second=QUICK).at
            for key in entries.keys() - held.keys():
                yield replace(_lacked(source, "", key[0], entries[key], None), where=NOT_IN_TOPIC)

    def _spans(self, source: Source, since: int) -> Iterator[tuple[int, int]]:
        """Stretches of time in which not too many aggregates were written to be compared in memory."""
        length = max(1, self._asked.until - since)
        number = 1 + count(source.database, source.aggregate, since) // SHARE
        each = -(-length // number)
        for begin in range(since, self._asked.until, each):
            yield begin, min(begin + each, self._asked.until)

    def _placed(self, source: Source, lacking: list[Difference]) -> list[Difference]:
        """Where each one was lost: not in the topic, there and waiting, or there and passed over."""
        open_ones = [each for each in lacking if not each.where]
        wanted: Wanted = {(each.subject, each.sequence): each.event for each in open_ones}
        seconds = [each.second for each in open_ones]
        since = None if None in seconds else min((second for second in seconds if second is not None), default=None)
        held = find(self._settings, source.topic, wanted, since=since, per_second=QUICK).at
        return [each if each.where else replace(each, where=self._where(source, each, held)) for each in lacking]

    def _where(self, source: Source, lacked: Difference, held: dict[tuple[str, int], tuple[int, int]]) -> str:
        at = held.get((lacked.subject, lacked.sequence))
        if at is None:
            return NOT_IN_TOPIC
        partition, offset = at
        taken = self._committed(lacked.consumer).get((source.topic, partition), 0)
        return PASSED_OVER if offset < taken else WAITING

    def _committed_of(self, consumer: str) -> dict[Partition, int]:
        group = Group(replace(self._settings, service=consumer), self._consumed[consumer])
        try:
            return group.look().committed
        finally:
            group.close()

    def _places(self, consumer: str, subjects: list[str]) -> dict[str, Place]:
        wanted = {"_id": {"$in": [f"{consumer}|{subject}" for subject in subjects]}}
        rows = self._database(consumer)["places"].find(wanted)
        return {row["_id"].partition("|")[2]: place_of(row) for row in rows}


def _applied(source: Source, consumer: str, subject: str, place: Place, version: int, where: str) -> Difference:
    return Difference(
        consumer, source.service, source.aggregate, subject, place.seq, place.last_id, where=where, history=version
    )


def _lacked(source: Source, consumer: str, subject: str, entry: Entry, row: Document | None) -> Difference:
    found = Difference(
        consumer, source.service, source.aggregate, subject, entry.seq, entry.id, entry.type, entry.second
    )
    if row is None:
        return found
    return replace(
        found, where=PARKED, reason=row["reason"], code=row["code"], field=row["field"], row=str(row["_id"])
    )
