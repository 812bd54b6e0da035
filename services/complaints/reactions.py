"""What complaints does when events arrive.

When a party closes, merges or moves: a worker who leaves is *replaced* by the unit; a unit that moves makes its
concerns *re-decide* who stands above them; a merged or closed resident, a closed unit and a visit are *kept* as ids,
which resolve for ever.
"""

from datetime import date

from services.chassis.consuming.reactions import Doing, Reactions
from services.chassis.errors import NotFound
from services.complaints.domain.commands import EndOrder, Move, OrderEnd, PartyEnded
from services.complaints.importing import CASE, IMPORT, apply_portion
from services.complaints.places import ladder_of
from services.complaints.queries import ANSWERABLE, HANDLER
from services.complaints.readers import ImportGoesOn, OrderOver, OrderTurnedDown, StaffEnded, UnitMoved
from services.complaints.rulebook import rules_for

REACTIONS = Reactions("complaints")
ORDER, OWN_IMPORT = "linli.volunteers.order", "linli.complaints.import"


@REACTIONS.on(f"{ORDER}.confirmed.v1")
async def order_confirmed(event: OrderOver, do: Doing) -> None:
    """The resident confirmed the deed: the concern may have its outcome."""
    await _ended(do, event.case, "confirmed")


@REACTIONS.on(f"{ORDER}.cancelled.v1")
async def order_cancelled(event: OrderOver, do: Doing) -> None:
    """The order is not wanted any more and blocks nothing."""
    await _ended(do, event.case, "cancelled")


@REACTIONS.on(f"{ORDER}.declined.v1")
async def order_declined(event: OrderTurnedDown, do: Doing) -> None:
    """Only when nobody else is left to ask."""
    await _ended(do, event.case if event.last else None, "declined")


@REACTIONS.on(f"{ORDER}.expired.v1")
async def order_expired(event: OrderTurnedDown, do: Doing) -> None:
    """Only when nobody else is left to ask."""
    await _ended(do, event.case if event.last else None, "expired")


async def _ended(do: Doing, case: str | None, how: OrderEnd) -> None:
    """An order without a concern, or of one that is not ours, is passed over."""
    if case is None:
        return
    try:
        await do.change(CASE, case, EndOrder(do.envelope.subject, how))
    except NotFound:
        return


@REACTIONS.on("linli.directory.staff.ended.v1")
async def staff_ended(event: StaffEnded, do: Doing) -> None:
    """A worker has left a unit: the unit stands in wherever the worker answered or handled for it."""
    units = set((await do.runtime.units.get(event.unit)).path)
    held = {"$or": [{HANDLER: event.person}, {ANSWERABLE: event.person}], "state.work": {"$ne": "closed"}}
    fields = {"state.custody": 1}
    async for found in do.collection(CASE).iterate(held, fields):
        parties = (found["state"]["custody"]["handler"], found["state"]["custody"]["answerable"])
        if any(one["id"] == event.person and one["unit"] in units for one in parties):
            await do.change(CASE, found["_id"], PartyEnded(event.person, "staff-ended"))


@REACTIONS.on("linli.directory.unit.moved.v1")
async def unit_moved(event: UnitMoved, do: Doing) -> None:
    """Other units stand above the concerns of a unit that moved. The chassis has taken the move over before this."""
    moved = do.envelope.subject
    fields = {"unit": 1, "state.opened_on": 1}
    async for found in do.collection(CASE).iterate({"scope": moved, "state.work": {"$in": ["open", "done"]}}, fields):
        unit = found["unit"]
        rules = await rules_for(do.runtime, unit, date.fromisoformat(found["state"]["opened_on"]))
        view = (await do.runtime.units.get_many([unit]))[unit]
        await do.change(CASE, found["_id"], Move(ladder_of(view, rules)))


@REACTIONS.on(f"{OWN_IMPORT}.accepted.v1")
async def import_accepted(event: ImportGoesOn, do: Doing) -> None:
    """The first portion."""
    await apply_portion(do.runtime, do.envelope.subject, 0, do.context())


@REACTIONS.on(f"{OWN_IMPORT}.advanced.v1")
async def import_advanced(event: ImportGoesOn, do: Doing) -> None:
    """The portion after the one that was counted, if there is one."""
    stored = await do.runtime.histories[IMPORT].get(do.envelope.subject, scope=None)
    if event.portion + 1 < stored.state.portions:
        await apply_portion(do.runtime, do.envelope.subject, event.portion + 1, do.context())
