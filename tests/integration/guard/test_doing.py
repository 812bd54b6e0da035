"""What a reaction does through ``Doing``: caused by the event, once however often the event is taken."""

from typing import Any

from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.records import Stored
from services.chassis.consuming.rounds import Rounds
from services.chassis.contracts.wire import Record
from services.chassis.storage.history import id_for
from tests.integration.guard.conftest import Source, Town, eventually
from tests.integration.guard.sample import SERVICE

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_what_is_created_waits_for_its_unit_and_is_created_once(town: Town) -> None:
    rounds = Rounds(town.runtime, reactions_of(SERVICE))
    await rounds.start()
    event = stored(town.source.record("thing_a", 1, how="echo", trace=TRACE))
    await rounds.take([event])
    (row,) = await town.parked()
    assert (row["reason"], row["code"]) == ("early", "unit-unknown")

    await rounds.take([unit(town.source, "unit_0", "district", None), unit(town.source, "unit_1", "street", "unit_0")])
    await eventually(lambda: replayed(rounds, row["_id"]))
    await town.database.collection("places").delete_many({})  # as if the process had ended before it wrote them
    await rounds.take([event])

    (echo,) = await town.database.collection("echo").find({})
    assert echo["_id"] == id_for("echo", "thing_a-1|sample.note|0")
    assert (echo["version"], echo["state"]["heard"]) == (2, 2)
    assert {entry["cause"] for entry in echo["history"]} == {"thing_a-1"}
    assert {entry["by"] for entry in echo["history"]} == {"service:sample"}
    assert {entry["trace"][:35] for entry in echo["history"]} == {TRACE[:35]}
    assert TRACE not in {entry["trace"] for entry in echo["history"]}


async def replayed(rounds: Rounds, row: str) -> bool:
    return await rounds.replay(row) in ("applied", "absent")


def unit(source: Source, subject: str, kind: str, parent: str | None) -> Stored:
    path = [parent, subject] if parent else [subject]
    data: dict[str, Any] = {"kind": kind, "name": kind, "parent": parent, "path": path, "zone": "Asia/Shanghai"}
    record = source.record(subject, 1, type="unit.registered.v1", data=data, service="directory")
    return stored(record)


def stored(record: Record) -> Stored:
    return Stored("topic", 0, 1, record.key, record.value, record.headers)
