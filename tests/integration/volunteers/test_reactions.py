"""What volunteers does when events arrive, as often as they arrive."""

from typing import Any

import pytest

from services.chassis.runtime import Runtime
from tests.integration.volunteers.conftest import Callers, Desk, Town, decide, registered, requested

WANTED = {"order": "order_1", "line": "maintenance", "mode": "dispatch", "unit": "unit_g1", "must": True}


def wanted(town: Town, seq: int = 1, **changes: Any) -> Any:
    return town.foreign("case_1", seq, "order_requested", **(WANTED | changes))


@pytest.fixture
async def asleep(bare: Runtime) -> Town:
    """A town whose districts have decided nothing yet."""
    town = Town(bare)
    await town.rounds.start()
    return town


async def test_a_concern_of_a_district_without_rules_waits_parked_until_they_are_set(
    asleep: Town, coordinator: Desk
) -> None:
    await asleep.hears(wanted(asleep))
    (parked,) = await asleep.parked()
    assert (parked["reason"], parked["code"]) == ("early", "parameter-not-set")
    await decide(asleep.runtime)
    assert await asleep.rounds.replay(parked["_id"]) == "applied"
    await asleep.settle()
    assert (await coordinator.sees("/orders/order_1"))["case"] == "case_1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"line": "dancing"}, "line-unknown"),
        ({"mode": "by_name"}, "volunteer-not-named"),
        ({"mode": "activity_day"}, "activity-day-and-mode"),
        ({"mode": "activity_day", "on": "2020-01-01"}, "order-past"),
    ],
)
async def test_what_cannot_become_an_order_is_parked_with_its_reason(
    town: Town, coordinator: Desk, changes: dict[str, Any], code: str
) -> None:
    await town.hears(wanted(town, **changes))
    (parked,) = await town.parked()
    assert (parked["reason"], parked["code"]) == ("refused", code)
    assert (await coordinator.get("/orders/order_1")).status_code == 404


async def test_a_unit_that_is_not_known_yet_is_waited_for(town: Town) -> None:
    await town.hears(wanted(town, unit="unit_new"))
    (parked,) = await town.parked()
    assert (parked["reason"], parked["code"]) == ("early", "unit-unknown")


@pytest.mark.mechanism("VOL-03")
async def test_a_concern_becomes_an_order_of_the_id_it_named_and_the_best_is_asked(
    town: Town, coordinator: Desk
) -> None:
    ann = await registered(coordinator)
    await town.hears(wanted(town, resident="resident_1"))
    order = await coordinator.sees("/orders/order_1")
    assert (order["case"], order["resident"], order["unit"]) == ("case_1", "resident_1", "unit_g1")
    assert (order["stage"], order["volunteer"]) == ("offered", ann)
    assert [item["id"] for item in (await coordinator.sees("/orders?case=case_1"))["items"]] == ["order_1"]
    stored = await town.runtime.histories["order"].get("order_1", scope=None)
    assert stored.history[0]["cause"] == "case_1-1"


async def test_however_often_an_event_arrives_it_takes_effect_once(town: Town, coordinator: Desk) -> None:
    await registered(coordinator)
    await town.hears(wanted(town), wanted(town))
    await town.hears(wanted(town))
    await town.database.collection("places").delete_many({})  # the worker ended before it had kept its place
    await town.hears(wanted(town))
    assert await town.events("order", "order_1") == ["requested", "matched", "offered"]
    await town.everything_again()
    assert await town.events("order", "order_1") == ["requested", "matched", "offered"]
    assert await town.parked() == []


async def test_another_concern_cannot_take_an_order_that_is_anothers(town: Town, coordinator: Desk) -> None:
    await town.hears(wanted(town))
    await town.hears(town.foreign("case_2", 1, "order_requested", **WANTED))
    (parked,) = await town.parked()
    assert (parked["subject"], parked["code"]) == ("case_2", "already-exists")
    assert (await coordinator.sees("/orders/order_1"))["case"] == "case_1"


async def test_a_waived_order_is_cancelled_unless_the_deed_is_done(town: Town, coordinator: Desk) -> None:
    ann = await registered(coordinator)
    await town.hears(wanted(town), wanted(town, 2, order="order_2"))
    await coordinator.does("/orders/order_2/accept", {"volunteer": ann})
    await coordinator.does("/orders/order_2/done", {"volunteer": ann, "minutes": 20})
    for seq, order in ((3, "order_1"), (4, "order_2")):
        await town.hears(town.foreign("case_1", seq, "order_waived", order=order, reason="done-otherwise", by="usr_x"))
    assert (await coordinator.sees("/orders/order_1"))["stage"] == "cancelled"
    assert (await coordinator.sees("/orders/order_2"))["stage"] == "done"
    assert await town.parked() == []


@pytest.mark.mechanism("VOL-05", "LAW-32")
async def test_confirmed_minutes_are_booked_once_however_often_it_is_heard(
    town: Town, coordinator: Desk, as_: Callers
) -> None:
    ann = await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    await coordinator.does(f"/orders/{order}/accept", {"volunteer": ann})
    await coordinator.does(f"/orders/{order}/done", {"volunteer": ann, "minutes": 45})
    await town.settle()
    assert (await coordinator.sees("/hours"))["items"] == []  # not before it is confirmed
    await coordinator.does(f"/orders/{order}/confirm")
    await town.settle()
    await town.everything_again()
    await town.database.collection("places").delete_many({})
    await town.everything_again()
    items = (await coordinator.sees("/hours"))["items"]
    booked = [(item["volunteer"], item["order"], item["total"], item["line"]) for item in items]
    assert booked == [(ann, order, 45, "maintenance")]
    assert items[0]["entries"] == [{"minutes": 45, "reversed": False}]
    assert await town.parked() == []


async def test_each_reaction_writes_one_aggregate(town: Town, coordinator: Desk) -> None:
    """The link between order and hours is the confirmed event, which stands as the cause of what was booked."""
    ann = await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    await coordinator.does(f"/orders/{order}/accept", {"volunteer": ann})
    await coordinator.does(f"/orders/{order}/done", {"volunteer": ann, "minutes": 45})
    confirmed = await coordinator.does(f"/orders/{order}/confirm")
    before = await town.database.collection("hours").count({})
    await town.settle()
    assert before == 0
    document = await town.database.collection("hours").find_one({})
    entries = await town.runtime.histories["order"].entries(order, scope=None)
    assert document is not None
    assert document["history"][0]["cause"] == entries[confirmed["seq"] - 1]["id"]
