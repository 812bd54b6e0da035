"""A portion of units becomes units: what is not there is registered, what differs is changed."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

from services.directory.domain import units as domain
from services.directory.intake.outcome import Outcome, Steps, each
from services.directory.tree import UNIT, cover_command, today, tree_of

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime
    from services.chassis.storage.driver import Document


async def apply_units(runtime: "Runtime", records: list[dict[str, Any]], steps: Steps) -> Outcome:
    """Superiors before those below them; those of one rank at once."""
    outcome = Outcome()
    ids = [record["id"] for record in records]
    rows = await runtime.database.collection(UNIT).find({"_id": {"$in": ids}}, {"state": 1})
    known = {row["_id"]: row["state"] for row in rows}

    async def apply(record: dict[str, Any]) -> None:
        outcome.count(await _applied(runtime, record, known.get(record["id"]), steps))

    for _, same in groupby(records, key=lambda record: record["rank"]):
        await each(same, apply, outcome)
    return outcome


def differences(record: dict[str, Any], state: "Document | None") -> list[str]:
    """The steps that make the register agree with a row; empty when it does."""
    if state is None:
        return ["register", *(f"cover|{grid}" for grid in record["grids"])]
    steps = ["rename"] if state["name"] != record["name"] else []
    steps += ["move"] if state["parent"] != record["parent"] else []
    if record["kind"] == "grid" and sorted(record["capabilities"]) != sorted(state["capabilities"]):
        steps.append("equip")
    return steps + [f"cover|{grid}" for grid in record["grids"] if grid not in state["grids"]]


async def _applied(runtime: "Runtime", record: dict[str, Any], state: "Document | None", steps: Steps) -> str:
    wanted = differences(record, state)
    for step in wanted:
        await _take(runtime, record, step, steps)
    return ("created" if state is None else "changed") if wanted else "unchanged"


async def _take(runtime: "Runtime", record: dict[str, Any], step: str, steps: Steps) -> None:
    history, unit = tree_of(runtime), record["id"]
    context = steps.of(unit, step)
    parent = await runtime.units.get(record["parent"])
    day = today(parent, context.at)
    if step == "register":
        facts = await history.facts(parent, scope=None)
        await history.register(_registration(record, facts, day), parent, context)
        return
    here = await runtime.units.get(unit)
    command: Any
    if step == "rename":
        command = domain.Rename(record["name"], day)
    elif step == "move":
        facts = await history.facts(parent, scope=None)
        command = domain.Move(facts, await history.facts(here, scope=None), day)
    elif step == "equip":
        command = domain.Equip(tuple(record["capabilities"]))
    else:
        grid = await runtime.units.get(step.partition("|")[2])
        command = await cover_command(history, here, grid, day)
    await history.change(unit, command, context)


def _registration(record: dict[str, Any], parent: domain.UnitFacts, day: Any) -> domain.Register:
    return domain.Register(
        id=record["id"],
        kind=record["kind"],
        name=record["name"],
        since=day,
        parent=parent,
        code=record["code"],
        level=record["level"],
        layer=record["layer"],
        capabilities=tuple(record["capabilities"]),
    )
