"""What marks a volunteer as a person: the directory owns it and is asked each time, with a purpose. Nothing is kept."""

from typing import TYPE_CHECKING, Any

from services.chassis.errors import NotFound
from services.chassis.storage.history import Stored
from services.kernel.events import Refused
from services.volunteers.domain.volunteer import RESIDENT, Volunteer

if TYPE_CHECKING:
    from services.chassis.callers.access import Caller
    from services.chassis.runtime import Runtime

DIRECTORY, PARTY = "directory", "partyMember"
BECAUSE = "volunteers: whether it is a party volunteer"  # the caller's own reason stands in the record here


async def party_of(runtime: "Runtime", caller: "Caller", stored: Stored[Volunteer], because: str) -> dict[str, Any]:
    """``party`` as it is ``on`` that day. Both records of the reading carry the same trace.

    The volunteer may live anywhere in the district. Refused: ``resident-not-linked``, ``resident-unknown``; raises
    Unavailable while the directory does not answer.
    """
    if not stored.keys.get(RESIDENT) or RESIDENT not in stored.sealed:
        raise Refused("resident-not-linked")
    link = await runtime.sealing.reveal(caller, stored, RESIDENT, because=because)
    path = f"/residents/{link['id']}/markers/{PARTY}"
    try:
        told = await runtime.peers.get(DIRECTORY, path, unit=stored.scope[0], params={"because": BECAUSE})
    except NotFound:
        raise Refused("resident-unknown") from None
    return {"party": told["holds"], "on": told["on"]}
