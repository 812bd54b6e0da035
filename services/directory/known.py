"""What must be there once: a household behind a door, a person of a number. By keyed hashes, over the whole district:
that it is taken elsewhere is told, where and by whom is not."""

from typing import TYPE_CHECKING

from services.chassis.errors import Conflict
from services.chassis.personal.lookups import NUMBER
from services.directory.domain.persons import Identity
from services.directory.sealed import DOOR, Hands

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime


async def refuse_taken_door(runtime: "Runtime", door: str, own: str) -> None:
    """Raise Conflict when another open household has this door (its keyed hash)."""
    taken = {f"keys.{DOOR}": door, "state.status": "active", "_id": {"$ne": own}}
    if await runtime.database.collection("household").find_one(taken, {"_id": 1}):
        raise Conflict("door-taken", field="door")


async def refuse_known_number(runtime: "Runtime", hands: Hands, identity: Identity, own: str) -> None:
    """Raise Conflict when another open file has this number."""
    if identity.number is None:
        return
    number = hands.hashed(NUMBER, identity.number)
    known = {f"keys.{NUMBER}": number, "state.status": "active", "_id": {"$ne": own}}
    if await runtime.database.collection("resident").find_one(known, {"_id": 1}):
        raise Conflict("resident-number-known", field="identity.number")
