"""Where a concern stands in the unit tree, and as whom a caller acts there."""

from typing import TYPE_CHECKING

from services.chassis.districts.units import UnitView
from services.chassis.errors import Invalid
from services.complaints.domain.rules import Rules
from services.kernel.case.custody import Party

if TYPE_CHECKING:
    from services.chassis.callers.access import Caller
    from services.chassis.runtime import Runtime

Ladder = tuple[tuple[str, str], ...]


def ladder_of(view: UnitView, rules: Rules) -> Ladder:
    """(level, unit) from the lowest to the highest level that lies above the unit or is it.

    Raises Invalid("unit-without-level") where the district's levels do not reach.
    """
    levels = rules.escalation.levels
    rungs = [(kind, unit) for unit, kind in zip(view.path, view.kinds, strict=True) if kind in levels]
    if not rungs:
        raise Invalid("unit-without-level", field="unit", kind=view.kind)
    return tuple(reversed(rungs))


async def party_of(runtime: "Runtime", caller: "Caller", rungs: tuple[str, ...]) -> Party:
    """The caller as a party, in the nearest unit above or at its own that stands on the ladder, else in its own."""
    return Party(id=caller.sub, unit=await rung_of(runtime, caller.unit, rungs))


async def rung_of(runtime: "Runtime", unit: str, rungs: tuple[str, ...]) -> str:
    """The rung at or above ``unit``; ``unit`` itself when there is none."""
    if unit in rungs:
        return unit
    view = await runtime.units.get(unit)
    return next((one for one in reversed(view.path) if one in rungs), unit)
