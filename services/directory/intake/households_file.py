"""Checks a file of households as a whole: one row for each person, rows of one door are one household."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.chassis.files.spreadsheets import Row
from services.directory.domain.persons import birth_of, checked_number
from services.directory.intake.faults import Faults
from services.directory.intake.units_file import KnownUnit
from services.kernel.events import Refused

DWELLINGS = ("compound", "building", "entrance")
OF_PERSON = (
    "name", "relation", "sex", "number", "birth", "registered_address", "phone", "consent", "consent_on", "markers",
)  # fmt: skip
IDENTITY_KEYS = ("name", "relation", "sex", "number", "birth", "registered_address")


@dataclass
class HouseholdRecord:
    """One household with its persons, as it lies in a portion: plain values, days as text."""

    row: int
    building: str
    door: str
    tenure: str
    until: str | None
    members: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows of the file it stands for."""
        return max(1, len(self.members))

    def stored(self) -> dict[str, Any]:
        """As it lies in a portion."""
        return dict(vars(self))


def references(rows: Sequence[Row]) -> set[str]:
    """Everything by which the rows name buildings."""
    return {row.values["building"] for row in rows}


class HouseholdsFile:
    """One file; ``today`` is the day in the district."""

    def __init__(
        self, rows: Sequence[Row], known: Mapping[str, KnownUnit], today: date, faults: Faults
    ) -> None:
        self._rows, self._known, self._today, self._faults = rows, known, today, faults
        self._homes: dict[tuple[str, str], HouseholdRecord] = {}
        self._numbers: dict[str, int] = {}
        self._persons: dict[tuple[str, ...], int] = {}

    def checked(self) -> list[HouseholdRecord]:
        """The households in the order of the file. Look at the faults afterwards."""
        for row in self._rows:
            home = self._home(row)
            if home is not None and any(row.values[key] for key in OF_PERSON):
                home.members.append(self._member(row, home))
        return list(self._homes.values())

    def _home(self, row: Row) -> HouseholdRecord | None:
        values = row.values
        building = self._known.get(values["building"])
        if building is None:
            self._faults.add(row.number, "building", "unit-not-found")
            return None
        if building.kind not in DWELLINGS:
            self._faults.add(row.number, "building", "not-a-dwelling")
        if building.closed:
            self._faults.add(row.number, "building", "unit-closed")
        until = values["until"].isoformat() if values["until"] else None
        if until and values["tenure"] == "permanent":
            self._faults.add(row.number, "until", "tenancy-of-permanent-household")
        fresh = HouseholdRecord(row.number, building.id, values["door"], values["tenure"], until)
        home = self._homes.setdefault((building.id, values["door"].casefold()), fresh)
        if (home.tenure, home.until) != (values["tenure"], until):
            self._faults.add(row.number, "tenure", "household-differs", other=home.row)
        return home

    def _member(self, row: Row, home: HouseholdRecord) -> dict[str, Any]:
        values = dict(row.values)
        if not values["name"]:
            self._faults.add(row.number, "name", "name-missing")
        values["number"] = self._number(row, values)
        self._refuse_twice(row, values, home)
        if values["consent"] and not values["consent_on"]:
            self._faults.add(row.number, "consent", "consent-undated")
        self._check_markers(row, values)
        identity = {key: _plain(values[key]) for key in IDENTITY_KEYS if values[key]}
        member: dict[str, Any] = {"row": row.number, "identity": identity}
        if values["phone"]:
            contact = {"phone": values["phone"], "consent": bool(values["consent"])}
            if values["consent"]:
                contact["consent_on"] = _plain(values["consent_on"])
            member["contacts"] = [contact]
        if values["markers"]:
            since, source = _plain(values["marker_since"]), values["marker_source"]
            member["markers"] = [{"code": code, "source": source, "since": since} for code in values["markers"]]
        return member

    def _number(self, row: Row, values: Mapping[str, Any]) -> str | None:
        if not values["number"]:
            return None
        try:
            number = checked_number(values["number"])
        except Refused as error:
            self._faults.add(row.number, "number", error.code)
            return None
        if values["birth"] and values["birth"] != birth_of(number):
            self._faults.add(row.number, "birth", "birth-differs")
        return number

    def _refuse_twice(self, row: Row, values: Mapping[str, Any], home: HouseholdRecord) -> None:
        if values["number"]:
            first = self._numbers.setdefault(values["number"], row.number)
            if first != row.number:
                self._faults.add(row.number, "number", "number-twice", other=first)
            return
        person = (home.building, home.door.casefold(), values["name"] or "", str(values["birth"] or ""))
        first = self._persons.setdefault(person, row.number)
        if first != row.number:
            self._faults.add(row.number, "name", "person-twice", other=first)

    def _check_markers(self, row: Row, values: Mapping[str, Any]) -> None:
        if not values["markers"]:
            return
        if not values["marker_source"] or not values["marker_since"]:
            self._faults.add(row.number, "markers", "marker-incomplete")
        elif values["marker_since"] > self._today:
            self._faults.add(row.number, "marker_since", "marker-in-future")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
