"""From what is known of a person to what is stored: one sealed blob for each purpose, and the hashes to find it by."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from services.chassis.personal.lookups import NAME, NUMBER, PHONE, TAIL, TEXT
from services.directory.domain.households import ADDRESS, Sealed
from services.directory.domain.persons import CONTACTS, IDENTITY, MARKERS, PURPOSES, Contact, Identity, Marker

if TYPE_CHECKING:
    from services.chassis.personal.sealing import Sealing

DOOR, ROW = "door", "row"


def row_of(purpose: str) -> str:
    """Under which the fingerprint of what an imported row said for a purpose is kept, and with it erased."""
    return f"{ROW}-{purpose}"


HOUSEHOLD_KEYS: dict[str, tuple[str, ...]] = {DOOR: (ADDRESS,), ROW: ()}  # a household's row tells nothing sealed
RESIDENT_KEYS: dict[str, tuple[str, ...]] = {
    NAME: (IDENTITY,),
    NUMBER: (IDENTITY,),
    PHONE: (CONTACTS,),
    TAIL: (CONTACTS,),
    MARKERS: (MARKERS,),
    **{row_of(purpose): (purpose,) for purpose in PURPOSES},
}
"""By what a household or a person is found, and with what that is erased."""


class Hands:
    """Seals nothing itself: it says what belongs to which purpose, for one district."""

    def __init__(self, sealing: "Sealing", district: str) -> None:
        self._sealing, self._district = sealing, district
        self._known: dict[tuple[str, str], str] = {}

    def hashed(self, kind: str, value: str) -> str:
        """The keyed hash of a value in this district; an import asks for the same ones several times."""
        known = self._known.get((kind, value))
        if known is None:
            known = self._known[kind, value] = self._sealing.lookup(self._district, kind, value)
        return known

    def door(self, building: str, door: str) -> Sealed:
        """A household's door."""
        return Sealed({ADDRESS: {"door": door}}, {DOOR: [self.door_key(building, door)]})

    def door_key(self, building: str, door: str) -> str:
        """By which the household behind a door is found."""
        return self.hashed(TEXT, f"{building}/{door}")

    def identity(self, identity: Identity) -> Sealed:
        """Who a person is; found by name and number."""
        keys = {NAME: [self.hashed(NAME, identity.name)]}
        keys[NUMBER] = [self.hashed(NUMBER, identity.number)] if identity.number else []
        return Sealed({IDENTITY: identity.model_dump(exclude_none=True)}, keys)

    def contacts(self, contacts: Sequence[Contact]) -> Sealed:
        """How to reach a person; found by the person's own telephone numbers and their tails."""
        own = sorted({contact.phone for contact in contacts if contact.of is None})
        listed = [contact.model_dump(exclude_none=True) for contact in contacts]
        keys = {
            PHONE: [self.hashed(PHONE, phone) for phone in own],
            TAIL: sorted({self.hashed(TAIL, phone[-4:]) for phone in own}),
        }
        return Sealed({CONTACTS: {"contacts": listed}}, keys)

    def markers(self, markers: Sequence[Marker]) -> Sealed:
        """What makes a person need care; counted by the hashes of those that hold."""
        listed = [marker.model_dump(exclude_none=True) for marker in markers]
        held = sorted({marker.code for marker in markers if marker.until is None})
        return Sealed({MARKERS: {"markers": listed}}, {MARKERS: [self.marker_key(code) for code in held]})

    def marker_key(self, code: str) -> str:
        """By which the bearers of a marker are counted."""
        return self.hashed(TEXT, f"marker/{code}")

    def row_key(self, *parts: str) -> str:
        """The fingerprint of what an imported row says: the same again changes nothing."""
        return self.hashed(TEXT, "row/" + "\x1f".join(parts))


def together(parts: Iterable[Sealed]) -> Sealed:
    """Several purposes beside one event."""
    private: dict[str, dict[str, object]] = {}
    keys: dict[str, list[str]] = {}
    for part in parts:
        private |= part.private
        keys |= part.keys
    return Sealed(private, keys)
