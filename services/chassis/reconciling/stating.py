"""What a service says of its own histories: each closed hour once, and all aggregates in turn.

Every closed hour is read from the histories, looked for in the topics, stated to the consumers and kept in the
collection ``stated``: ``{_id: "case|<hour>", aggregate, since, until, events, published, missing, lost, open, at}``.
``missing`` names the first of the events that the topic lacks, ``lost`` counts all. Runs in a thread; whatever it was
doing when it ends is done again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import uuid_utils

from services.chassis.reconciling.held import Found, Key, find, kept_seconds
from services.chassis.reconciling.hours import Hours, instant
from services.chassis.reconciling.log import SLACK, Offsets
from services.chassis.reconciling.statements import LINES, Claim, Line, Page, Part, Speaking, speaking
from services.chassis.reconciling.stored import MARKS, STATED
from services.chassis.reconciling.written import SHARE, Blocking, Entry, Share, count, page, written
from services.chassis.settings import Settings

HOURS_AT_ONCE = 24  # read together when many have closed: each aggregate is then read once for all
ROUND = 2000  # aggregates of each type in one turn of the round
NAMED = 1000  # missing events kept by name for one hour
KEPT = timedelta(days=90)  # results of hours in which nothing is open
Lines = dict[str, list[Entry]]  # by aggregate


class Interrupted(Exception):
    """The lease is lost or the process stops: the next holder begins this hour again."""


class Turn(NamedTuple):
    """The work on one aggregate type: its topic, the second at which it began, and where statements go."""

    service: str
    aggregate: str
    topic: str
    now: int
    speaker: Speaking


@dataclass
class Tally:
    """One hour while its shares are being read. ``expired``: older than the topic keeps its records."""

    hour: int
    expired: bool
    events: int = 0
    published: int = 0
    missing: list[dict[str, Any]] = field(default_factory=list)
    parts: int = 0
    pending: tuple[Line, ...] = ()

    @property
    def lost(self) -> int:
        """Events that the topic does not hold though it should."""
        return 0 if self.expired else self.events - self.published

    def add(self, lines: Lines, found: Mapping[Key, Any]) -> None:
        """Count a share of the hour's entries and what the topic holds of them."""
        for subject, entries in lines.items():
            self.events += len(entries)
            for entry in entries if not self.expired else ():
                if (subject, entry.seq) in found:
                    self.published += 1
                elif len(self.missing) < NAMED:
                    self.missing.append({"subject": subject, "seq": entry.seq, "event": entry.id, "type": entry.type})


