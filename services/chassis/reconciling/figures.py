"""What the last comparisons say, as metrics and as an operator's page."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import Gauge

from services.chassis.aggregate import AggregateType
from services.chassis.reconciling import words
from services.chassis.reconciling.stored import ASTRAY, COMPARED, MARKS, STATED
from services.chassis.storage.driver import Database, Document

METRIC = "linli_events_unapplied"
UNAPPLIED = Gauge(METRIC, "Events that the histories hold and this consumer has not applied", ["consumer", "source"])
ASTRAYS = Gauge(
    "linli_places_astray", "Aggregates of which more, or something else, is applied than the history holds",
    ["consumer", "source"],
)  # fmt: skip
UNPUBLISHED = Gauge("linli_events_unpublished", "Events of closed hours that the topic does not hold", ["source"])
COMPARED_UNTIL = Gauge(
    "linli_reconciled_until_seconds", "End of the last closed hour that was compared", ["consumer", "source"]
)
STATED_UNTIL = Gauge("linli_stated_until_seconds", "End of the last closed hour that the owner has stated", ["source"])
Item = dict[str, Any]


class Figures:
    """The metrics of one service. Only the process that compares shows them; before the first comparison none."""

    def __init__(
        self, database: Database, service: str, sources: Sequence[str], aggregates: Iterable[AggregateType[Any]]
    ) -> None:
        self._database = database
        self._service = service
        self._sources = sources
        self._own = [aggregate.name for aggregate in aggregates]

    async def ensure_indexes(self) -> None:
        """By age, and by what is open."""
        await self._database.collection(STATED).ensure_indexes(("until",), ("open", "aggregate"))
        await self._database.collection(COMPARED).ensure_indexes(("until",))

    async def show(self) -> None:
        """Set every metric from what is stored."""
        marks = {mark["_id"]: mark for mark in await self._database.collection(MARKS).find({})}
        unapplied = await self._unapplied()
        astray = await self._sums(ASTRAY, {"kind": {"$ne": "behind"}, "certain": True}, "source", 1)
        lost = await self._sums(STATED, {"open": True}, "aggregate", "$lost")
        for source in self._sources:
            until = marks.get(f"compared|{source}", {}).get("until")
            if until is not None:
                COMPARED_UNTIL.labels(self._service, source).set(until)
            if until is not None or f"round|{source}" in marks:
                UNAPPLIED.labels(self._service, source).set(unapplied[source])
                ASTRAYS.labels(self._service, source).set(astray[source])
        for aggregate in self._own:
            source, until = f"{self._service}.{aggregate}", marks[f"stated|{aggregate}"]["until"]
            STATED_UNTIL.labels(source).set(until)
            UNPUBLISHED.labels(source).set(lost[aggregate])

    def forget(self) -> None:
        """Another process compares from now on; what this one knew grows old."""
        for source in self._sources:
            for gauge in (UNAPPLIED, ASTRAYS, COMPARED_UNTIL):
                gauge.remove(self._service, source)
        for aggregate in self._own:
            for gauge in (UNPUBLISHED, STATED_UNTIL):
                gauge.remove(f"{self._service}.{aggregate}")

    async def _unapplied(self) -> Counter[str]:
        by_hours = await self._sums(COMPARED, {"unapplied": {"$gt": 0}}, "source", "$unapplied")
        return by_hours + await self._sums(ASTRAY, {"kind": "behind"}, "source", "$counts")

    async def _sums(self, collection: str, match: Document, by: str, what: Any) -> Counter[str]:
        stages = [{"$match": match}, {"$group": {"_id": f"${by}", "sum": {"$sum": what}}}]
        found = await self._database.collection(collection).aggregate(stages)
        return Counter({row["_id"]: row["sum"] for row in found})


async def lately(database: Database, service: str, days: int) -> Item:
    """The last comparison of each hour and aggregate type, newest first, each with a sentence; and the sum.

    Hours of the last ``days`` days, and older ones in which something is open. Numbers only: no id of any record.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    stated = await database.collection(STATED).find(
        {"$or": [{"until": {"$gte": since}}, {"open": True}]}, {"missing": 0, "read_to": 0}
    )
    compared = await database.collection(COMPARED).find(
        {"$or": [{"until": {"$gte": since}}, {"unapplied": {"$gt": 0}}]}, {"behind": 0}
    )
    astray = await _astray(database)
    items = [_owners(service, row) for row in stated] + [_consumers(service, rows) for rows in _by_hour(compared)]
    unapplied = sum(item["unapplied"] or 0 for item in items) + sum(row["unapplied"] for row in astray)
    lost = sum(item["unpublished"] or 0 for item in items)
    told = {"metric": METRIC, "unapplied": unapplied, "unpublished": lost}
    items.sort(key=lambda item: (item["since"], item["aggregate"], item["consumer"] or ""), reverse=True)
    return told | words.whole(service, unapplied, lost, bool(items)) | {"items": items, "rounds": astray}


