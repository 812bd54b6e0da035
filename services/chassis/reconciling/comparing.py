"""What owners state, compared with what this consumer has applied.

Closed hours are kept part by part in the collection ``compared``: ``{source, since, until, run, part, parts, events,
unapplied, parked, behind, at}``; ``behind`` names the aggregates whose place has not come so far. What a round finds
is kept by aggregate in ``astray``: ``behind`` (something is not applied), ``beyond`` (more is applied than the history
holds) or ``other`` (another event is applied than the history holds). What is open is looked at again at every turn.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pymongo import DeleteOne, ReplaceOne

from services.chassis.consuming.places import Place, Places
from services.chassis.reconciling.hours import instant, server_seconds
from services.chassis.reconciling.statements import Claim, Line, Page, Part
from services.chassis.reconciling.stored import ASTRAY, COMPARED, MARKS
from services.chassis.storage.driver import Database, Document

AT_ONCE = 1000  # places read together
OPEN_ROWS = 50  # parts with something open that are looked at again in one turn, the longest unseen first
OPEN_SUBJECTS = 2000
MOST = 10_000  # aggregates of one source kept by name as astray: after a disaster, healing begins with these
MOST_GHOSTS = 5000
LATER = 60  # seconds after a place was seen by which a history must have been read to say that it lacks the event
KEPT = timedelta(days=90)
HIGHEST = "\uffff"


class Verdict(NamedTuple):
    """Of some lines: those not wholly applied, how many events that is, and how many of them lie parked, by reason."""

    behind: list[Line]
    unapplied: int
    parked: dict[str, int]


class Comparing:
    """The comparison of one consumer with the sources it consumes. Raises PyMongoError."""

    def __init__(self, database: Database, consumer: str, sources: Collection[str], later: int = LATER) -> None:
        self._database = database
        self._sources = sources
        self._later = later
        self._places = Places(database, consumer)
        self._places_raw = database.collection("places")
        self._parked = database.collection("parked")
        self._compared = database.collection(COMPARED)
        self._astray = database.collection(ASTRAY)
        self._marks = database.collection(MARKS)

    async def ensure_indexes(self) -> None:
        """By source and hour; by what is open."""
        by_hour, by_open, by_subject = ("source", "since", "run"), ("unapplied", "at"), ("source", "behind.subject")
        await self._compared.ensure_indexes(by_hour, by_open, by_subject)
        await self._astray.ensure_indexes(("source", "kind"), ("kind", "at"))

    async def take(self, statement: Part | Page) -> None:
        """Compare one statement; the same one again changes nothing."""
        if statement.source not in self._sources:
            return
        if isinstance(statement, Part):
            await self._take_part(statement)
        else:
            await self._take_page(statement)

    async def look_again(self, now: int) -> None:
        """Compare once more what was open; forget old hours in which nothing is, and what is consumed no more."""
        for collection in (self._compared, self._astray):
            await collection.delete_many({"source": {"$nin": list(self._sources)}})
        open_rows = await self._compared.find({"unapplied": {"$gt": 0}}, sort=[("at", 1)], limit=OPEN_ROWS)
        for row in open_rows:
            verdict = await self._verdict(Line(**each) for each in row["behind"])
            await self._compared.update_one({"_id": row["_id"]}, {"$set": _told(verdict)})
        await self._look_at_astray()
        await self._compared.delete_many({"unapplied": 0, "until": {"$lt": instant(now) - KEPT}})

    async def _take_part(self, part: Part) -> None:
        verdict = await self._verdict(part.lines)
        row = {
            "source": part.source,
            "since": instant(part.since),
            "until": instant(part.until),
            "run": part.run,
            "part": part.part,
            "parts": part.parts,
            "events": sum(line.last - line.first + 1 for line in part.lines),
            "published": part.published,
        } | _told(verdict)
        name = f"{part.source}|{part.since}|{part.run}|{part.part}"
        await self._compared.replace_one({"_id": name}, row, upsert=True)
        if part.parts:
            await self._finish(part)

    async def _finish(self, part: Part) -> None:
        """The last part of an hour is here: the earlier runs over that hour count no more."""
        hour = {"source": part.source, "since": instant(part.since)}
        if await self._compared.count(hour | {"run": part.run}) < part.parts:
            return  # the log began in the middle of this run: the rounds look at everything
        if await self._compared.count(hour | {"run": {"$gt": part.run}, "parts": {"$gt": 0}}, limit=1):
            await self._compared.delete_many(hour | {"run": part.run})
            return
        await self._compared.delete_many(hour | {"run": {"$lt": part.run}})
        mark = {"_id": f"compared|{part.source}"}
        await self._marks.update_one(mark, {"$max": {"until": part.until}}, upsert=True)

    async def _verdict(self, lines: Iterable[Line]) -> Verdict:
        behind: list[Line] = []
        unapplied, parked = 0, Counter[str]()
        for some in _portions(list(lines)):
            places = await self._places.read(line.subject for line in some)
            late = [line for line in some if lacking(line, places[line.subject])]
            unapplied += sum(lacking(line, places[line.subject]) for line in late)
            behind += late
            if late:
                parked.update(await self._parked_of(late, places))
        return Verdict(behind, unapplied, dict(parked))

    async def _parked_of(self, late: Sequence[Line], places: Mapping[str, Place]) -> Counter[str]:
        by_subject = {line.subject: line for line in late}
        wanted = {"subject": {"$in": list(by_subject)}}
        reasons: dict[tuple[str, int], str] = {}
        for row in await self._parked.find(wanted, {"subject": 1, "seq": 1, "reason": 1}):
            line = by_subject[row["subject"]]
            if max(places[line.subject].seq + 1, line.first) <= row["seq"] <= line.last:
                reasons[row["subject"], row["seq"]] = row["reason"]
        return Counter(reasons.values())

    async def _take_page(self, page: Page) -> None:
        places: dict[str, Place] = {}
        for some in _portions([claim.subject for claim in page.lines]):
            places |= await self._places.read(some)
        wrong = {claim.subject: found for claim in page.lines if (found := _astray(claim, places[claim.subject]))}
        wrong |= await self._ghosts(page, {claim.subject for claim in page.lines})
        seen = await server_seconds(self._database)  # places were read before the end of this second
        low = {"$gt": f"{page.source}|{page.after}", "$lte": f"{page.source}|{page.upto or HIGHEST}"}
        known = {row["_id"]: row for row in await self._astray.find({"_id": low})}
        full = await self._astray.count({"source": page.source}, limit=MOST) >= MOST
        changes: list[Any] = [DeleteOne({"_id": name}) for name in known if name.partition("|")[2] not in wrong]
        for subject, found in wrong.items():
            name = f"{page.source}|{subject}"
            if name in known or not full:
                row = _row(page, subject, found, known.get(name), seen, self._later)
                changes.append(ReplaceOne({"_id": name}, row, upsert=True))
        if changes:
            await self._astray.bulk_write(changes)
        if not page.upto:
            mark = {"_id": f"round|{page.source}"}
            await self._marks.update_one(mark, {"$set": {"done": instant(page.at)}}, upsert=True)

    async def _ghosts(self, page: Page, stated: set[str]) -> dict[str, Document]:
        """Places of aggregates that the owner does not have. Ids begin with the name of their type."""
        named_so = [source for source in self._sources if source.endswith(f".{page.aggregate}")]
        low, high = max(page.after, f"{page.aggregate}_"), page.upto or f"{page.aggregate}_{HIGHEST}"
        if len(named_so) > 1 or low > high:
            return {}
        wanted = {"_id": {"$gt": self._places.id_of(low), "$lte": self._places.id_of(high)}, "seq": {"$gt": 0}}
        found: dict[str, Document] = {}
        for row in await self._places_raw.find(wanted, {"seq": 1}, limit=MOST_GHOSTS):
            subject = row["_id"].partition("|")[2]
            if subject not in stated:
                found[subject] = {"kind": "beyond", "seq": 0, "place": row["seq"]}
        return found

    async def _look_at_astray(self) -> None:
        """What a round found behind may have come since; what an open hour counts already is not counted twice."""
        rows = await self._astray.find({"kind": "behind"}, sort=[("at", 1)], limit=OPEN_SUBJECTS)
        changes: list[Any] = []
        for some in _portions(rows):
            places = await self._places.read(row["subject"] for row in some)
            counted = await self._counted(some)
            for row in some:
                place = places[row["subject"]].seq
                alone = (row["source"], row["subject"]) not in counted
                if place >= row["seq"]:
                    changes.append(DeleteOne({"_id": row["_id"]}))
                else:
                    own = row | {"place": place, "counts": row["seq"] - place if alone else 0, "at": datetime.now(UTC)}
                    changes.append(ReplaceOne({"_id": row["_id"]}, own))
        if changes:
            await self._astray.bulk_write(changes)

    async def _counted(self, rows: Sequence[Document]) -> set[tuple[str, str]]:
        subjects = [row["subject"] for row in rows]
        within = {"source": {"$in": sorted({row["source"] for row in rows})}, "behind.subject": {"$in": subjects}}
        found = await self._compared.aggregate(
            [
                {"$match": within},
                {"$unwind": "$behind"},
                {"$match": {"behind.subject": {"$in": subjects}}},
                {"$group": {"_id": {"source": "$source", "subject": "$behind.subject"}}},
            ]
        )
        return {(each["_id"]["source"], each["_id"]["subject"]) for each in found}


def lacking(line: Line, place: Place) -> int:
    """How many of a line's events have not been applied. Another event in the place of the last one is one."""
    if place.seq < line.last:
        return line.last - max(place.seq, line.first - 1)
    return int(place.seq == line.last and place.last_id not in ("", line.event))


