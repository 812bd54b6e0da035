"""What the directory does when its own events come round: imports go on, residents follow, coverings end."""

from dataclasses import replace

from services.chassis.consuming.reactions import Doing, Reactions
from services.chassis.context import Context
from services.chassis.contracts.wire import Reader
from services.chassis.storage.queries import Scoped
from services.directory.domain import residents, units
from services.directory.intake.running import run_portion
from services.directory.tree import UNIT, today

REACTIONS = Reactions("directory")


class ImportAccepted(Reader):
    """``linli.directory.import.accepted.v1``."""

    portions: int


class ImportAdvanced(Reader):
    """``linli.directory.import.advanced.v1``."""

    portion: int


class HouseholdMoved(Reader):
    """``linli.directory.household.moved.v1``."""

    building: str


class UnitMoved(Reader):
    """``linli.directory.unit.moved.v1``."""

    parent: str


@REACTIONS.on("linli.directory.import.accepted.v1")
async def begin_import(event: ImportAccepted, do: Doing) -> None:
    """The first portion."""
    await run_portion(do, 0)


@REACTIONS.on("linli.directory.import.advanced.v1")
async def go_on_with_import(event: ImportAdvanced, do: Doing) -> None:
    """The next portion; after the last there is nothing to do."""
    stored = await do.runtime.histories["import"].get(do.envelope.subject, scope=None)
    if event.portion + 1 < stored.state.portions:
        await run_portion(do, event.portion + 1)


@REACTIONS.on("linli.directory.household.moved.v1")
async def residents_follow(event: HouseholdMoved, do: Doing) -> None:
    """Everybody of a household that moved lives where it lives now."""
    home = await do.runtime.histories["household"].get(do.envelope.subject, scope=None)
    wanted = {"state.household": home.id, "state.status": "active"}
    members = await Scoped.on(do.runtime.database, "resident").find(home.scope[0], wanted, fields=("_id",))
    for member in members:
        move = residents.Move(home.id, home.unit)
        await do.runtime.histories["resident"].change(member["_id"], move, _named(do.context(), member["_id"]))


@REACTIONS.on("linli.directory.unit.moved.v1")
async def foreign_coverings_end(event: UnitMoved, do: Doing) -> None:
    """What moved to another community lies in the grids of the old one no more."""
    runtime = do.runtime
    for unit in await runtime.units.subtree(do.envelope.subject):
        view = await runtime.units.get(unit)
        community = await runtime.units.parent_of_kind(unit, "community")
        for layer, grid in view.covers.items():
            if community in (await runtime.units.get(grid)).path:
                continue
            scope = tuple(one for one in view.scope if one != grid)
            command = units.Uncover(layer, scope, today(view, do.runtime.clock.now()))
            await runtime.histories[UNIT].change(unit, command, _named(do.context(), f"{unit}|{layer}"))


def _named(context: Context, record: str) -> Context:
    """One of several commands of a reaction, named for its record: the same at a repeat, in whatever order."""
    return replace(context, operation=f"{context.operation}|{record}")