def _owners(service: str, row: Document) -> Item:
    item: Item = {
        "aggregate": f"{service}.{row['aggregate']}",
        "consumer": None,
        "since": row["since"],
        "until": row["until"],
        "compared_at": row["at"],
        "histories": row["events"],
        "topic": row["published"],
        "applied": None,
        "parked": {},
        "unapplied": None,
        "unpublished": row["lost"],
    }
    return item | words.owners_hour(service, row["events"], row["published"], row["lost"])


def _by_hour(rows: Iterable[Document]) -> list[list[Document]]:
    """The parts of each hour's newest run that has ended."""
    runs: defaultdict[tuple[str, datetime], dict[str, list[Document]]] = defaultdict(dict)
    for row in rows:
        runs[row["source"], row["since"]].setdefault(row["run"], []).append(row)
    ended = [
        [run for run in sorted(of_hour) if any(part["parts"] == len(of_hour[run]) for part in of_hour[run])]
        for of_hour in runs.values()
    ]
    return [of_hour[names[-1]] for of_hour, names in zip(runs.values(), ended, strict=True) if names]


def _consumers(service: str, rows: list[Document]) -> Item:
    events, unapplied = sum(row["events"] for row in rows), sum(row["unapplied"] for row in rows)
    parked: Counter[str] = Counter()
    for row in rows:
        parked.update(row["parked"])
    last = next(row for row in rows if row["parts"])
    item: Item = {
        "aggregate": last["source"],
        "consumer": service,
        "since": last["since"],
        "until": last["until"],
        "compared_at": max(row["at"] for row in rows),
        "histories": events,
        "topic": last["published"],
        "applied": events - unapplied,
        "parked": dict(sorted(parked.items())),
        "unapplied": unapplied,
        "unpublished": None,
    }
    return item | words.consumers_hour(service, events, unapplied, dict(sorted(parked.items())))


async def _astray(database: Database) -> list[Item]:
    """What the rounds through all aggregates found besides, by source."""
    counts = {"unapplied": {"$sum": "$counts"}, "astray": {"$sum": {"$cond": [{"$eq": ["$kind", "behind"]}, 0, 1]}}}
    certain = {"$match": {"certain": True}}
    found = await database.collection(ASTRAY).aggregate([certain, {"$group": {"_id": "$source"} | counts}])
    sums = {row["_id"]: row for row in found}
    marks = await database.collection(MARKS).find({"_id": {"$regex": "^round\\|.*\\."}})
    items = []
    for mark in sorted(marks, key=lambda mark: str(mark["_id"])):
        source = mark["_id"].partition("|")[2]
        unapplied, astray = (int(sums.get(source, {}).get(name, 0)) for name in ("unapplied", "astray"))
        item = {"aggregate": source, "ended_at": mark["done"], "unapplied": unapplied, "astray": astray}
        items.append(item | words.round_of(source, unapplied, astray))
    return items