def _astray(claim: Claim, place: Place) -> Document | None:
    """What is wrong with a place that was read after the history; None when nothing is."""
    if place.seq < claim.settled:
        return {"kind": "behind", "seq": claim.settled, "place": place.seq}
    if place.seq > claim.version:
        return {"kind": "beyond", "seq": claim.version, "place": place.seq}
    if place.seq == claim.version and place.last_id not in ("", claim.event):
        return {"kind": "other", "seq": claim.version, "place": place.seq}
    return None


def _row(page: Page, subject: str, found: Document, before: Document | None, seen: int, later: int) -> Document:
    """A place beyond a history may be newer than what was stated: it is certain once a later reading lacks it too."""
    row = found | {"source": page.source, "subject": subject, "seen": seen, "at": datetime.now(UTC), "certain": True}
    row["counts"] = found["seq"] - found["place"] if found["kind"] == "behind" else 0
    if found["kind"] == "beyond":
        same = before is not None and before["kind"] == "beyond" and before["place"] > found["seq"]
        if same and before is not None:
            row["place"], row["seen"] = before["place"], before["seen"]
        row["certain"] = same and page.at > row["seen"] + later
    return row


def _told(verdict: Verdict) -> Document:
    return {
        "unapplied": verdict.unapplied,
        "parked": verdict.parked,
        "behind": [line._asdict() for line in verdict.behind],
        "at": datetime.now(UTC),
    }


def _portions(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
