"""The tree at work: units become known the moment they are written, not when their event comes round.

Other services learn of a unit by event. The directory is where units are written, so it hands its own events to its
own copy of the tree at once; the event that comes round later changes nothing any more.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from services.chassis.context import Context
from services.chassis.districts.units import Units, UnitView
from services.chassis.errors import Conflict, Invalid, NotFound
from services.chassis.storage.history import History, Written
from services.directory.domain import units as domain
from services.kernel.values import day_at

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

UNIT = "unit"
MEANWHILE = "Asia/Shanghai"  # of a city above all districts, which has no zone of its own


class Arriving:
    """The tree as the history of units needs it: with the units that are being registered this moment."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._scopes: dict[str, list[str]] = {}

    async def scope_of(self, unit: str) -> list[str]:
        """As ``Units.scope_of``."""
        arriving = self._scopes.get(unit)
        return list(arriving) if arriving is not None else await self._units.scope_of(unit)

    def expect(self, unit: str, scope: Sequence[str]) -> None:
        """From here on the unit will lie in this scope."""
        self._scopes[unit] = list(scope)

    def forget(self, unit: str) -> None:
        """It has been written, or not."""
        self._scopes.pop(unit, None)


class UnitHistory(History[domain.Unit]):
    """The histories of units. What it writes, this process' copy of the tree knows at once."""

    def __init__(self, runtime: "Runtime") -> None:
        self._tree = runtime.units
        self._arriving = Arriving(runtime.units)
        aggregate = runtime.histories[UNIT].aggregate
        super().__init__(aggregate, runtime.database, self._arriving, runtime.sealing)  # type: ignore[arg-type]

    async def register(self, command: domain.Register, parent: UnitView | None, context: Context) -> Written:
        """A new unit."""
        in_district = parent is not None and domain.ROOTS[1] in parent.kinds
        scope = [*parent.scope, command.id] if parent is not None and in_district else [command.id]
        self._arriving.expect(command.id, scope)
        try:
            written = await self.create(command.id, command.id, command, context)
        finally:
            self._arriving.forget(command.id)
        return await self._tell(written)

    async def change(
        self, aggregate_id: str, command: Any, context: Context, *, if_version: int | None = None
    ) -> Written:
        """As ``History.change``."""
        return await self._tell(await super().change(aggregate_id, command, context, if_version=if_version))

    async def facts(self, view: UnitView, *, scope: str | None) -> domain.UnitFacts:
        """What decisions ask of a unit; for a grid with its level and layer. Raises NotFound."""
        level = layer = None
        if view.kind == "grid":
            state = (await self.get(view.id, scope=scope)).state
            level, layer = state.level, state.layer
        return domain.UnitFacts(view.id, view.kind, view.path, view.kinds, view.closed, level, layer)

    async def _tell(self, written: Written) -> Written:
        first = written.seq - len(written.events) + 1
        for ordinal, (name, data) in enumerate(written.events):
            await self._tree.apply(written.id, first + ordinal, name, data)
        return written


def tree_of(runtime: "Runtime") -> UnitHistory:
    """The history of units of this process, as ``prepare`` has put it in place."""
    history = runtime.histories[UNIT]
    assert isinstance(history, UnitHistory)
    return history


async def cover_command(history: UnitHistory, view: UnitView, grid: UnitView, since: date) -> domain.CoverBy:
    """The command by which a grid covers a unit, with the scope that follows."""
    facts = await history.facts(grid, scope=None)  # unscoped: the route has looked
    here = await history.facts(view, scope=None)  # unscoped: the route has looked
    layer = domain.layer_of(facts.layer, facts.level) if facts.layer and facts.level else ""
    gone = view.covers.get(layer)
    kept = [one for one in view.scope if one != gone and one != grid.id]
    return domain.CoverBy(facts, here, (*kept, grid.id), since)


async def seen(runtime: "Runtime", unit: str, scope: str, field: str = "unit") -> UnitView:
    """A unit that a caller of ``scope`` may name. Raises Invalid("unit-unknown"), the same for what lies elsewhere."""
    view = await runtime.units.get(unit)
    if scope not in view.scope:
        raise Invalid("unit-unknown", field=field)
    return view


async def found(runtime: "Runtime", unit: str, scope: str) -> UnitView:
    """A unit named in a path. Raises NotFound, the same for what lies elsewhere."""
    try:
        return await seen(runtime, unit, scope)
    except Invalid:
        raise NotFound() from None


async def open_unit(runtime: "Runtime", unit: str, scope: str, field: str = "unit") -> UnitView:
    """As ``seen``, for a unit that takes something new. Raises Conflict("unit-closed") as well."""
    view = await seen(runtime, unit, scope, field)
    if view.closed:
        raise Conflict("unit-closed", field=field)
    return view


def zone_of(view: UnitView) -> str:
    """The time zone of a unit."""
    return view.zone or MEANWHILE


def today(view: UnitView, now: datetime) -> date:
    """The calendar day at the unit."""
    return day_at(now, zone_of(view))
