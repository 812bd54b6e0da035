"""An import goes on: one portion at a time, each asked for by the event of the one before."""

from typing import TYPE_CHECKING

from services.directory.domain.imports import Import
from services.directory.intake.apply_households import apply_households
from services.directory.intake.apply_units import apply_units
from services.directory.intake.outcome import Steps
from services.directory.intake.portions import Portions
from services.kernel.events import Refused

if TYPE_CHECKING:
    from services.chassis.consuming.reactions import Doing

IMPORT = "import"
APPLY = {"units": apply_units, "households": apply_households}


async def run_portion(do: "Doing", portion: int) -> None:
    """Apply one portion, count it, remove it. Repeats take no second effect; nothing is done for one already counted.

    Raises Refused("portion-missing") when rows that are not counted yet are gone, which a restored backup can cause.
    """
    import_id, runtime = do.envelope.subject, do.runtime
    state: Import = (await runtime.histories[IMPORT].get(import_id, scope=None)).state
    kept = Portions(runtime)
    if state.next != portion or state.status == "done":
        await kept.remove(import_id, portion)
        return
    records = await kept.records(import_id, portion)
    if records is None:
        raise Refused("portion-missing")
    outcome = await APPLY[state.kind](runtime, records, Steps(import_id, do.context(), state.unit))
    rows = sum(max(1, len(record.get("members", ()))) for record in records)
    await do.change(IMPORT, import_id, outcome.advance(portion, rows))
    await kept.remove(import_id, portion)
