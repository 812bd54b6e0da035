"""Orders over HTTP and the worker's part in them: matched by grid, skill, load and time; one asked after the other."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.runtime import Runtime
from tests.integration.volunteers.conftest import (
    ADDRESS,
    NAME,
    PHONE,
    Callers,
    Desk,
    Town,
    decide,
    deed,
    registered,
    requested,
)

DAY = timedelta(days=1)
NURSING = {"lines": ["medical_care"], "trained": ["medical_care"]}


async def stage(desk: Desk, order: str) -> tuple[str, str | None]:
    shown = await desk.sees(f"/orders/{order}")
    return shown["stage"], shown["volunteer"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"line": "dancing"}, "line-unknown"),
        ({"mode": "by_name"}, "volunteer-not-named"),
        ({"mode": "by_name", "volunteer": "volunteer_nobody"}, "volunteer-unknown"),
        ({"mode": "activity_day"}, "activity-day-and-mode"),
        ({"mode": "activity_day", "on": "2020-01-01"}, "order-past"),
        ({"start": "2020-01-01T08:00:00Z", "end": "2020-01-01T09:00:00Z"}, "order-past"),
        ({"start": "2020-01-01T08:00:00"}, "input-invalid"),
        ({"task": {"task": ""}}, "input-invalid"),
        ({"unit": "unit_c2"}, "unit-unknown"),
    ],
)
@pytest.mark.mechanism("VOL-03")
async def test_what_cannot_be_asked_for(coordinator: Desk, town: Town, changes: dict[str, Any], code: str) -> None:
    answer = await coordinator.post("/orders", deed(**changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert ADDRESS not in answer.text


async def test_a_district_that_has_not_set_its_limits_is_asked_for_nothing(coordinator: Desk, bare: Runtime) -> None:
    answer = await coordinator.post("/orders", deed())
    assert (answer.status_code, answer.json()["code"]) == (409, "parameter-not-set")


@pytest.mark.mechanism("VOL-03")
async def test_when_nobody_can_be_asked_the_order_is_unfilled_and_listed_as_such(coordinator: Desk, town: Town) -> None:
    order = (await requested(coordinator, town))["aggregate"]
    assert await stage(coordinator, order) == ("unfilled", None)
    listed = await coordinator.get("/orders?stage=unfilled")
    assert [item["id"] for item in listed.json()["items"]] == [order]
    assert (await coordinator.sees("/orders?stage=requested"))["items"] == []
    assert ADDRESS not in listed.text


@pytest.mark.mechanism("VOL-36")
async def test_the_grid_comes_first_then_the_community_and_nobody_beyond_the_radius(
    coordinator: Desk, as_: Callers, town: Town
) -> None:
    near = await registered(coordinator, availability={"consent": True, "capacity": 1})
    far = await registered(coordinator, unit="unit_g2", availability={"consent": True, "capacity": 50})
    await registered(as_("volunteer-coordinator", "unit_c2"), unit="unit_g3")
    order = (await requested(coordinator, town, unit="unit_b1"))["aggregate"]  # a building that the grid covers
    assert await stage(coordinator, order) == ("offered", near)
    await coordinator.does(f"/orders/{order}/decline", {"volunteer": near, "reason": "busy"})
    await town.settle()
    assert await stage(coordinator, order) == ("offered", far)
    await coordinator.does(f"/orders/{order}/decline", {"volunteer": far, "reason": "busy"})
    await town.settle()
    assert await stage(coordinator, order) == ("unfilled", None)


@pytest.mark.mechanism("LAW-38", "VOL-04")
async def test_skilled_work_goes_to_the_trained_only(coordinator: Desk, town: Town) -> None:
    untrained = await registered(coordinator, skills={"lines": ["medical_care"]})
    order = (await requested(coordinator, town, line="medical_care"))["aggregate"]
    assert (await stage(coordinator, order))[0] == "unfilled"
    ranking = await coordinator.sees(f"/orders/{order}/candidates")
    assert ranking["passed_over"] == [{"id": untrained, "reasons": ["skill-untrained"]}]
    trained = await registered(coordinator, unit="unit_g2", skills=NURSING)
    order = (await requested(coordinator, town, line="medical_care"))["aggregate"]
    assert await stage(coordinator, order) == ("offered", trained)
    await coordinator.does(f"/volunteers/{trained}/skills", {"lines": ["medical_care"]})
    refused = await coordinator.post(f"/orders/{order}/accept", {"volunteer": trained})
    assert (refused.status_code, refused.json()["code"]) == (409, "volunteer-unfit")


@pytest.mark.mechanism("VOL-03")
async def test_who_has_orders_already_is_asked_after_who_is_free_and_not_at_all_when_full(
    coordinator: Desk, town: Town
) -> None:
    once = {"consent": True, "capacity": 1}
    ann = await registered(coordinator, availability=once)
    bea = await registered(coordinator, availability=once)
    first, second, third = [(await requested(coordinator, town))["aggregate"] for _ in range(3)]
    assert {(await stage(coordinator, order))[1] for order in (first, second)} == {ann, bea}
    assert (await stage(coordinator, third))[0] == "unfilled"


@pytest.mark.mechanism("VOL-13")
async def test_an_in_service_member_is_asked_for_a_free_evening_and_not_for_office_hours(
    coordinator: Desk, town: Town
) -> None:
    week = [{"weekday": day, "start": 0, "end": 1440} for day in range(1, 8)]
    ann = await registered(coordinator, availability={"consent": True, "after_hours": True, "windows": week})
    now = town.runtime.clock.now()
    tuesday = (now + timedelta(days=(1 - now.weekday()) % 7 + 7)).replace(hour=2, minute=0, second=0, microsecond=0)
    at_work = {"start": tuesday.isoformat(), "end": (tuesday + timedelta(hours=1)).isoformat()}
    evening = tuesday + timedelta(hours=10)  # 20:00 in Shanghai
    free = {"start": evening.isoformat(), "end": (evening + timedelta(hours=1)).isoformat()}
    order = (await requested(coordinator, town, **at_work))["aggregate"]
    assert (await stage(coordinator, order))[0] == "unfilled"
    order = (await requested(coordinator, town, **free))["aggregate"]
    assert await stage(coordinator, order) == ("offered", ann)


async def test_nobody_is_sent_to_himself(coordinator: Desk, town: Town) -> None:
    await registered(coordinator, person={"name": NAME, "phone": PHONE, "resident": "resident_1"})
    order = (await requested(coordinator, town, resident="resident_1"))["aggregate"]
    assert (await stage(coordinator, order))[0] == "unfilled"
    ranking = await coordinator.sees(f"/orders/{order}/candidates")
    assert ranking["passed_over"][0]["reasons"] == ["is-the-asker"]


@pytest.mark.mechanism("VOL-03")
async def test_a_named_order_finds_its_volunteer_in_another_grid_and_goes_to_nobody_else(
    coordinator: Desk, as_: Callers, town: Town
) -> None:
    await registered(coordinator)
    elsewhere = await registered(as_("volunteer-coordinator", "unit_c2"), unit="unit_g3")
    order = (await requested(coordinator, town, mode="by_name", volunteer=elsewhere))["aggregate"]
    assert await stage(coordinator, order) == ("offered", elsewhere)
    await town.pass_time(DAY)
    assert await stage(coordinator, order) == ("unfilled", None)
    assert await town.events("order", order) == ["requested", "described", "matched", "offered", "expired"]


@pytest.mark.mechanism("VOL-03")
async def test_whoever_lets_the_time_pass_makes_room_for_the_next(coordinator: Desk, town: Town) -> None:
    ann = await registered(coordinator, availability={"consent": True, "capacity": 5})
    bea = await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    assert await stage(coordinator, order) == ("offered", ann)
    await town.pass_time(DAY)
    assert await stage(coordinator, order) == ("offered", bea)
    refused = await coordinator.post(f"/orders/{order}/accept", {"volunteer": ann})
    assert (refused.status_code, refused.json()["code"]) == (409, "offer-not-yours")
    await town.pass_time(DAY)
    assert await stage(coordinator, order) == ("unfilled", None)
    assert (await town.events("order", order)).count("expired") == 3  # Ann, Bea, and nobody left


async def test_who_withdraws_after_accepting_is_replaced(coordinator: Desk, town: Town) -> None:
    ann = await registered(coordinator, availability={"consent": True, "capacity": 5})
    bea = await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    await coordinator.does(f"/orders/{order}/accept", {"volunteer": ann})
    await coordinator.does(f"/orders/{order}/decline", {"volunteer": ann, "reason": "unwell"})
    await town.settle()
    assert await stage(coordinator, order) == ("offered", bea)


@pytest.mark.parametrize("leaving", ["close", "consent"])
@pytest.mark.mechanism("LAW-36")
async def test_who_leaves_or_withdraws_consent_holds_no_offer_and_no_order(
    coordinator: Desk, as_: Callers, town: Town, leaving: str
) -> None:
    ann = await registered(coordinator, "usr_ann", availability={"consent": True, "capacity": 5})
    bea = await registered(coordinator)
    offer, taken, finished = [(await requested(coordinator, town))["aggregate"] for _ in range(3)]
    for order in (taken, finished):
        await coordinator.does(f"/orders/{order}/accept", {"volunteer": ann})
    await coordinator.does(f"/orders/{finished}/done", {"volunteer": ann, "minutes": 30})
    if leaving == "close":
        await coordinator.does(f"/volunteers/{ann}/close", {"reason": "asked"})
    else:
        await as_("volunteer", "unit_g1", "usr_ann").does("/me/availability", {"consent": False})
    await town.settle()
    assert await stage(coordinator, offer) == await stage(coordinator, taken) == ("offered", bea)
    assert await stage(coordinator, finished) == ("done", ann)
    refused = await coordinator.post("/orders", deed(mode="by_name", volunteer=ann))
    await town.settle()
    assert await stage(coordinator, refused.json()["aggregate"]) == ("unfilled", None)


async def test_an_offer_that_reached_who_had_just_left_cannot_be_accepted(coordinator: Desk, town: Town) -> None:
    ann = await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    await coordinator.does(f"/volunteers/{ann}/close", {"reason": "asked"})  # and our worker has not heard of it yet
    refused = await coordinator.post(f"/orders/{order}/accept", {"volunteer": ann})
    assert (refused.status_code, refused.json()["code"]) == (409, "volunteer-unfit")
    await town.settle()
    assert await stage(coordinator, order) == ("unfilled", None)


async def test_nobody_is_taken_for_an_activity_day_whom_the_district_does_not_know(
    coordinator: Desk, neighbour: Desk, town: Town
) -> None:
    abroad = await registered(neighbour, unit="unit_g9")
    on = (town.runtime.clock.now() + 3 * DAY).date().isoformat()
    order = (await requested(coordinator, town, mode="activity_day", on=on))["aggregate"]
    for stranger in (abroad, "volunteer_nobody"):
        answer = await coordinator.post(f"/orders/{order}/accept", {"volunteer": stranger})
        assert (answer.status_code, answer.json()["code"]) == (409, "volunteer-unfit")
    own = await registered(coordinator)
    await coordinator.does(f"/orders/{order}/accept", {"volunteer": own})


async def test_a_deed_that_is_late_is_listed_and_goes_on(coordinator: Desk, town: Town) -> None:
    ann = await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    await coordinator.does(f"/orders/{order}/accept", {"volunteer": ann})
    await town.pass_time(9 * DAY)
    assert [item["id"] for item in (await coordinator.sees("/orders?late=true"))["items"]] == [order]
    await coordinator.does(f"/orders/{order}/done", {"volunteer": ann, "minutes": 30})


async def test_orders_are_listed_newest_first_and_found_by_line_and_volunteer(coordinator: Desk, town: Town) -> None:
    ann = await registered(coordinator, skills={"lines": ["maintenance", "hardship_help"]})
    orders = [(await requested(coordinator, town))["aggregate"] for _ in range(3)]
    other = (await requested(coordinator, town, line="hardship_help"))["aggregate"]
    listed = [item["id"] for item in (await coordinator.sees("/orders"))["items"]]
    assert listed == [other, *reversed(orders)]
    assert [item["id"] for item in (await coordinator.sees("/orders?line=hardship_help"))["items"]] == [other]
    first = await coordinator.sees("/orders?limit=2")
    rest = await coordinator.sees(f"/orders?limit=2&cursor={first['next']}")
    assert [item["id"] for item in first["items"] + rest["items"]] == listed
    assert len((await coordinator.sees(f"/orders?volunteer={ann}"))["items"]) == 2  # as many as Ann takes


async def test_cancelling_needs_a_reason_of_the_list_and_ends_the_order(coordinator: Desk, town: Town) -> None:
    await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    assert (await coordinator.post(f"/orders/{order}/cancel", {"reason": "张三说不用了"})).status_code == 422
    await coordinator.does(f"/orders/{order}/cancel", {"reason": "not-needed", "note": "张三说不用了"})
    assert (await stage(coordinator, order))[0] == "cancelled"
    again = await coordinator.post(f"/orders/{order}/cancel", {"reason": "not-needed"})
    assert again.status_code == 409


async def test_nobody_vouches_for_a_deed_of_his_own(coordinator: Desk, as_: Callers, town: Town) -> None:
    """A community worker who is a volunteer too serves an order and would confirm it himself."""
    both = as_("community-worker", "unit_c1", "usr_both", also=("volunteer",))
    await registered(coordinator, "usr_both")
    order = (await requested(coordinator, town))["aggregate"]
    await both.does(f"/offers/{order}/accept")
    assert (await both.get(f"/orders/{order}/code")).json()["code"] == "own-deed"
    await both.does(f"/offers/{order}/done", {"minutes": 60})
    for step in ("confirm", "redo"):
        answer = await both.post(f"/orders/{order}/{step}")
        assert (answer.status_code, answer.json()["code"]) == (409, "own-deed")
    await coordinator.does(f"/orders/{order}/confirm")


async def test_the_task_is_read_with_a_purpose_and_erased_when_the_order_is_over(
    coordinator: Desk, as_: Callers, anyone: Desk, town: Town
) -> None:
    officer = as_("data-officer", "unit_d1")
    await registered(coordinator)
    made = await requested(coordinator, town)
    order, code = made["aggregate"], made["code"]
    assert (await coordinator.get(f"/orders/{order}/task")).status_code == 422
    assert (await coordinator.sees(f"/orders/{order}/task?because=联系居民"))["place"] == ADDRESS
    assert (await officer.post(f"/orders/{order}/erase")).json()["code"] == "order-not-over"
    await coordinator.does(f"/orders/{order}/cancel", {"reason": "mistaken", "note": "居民出院"})
    assert (await anyone.sees(f"/public/orders/{code}"))["stage"] == "cancelled"
    await officer.does(f"/orders/{order}/erase")
    assert (await coordinator.get(f"/orders/{order}/task?because=联系居民")).status_code == 404
    assert (await anyone.get(f"/public/orders/{code}")).status_code == 404
    document = await town.database.collection("order").find_one({"_id": order})
    assert document is not None and (document["sealed"], document["keys"]) == ({}, {})
    assert not any(entry.get("private") for entry in document["history"])


async def test_rules_that_are_set_later_let_a_waiting_order_be_matched_by_hand(coordinator: Desk, town: Town) -> None:
    ann = await registered(coordinator)
    await decide(town.runtime, seq=2, matching={"near": 1})
    order = (await coordinator.post("/orders", deed())).json()
    assert order["code"] == "policy-unsound"
    await decide(town.runtime, seq=3)
    made = await coordinator.does("/orders", deed())
    await coordinator.does(f"/orders/{made['aggregate']}/match")
    assert await stage(coordinator, made["aggregate"]) == ("offered", ann)
    again = await coordinator.post(f"/orders/{made['aggregate']}/match")
    assert (again.status_code, again.json()["code"]) == (409, "offer-open")


async def test_the_history_tells_each_step_and_no_task(coordinator: Desk, town: Town) -> None:
    await registered(coordinator)
    order = (await requested(coordinator, town))["aggregate"]
    history = (await coordinator.get(f"/orders/{order}/history")).json()["items"]
    assert [entry["type"].split(".")[1] for entry in history] == ["requested", "described", "matched", "offered"]
    assert [entry["by"] for entry in history][::3] == ["usr_volunteer-coordinator-unit_c1", "service:volunteers"]
    assert history[1]["sealed"] == ["task"]
