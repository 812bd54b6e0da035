"""Markers: special categories of persons, each from a source and with its days.

A marker is added when it begins to hold and ended when it has stopped; both are facts of today or earlier, never
announcements, so that who is counted today is who holds one today.
"""

from collections.abc import Sequence
from datetime import date

from services.directory.domain.persons import Marker
from services.kernel.events import Refused

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
}

Markers = tuple[Marker, ...]


def checked(markers: Sequence[Marker], today: date) -> Markers:
    """The markers as they may be kept. Refused: ``marker-unknown``, ``marker-in-future``, ``marker-twice``."""
    held: set[str] = set()
    for marker in markers:
        if marker.code not in CODES:
            raise Refused("marker-unknown", "markers")
        if marker.since > today or (marker.until is not None and marker.until > today):
            raise Refused("marker-in-future", "markers")
        if marker.until is None:
            if marker.code in held:
                raise Refused("marker-twice", "markers", marker=marker.code)
            held.add(marker.code)
    return tuple(markers)


def added(markers: Sequence[Marker], marker: Marker, today: date) -> Markers:
    """With one more marker."""
    return checked((*markers, marker), today)


def ended(markers: Sequence[Marker], code: str, on: date, today: date) -> Markers:
    """With the open marker of that code ended. Refused: ``marker-not-held``, ``marker-in-future``, ``marker-empty``."""
    found = next((one for one in markers if one.code == code and one.until is None), None)
    if found is None:
        raise Refused("marker-not-held", "code")
    if on <= found.since:
        raise Refused("marker-empty", "until")
    closed = found.model_copy(update={"until": on})
    return checked([closed if one is found else one for one in markers], today)