class Stating:
    """States what one service's histories hold. Calls block and raise KafkaError and PyMongoError."""

    def __init__(
        self, settings: Settings, aggregates: Iterable[str], database: Blocking, hours: Hours, go_on: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._aggregates = tuple(aggregates)
        self._database = database
        self._stated, self._marks = database[STATED], database[MARKS]
        self._hours = hours
        self._go_on = go_on

    def once(self, now: int) -> None:
        """State every hour that is closed at the second ``now``, look again for what was missing, go on with the round.

        Raises Interrupted.
        """
        if not self._aggregates:
            return
        service = self._settings.service
        with speaking(self._settings) as speaker:
            for name in self._aggregates:
                turn = Turn(service, name, self._settings.topic(service, name), now, speaker)
                self._state_closed(turn)
                self._look_again(turn)
                self._go_round(turn)
        self._stated.delete_many({"open": False, "until": {"$lt": instant(now) - KEPT}})

    def _require(self) -> None:
        if not self._go_on():
            raise Interrupted

    def _state_closed(self, turn: Turn) -> None:
        closed = self._hours.closed(turn.now)
        mark = self._mark(turn)
        while mark < closed:
            until = min(closed, mark + HOURS_AT_ONCE * self._hours.length)
            self._state(turn, mark, until)
            self._marks.update_one({"_id": f"stated|{turn.aggregate}"}, {"$set": {"until": until}})
            mark = until

    def _mark(self, turn: Turn) -> int:
        """Up to where hours have been stated; at the very first time the beginning of the present hour."""
        name = f"stated|{turn.aggregate}"
        self._marks.update_one({"_id": name}, {"$setOnInsert": {"until": self._hours.of(turn.now)}}, upsert=True)
        mark = self._marks.find_one({"_id": name})
        assert mark is not None
        return int(mark["until"])

    def _state(self, turn: Turn, since: int, until: int) -> None:
        """The hours from ``since`` to ``until``: read, look for in the topic, say, keep."""
        oldest = self._oldest(turn)
        tallies = {hour: Tally(hour, hour < oldest) for hour in self._hours.between(since, until)}
        run, read_to = str(uuid_utils.uuid7()), dict[int, int]()
        shares = 1 + count(self._database, turn.aggregate, since) // SHARE
        for number in range(shares):
            by_hour = self._read(turn, since, until, Share(number, shares))
            looked = {hour: lines for hour, lines in by_hour.items() if not tallies[hour].expired}
            found = self._find(turn, looked)
            read_to = read_to or found.read_to
            for hour, lines in by_hour.items():
                tallies[hour].add(lines, found.at)
                self._say(turn, run, tallies[hour], lines)
        for tally in tallies.values():
            self._close(turn, run, tally, read_to)

    def _oldest(self, turn: Turn) -> int:
        """The second before which the topic has dropped its records by their age."""
        kept = kept_seconds(self._settings, turn.topic)
        return turn.now - kept + SLACK if kept is not None else 0

    def _read(self, turn: Turn, since: int, until: int, share: Share) -> dict[int, Lines]:
        by_hour: dict[int, Lines] = {}
        for subject, entries in written(self._database, turn.aggregate, since, until, share):
            self._require()
            own: dict[int, list[Entry]] = {}
            for entry in entries:
                assert entry.second is not None
                own.setdefault(self._hours.of(entry.second), []).append(entry)
            for hour, part in own.items():
                by_hour.setdefault(hour, {})[subject] = part
        return by_hour

    def _find(self, turn: Turn, looked: Mapping[int, Lines]) -> Found:
        """Where the topic holds these entries. ``read_to`` tells from where the others may be looked for later."""
        wanted = {
            (subject, entry.seq): entry.id
            for lines in looked.values()
            for subject, entries in lines.items()
            for entry in entries
        }
        found = find(self._settings, turn.topic, wanted, since=min(looked, default=0), go_on=self._go_on)
        self._require()
        return found if len(found.at) < len(wanted) else Found(found.at)

    def _say(self, turn: Turn, run: str, tally: Tally, lines: Lines) -> None:
        """Hand the share's lines over; the newest portion is held back, since only the last part tells the totals."""
        told = [Line(subject, own[0].seq, own[-1].seq, own[-1].id) for subject, own in lines.items()]
        for start in range(0, len(told), LINES):
            if tally.pending:
                turn.speaker.say(self._part(turn, run, tally))
                tally.parts += 1
            tally.pending = tuple(told[start : start + LINES])

    def _part(self, turn: Turn, run: str, tally: Tally, **totals: Any) -> Part:
        return Part(
            service=turn.service,
            aggregate=turn.aggregate,
            run=run,
            at=turn.now,
            since=tally.hour,
            until=tally.hour + self._hours.length,
            part=tally.parts,
            lines=tally.pending,
            **totals,
        )

    def _close(self, turn: Turn, run: str, tally: Tally, read_to: Offsets) -> None:
        published = None if tally.expired else tally.published
        last = self._part(turn, run, tally, parts=tally.parts + 1, events=tally.events, published=published)
        turn.speaker.say(last)
        turn.speaker.wait()
        row = {
            "aggregate": turn.aggregate,
            "since": instant(last.since),
            "until": instant(last.until),
            "events": tally.events,
            "published": published,
            "missing": tally.missing,
            "lost": tally.lost,
            "read_to": _stored(read_to),
            "open": tally.lost > 0,
            "at": datetime.now(UTC),
        }
        self._stated.replace_one({"_id": f"{turn.aggregate}|{tally.hour}"}, row, upsert=True)

    def _look_again(self, turn: Turn) -> None:
        """Look for missing events in what the topic has got since.

        An hour is stated anew when all that were named have come, and when the topic cannot hold them any more.
        """
        rows = list(self._stated.find({"aggregate": turn.aggregate, "open": True}))
        if not rows:
            return
        wanted = {(each["subject"], each["seq"]): each["event"] for row in rows for each in row["missing"]}
        names = {name for row in rows for name in row["read_to"]}
        offsets = {int(name): min(row["read_to"].get(name, 0) for row in rows) for name in names}
        found = find(self._settings, turn.topic, wanted, offsets=offsets, go_on=self._go_on)
        self._require()
        oldest = self._oldest(turn)
        for row in rows:
            left = [each for each in row["missing"] if (each["subject"], each["seq"]) not in found.at]
            since = int(row["since"].timestamp())
            if left and since >= oldest:
                self._keep_open(row, left, found.read_to)
            else:
                self._state(turn, since, int(row["until"].timestamp()))

    def _keep_open(self, row: Mapping[str, Any], left: list[Any], read_to: Offsets) -> None:
        came = len(row["missing"]) - len(left)
        change = {
            "missing": left,
            "lost": row["lost"] - came,
            "published": row["published"] + came,
            "read_to": _stored(read_to),
            "at": datetime.now(UTC),
        }
        self._stated.update_one({"_id": row["_id"]}, {"$set": change})

    def _go_round(self, turn: Turn) -> None:
        """State the next aggregates by id, so that each is compared again and again, however old."""
        self._require()
        name = f"round|{turn.aggregate}"
        mark = self._marks.find_one({"_id": name}) or {"after": "", "seen": 0}
        found = page(self._database, turn.aggregate, mark["after"], ROUND)
        settled = turn.now - self._hours.grace
        lines = tuple(
            Claim(each.subject, each.version if each.changed < settled else 0, each.version, each.event)
            for each in found
        )
        upto = found[-1].subject if len(found) == ROUND else ""
        run = str(uuid_utils.uuid7())
        turn.speaker.say(
            Page(
                service=turn.service,
                aggregate=turn.aggregate,
                run=run,
                at=turn.now,
                after=mark["after"],
                upto=upto,
                lines=lines,
            )
        )
        turn.speaker.wait()
        seen = mark["seen"] + len(found)
        done = {"after": upto, "seen": seen} if upto else {"after": "", "seen": 0, "last": seen}
        self._marks.update_one({"_id": name}, {"$set": done}, upsert=True)


def _stored(offsets: Offsets) -> dict[str, int]:
    return {str(partition): offset for partition, offset in offsets.items()}
