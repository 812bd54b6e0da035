"""Markers: special categories of persons, each a dated fact with its source.

A marker is added when it begins to hold and ended when it has stopped; both are facts of today or earlier, never
announcements, so that who is counted today is who holds one today.
"""

from collections.abc import Sequence
from datetime import date

from services.directory.domain.persons import Marker
from services.kernel.events import Refused
from services.kernel.register import Entry, EntryKind, Fact, FactKind, ceased, stated

CODES: dict[str, tuple[str, str]] = {
    "disabled": ("残疾人", "disabled"),
    "elderlyAlone": ("孤寡老人", "old person without family"),
    "emptyNestElder": ("空巢老人", "old person whose children live elsewhere"),
    "incomingPerson": ("外来人口", "person from outside"),
    "ruralMigrantWorker": ("进城务工人员", "rural worker in town"),
    "hardship": ("困难群众", "in economic difficulty"),
    "specialHardship": ("特困人员", "in special difficulty"),
    "lowIncome": ("低保", "receives the minimum living allowance"),
    "borderline": ("低保边缘", "just above the limit of the allowance"),
    "unemployed": ("失业人员", "unemployed"),
    "veteran": ("退役军人", "veteran"),
    "orphan": ("孤儿", "orphan"),
    "partyMember": ("党员", "party member"),
}
MARKER = "marker"
FILE = EntryKind(name="resident", facts=(FactKind(name=MARKER, single=False),))

Markers = tuple[Marker, ...]


def checked(markers: Sequence[Marker], today: date) -> Markers:
    """The markers as they may be kept. Refused: ``marker-unknown``, ``marker-in-future``, ``fact-known``."""
    held: Markers = ()
    for marker in markers:
        held = added(held, marker, today)
    return held


def added(markers: Sequence[Marker], marker: Marker, today: date) -> Markers:
    """With one more marker. Refused as ``checked``."""
    if marker.code not in CODES:
        raise Refused("marker-unknown", "markers", allowed=list(CODES))
    if marker.since > today or (marker.until is not None and marker.until > today):
        raise Refused("marker-in-future", "markers")
    return _markers(stated(_entry(markers), FILE, _fact(marker)))


def ended(markers: Sequence[Marker], code: str, on: date, today: date) -> Markers:
    """With the marker of that code ended: it no longer holds from ``on`` on.

    Refused: ``marker-in-future``, ``fact-not-there`` also for the day on which it began.
    """
    if on > today:
        raise Refused("marker-in-future", "on")
    return _markers(ceased(_entry(markers), MARKER, code, on))


def holds(markers: Sequence[Marker], code: str, day: date) -> bool:
    """Whether a marker of that code holds on that day."""
    return any(marker.code == code and marker.holds(day) for marker in markers)


def _entry(markers: Sequence[Marker]) -> Entry:
    facts = tuple(_fact(marker) for marker in markers)
    return Entry(id="resident", kind=FILE.name, district="here", facts=facts)


def _fact(marker: Marker) -> Fact:
    return Fact(name=MARKER, value=marker.code, start=marker.since, end=marker.until, source=marker.source)


def _markers(entry: Entry) -> Markers:
    return tuple(
        Marker(code=fact.value, source=fact.source, since=fact.start, until=fact.end) for fact in entry.facts
    )
