"""A portion of households and their persons becomes records: what is not there is made, what differs is changed.

Each record keeps fingerprints (keyed hashes) of what the file said of it, one for each purpose. A row that says the
same again changes nothing, also when a worker has corrected the record since; only a purpose of which the file now
says something else is written anew.
"""

from typing import TYPE_CHECKING, Any

from services.chassis.personal.lookups import NUMBER
from services.chassis.storage.history import id_for
from services.directory.domain import households, residents
from services.directory.domain.households import Sealed
from services.directory.domain.persons import CONTACTS, IDENTITY, MARKERS, Contact, Identity, Marker
from services.directory.intake.outcome import Outcome, Steps, each
from services.directory.sealed import DOOR, ROW, Hands, row_of, together
from services.directory.tree import zone_of

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime
    from services.chassis.storage.driver import Document

HOUSEHOLD, RESIDENT = "household", "resident"
SEEN = {"keys": 1, "state": 1}


class Portion:
    """One portion being compared and applied. ``steps`` is None for a dry run, which only counts."""

    def __init__(self, runtime: "Runtime", district: str, zone: str, steps: Steps | None) -> None:
        self._runtime, self._steps, self._zone = runtime, steps, zone
        self._district = district
        self._hands = Hands(runtime.sealing, district)
        self._homes: dict[str, Document] = {}  # by the hash of the door
        self._known: dict[str, Document] = {}  # residents by id
        self._numbered: dict[str, Document] = {}  # and by the hash of the number
        self._taken: set[str] = set()  # ids of households that live elsewhere or are closed
        self.outcome = Outcome()

    async def apply(self, records: list[dict[str, Any]]) -> Outcome:
        """Compare with what is there and write what differs."""
        await self._runtime.units.get_many(sorted({record["building"] for record in records}))  # known to all at once
        await self._look_up(records)
        await each(records, self._household, self.outcome)
        return self.outcome

    async def _look_up(self, records: list[dict[str, Any]]) -> None:
        doors = [self._hands.door_key(one["building"], one["door"]) for one in records]
        collection = self._runtime.database.collection(HOUSEHOLD)
        for home in await collection.find({f"keys.{DOOR}": {"$in": doors}, "state.status": "active"}, SEEN):
            self._homes[home["keys"][DOOR][0]] = home
        own = {"_id": {"$in": [self._household_id(door) for door in doors]}}
        self._taken = {row["_id"] for row in await collection.find(own, {"_id": 1})}
        members = [(one, member) for one in records for member in one["members"]]
        numbers = [self._number(member) for _, member in members if member["identity"].get("number")]
        ids = [self._resident_id(one, member) for one, member in members]
        people = self._runtime.database.collection(RESIDENT)
        for person in await people.find({"_id": {"$in": ids}}, SEEN):
            self._known[person["_id"]] = person
        for person in await people.find({f"keys.{NUMBER}": {"$in": numbers}, "state.status": "active"}, SEEN):
            self._numbered[person["keys"][NUMBER][0]] = person

    def _household_id(self, door: str) -> str:
        return id_for(HOUSEHOLD, f"door|{self._district}|{door}")

    def _number(self, member: dict[str, Any]) -> str:
        return self._hands.hashed(NUMBER, member["identity"]["number"])

    def _resident_id(self, record: dict[str, Any], member: dict[str, Any]) -> str:
        identity = member["identity"]
        if identity.get("number"):
            return id_for(RESIDENT, f"number|{self._district}|{self._number(member)}")
        person = self._hands.row_key(record["building"], record["door"], identity["name"], identity.get("birth", ""))
        return id_for(RESIDENT, f"person|{self._district}|{person}")

    async def _household(self, record: dict[str, Any]) -> None:
        door = self._hands.door_key(record["building"], record["door"])
        row = self._hands.row_key(record["tenure"], record["until"] or "", str(len(record["members"])))
        home = self._homes.get(door)
        if home is None:
            household = await self._register_household(record, door, row)
        else:
            household = home["_id"]
            await self._change_household(record, home, row)
        self.outcome.count("created" if home is None else "unchanged" if home["keys"].get(ROW) == [row] else "changed")
        await each(
            [{"row": member["row"], "home": record, "household": household, **member} for member in record["members"]],
            self._resident, self.outcome,
        )  # fmt: skip

    async def _register_household(self, record: dict[str, Any], door: str, row: str) -> str:
        household = self._household_id(door)
        if household in self._taken and self._steps is not None:
            household = id_for(HOUSEHOLD, f"{self._steps.import_id}|{door}")
        if self._steps is not None:
            sealed = together([self._hands.door(record["building"], record["door"]), Sealed(keys={ROW: [row]})])
            command = households.Register(
                building=record["building"],
                tenure=record["tenure"],
                size=len(record["members"]),
                zone=self._zone,
                until=record["until"],
                sealed=sealed,
            )
            history = self._runtime.histories[HOUSEHOLD]
            await history.create(household, record["building"], command, self._steps.of(household, "register"))
        return household

    async def _change_household(self, record: dict[str, Any], home: "Document", row: str) -> None:
        if home["keys"].get(ROW) == [row] or self._steps is None:
            return
        history, household = self._runtime.histories[HOUSEHOLD], home["_id"]
        tenure = households.ChangeTenure(record["tenure"], self._zone, record["until"])
        if (record["tenure"], record["until"]) != (home["state"]["tenure"], home["state"]["until"]):
            await history.change(household, tenure, self._steps.of(household, "tenure"))
        correct = households.Correct(len(record["members"]), Sealed(keys={ROW: [row]}))
        await history.change(household, correct, self._steps.of(household, "correct"))

    async def _resident(self, member: dict[str, Any]) -> None:
        parts, rows = self._parts(member)
        known = self._numbered.get(self._number(member)) if member["identity"].get("number") else None
        own = self._resident_id(member["home"], member)
        known = known or self._known.get(own)
        if known is None:
            await self._register_resident(own, member, parts, rows)
            self.outcome.count("created")
            return
        differing = [purpose for purpose in parts if known["keys"].get(row_of(purpose)) != [rows[purpose]]]
        moved = known["state"]["household"] != member["household"]
        self.outcome.count("changed" if differing or moved else "unchanged")
        if self._steps is not None:
            if moved:
                move = residents.Move(member["household"], member["home"]["building"])
                await self._change(known["_id"], move, "move")
            if differing:
                rows = {purpose: rows[purpose] for purpose in differing}
                await self._correct(known, {purpose: parts[purpose] for purpose in differing}, rows)

    def _parts(self, member: dict[str, Any]) -> tuple[dict[str, Sealed], dict[str, str]]:
        """What the row says for each purpose, and the fingerprint of that."""
        said: dict[str, Any] = {IDENTITY: member["identity"]}
        parts = {IDENTITY: self._hands.identity(Identity(**member["identity"]))}
        if "contacts" in member:
            said[CONTACTS] = member["contacts"]
            parts[CONTACTS] = self._hands.contacts([Contact(**one) for one in member["contacts"]])
        if "markers" in member:
            said[MARKERS] = member["markers"]
            parts[MARKERS] = self._hands.markers([Marker(**one) for one in member["markers"]])
        return parts, {purpose: self._hands.row_key(purpose, repr(said[purpose])) for purpose in parts}

    async def _register_resident(
        self, own: str, member: dict[str, Any], parts: dict[str, Sealed], rows: dict[str, str]
    ) -> None:
        if self._steps is None:
            return
        sealed = together([*parts.values(), _fingerprints(rows)])
        building = member["home"]["building"]
        command = residents.Register(member["household"], building, sealed)
        await self._runtime.histories[RESIDENT].create(own, building, command, self._steps.of(own, "register"))

    async def _correct(self, known: "Document", parts: dict[str, Sealed], rows: dict[str, str]) -> None:
        markers = parts.pop(MARKERS, None)
        if markers is not None:
            sealed = together([markers, _fingerprints({MARKERS: rows.pop(MARKERS)})])
            await self._change(known["_id"], residents.SetMarkers(sealed), "markers")
        if parts:
            sealed = together([*parts.values(), _fingerprints(rows)])
            await self._change(known["_id"], residents.Correct(sealed), "correct")

    async def _change(self, resident: str, command: Any, step: str) -> None:
        assert self._steps is not None
        await self._runtime.histories[RESIDENT].change(resident, command, self._steps.of(resident, step))


def _fingerprints(rows: dict[str, str]) -> Sealed:
    return Sealed(keys={row_of(purpose): [row] for purpose, row in rows.items()})


async def apply_households(runtime: "Runtime", records: list[dict[str, Any]], steps: Steps) -> Outcome:
    """Every household of a portion with its persons."""
    view = await runtime.units.get(steps.unit)
    return await Portion(runtime, view.scope[0], zone_of(view), steps).apply(records)


async def compare_households(runtime: "Runtime", records: list[dict[str, Any]], unit: str) -> Outcome:
    """What would become of them, without writing."""
    view = await runtime.units.get(unit)
    return await Portion(runtime, view.scope[0], zone_of(view), None).apply(records)
