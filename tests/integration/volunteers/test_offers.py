"""Orders as the volunteer sees them: only the own ones, what is to be done only after acceptance."""

from datetime import timedelta

import pytest

from tests.integration.volunteers.conftest import ADDRESS, NAME, Callers, Desk, Town, registered, requested

DAY = timedelta(days=1)


@pytest.fixture
def ann(as_: Callers) -> Desk:
    return as_("volunteer", "unit_g1", "usr_ann")


@pytest.fixture
def bea(as_: Callers) -> Desk:
    return as_("volunteer", "unit_g2", "usr_bea")


async def offered(coordinator: Desk, town: Town) -> str:
    """Ann, who lives in the grid, is asked; Bea would be next."""
    await registered(coordinator, "usr_ann")
    await registered(coordinator, "usr_bea", unit="unit_g2")
    return str((await requested(coordinator, town))["aggregate"])


async def test_an_account_that_is_no_volunteer_has_no_offers(ann: Desk, town: Town) -> None:
    answer = await ann.get("/offers")
    assert (answer.status_code, answer.json()["code"]) == (404, "account-not-a-volunteer")


async def test_a_volunteer_finds_no_order_of_another(coordinator: Desk, bea: Desk, town: Town) -> None:
    order = await offered(coordinator, town)
    assert (await bea.sees("/offers"))["items"] == []
    for path, body in (("accept", None), ("decline", {"reason": "busy"}), ("done", {"minutes": 5})):
        assert (await bea.post(f"/offers/{order}/{path}", body)).status_code == 404
    assert (await bea.get(f"/offers/{order}/task")).status_code == 404


async def test_what_is_to_be_done_is_told_after_acceptance_and_the_read_recorded(
    coordinator: Desk, ann: Desk, as_: Callers, town: Town
) -> None:
    order = await offered(coordinator, town)
    answer = await ann.get(f"/offers/{order}/task")
    assert (answer.status_code, answer.json()["code"]) == (409, "task-after-acceptance")
    await ann.does(f"/offers/{order}/accept")
    assert (await ann.sees(f"/offers/{order}/task"))["place"] == ADDRESS
    accesses = await as_("data-officer", "unit_d1").sees(f"/accesses?record={order}")
    assert accesses["items"][0]["by"] == "usr_ann"


async def test_an_offer_shows_neither_the_resident_nor_who_else_was_asked(
    coordinator: Desk, ann: Desk, bea: Desk, town: Town
) -> None:
    order = await offered(coordinator, town)
    await ann.does(f"/offers/{order}/decline", {"reason": "too-far"})
    await town.settle()
    assert (await ann.sees("/offers"))["items"] == []
    (item,) = (await bea.sees("/offers"))["items"]
    assert (item["id"], item["stage"], item["due"][0]["name"]) == (order, "offered", "answer")
    assert not {"resident", "case", "asked", "candidates", "named", "volunteer"} & item.keys()


@pytest.mark.mechanism("VOL-03")
async def test_a_volunteer_of_another_grid_accepts_and_serves_an_order_outside_the_own_one(
    coordinator: Desk, ann: Desk, bea: Desk, town: Town
) -> None:
    order = await offered(coordinator, town)
    await ann.does(f"/offers/{order}/decline", {"reason": "busy"})
    await town.settle()
    await bea.does(f"/offers/{order}/accept")
    refused = await bea.post(f"/offers/{order}/done", {"minutes": 0})
    assert (refused.status_code, refused.json()["code"]) == (422, "minutes-out-of-range")
    await bea.does(f"/offers/{order}/done", {"minutes": 40})
    await coordinator.does(f"/orders/{order}/confirm")
    await town.settle()
    own = await bea.sees("/me/hours")
    assert (own["minutes"], own["by_line"], len(own["items"])) == (40, {"maintenance": 40}, 1)


@pytest.mark.mechanism("VOL-03")
async def test_an_activity_day_is_seen_by_those_of_its_line_nearby_and_taken_by_the_first(
    coordinator: Desk, ann: Desk, bea: Desk, as_: Callers, town: Town
) -> None:
    await registered(coordinator, "usr_ann")
    await registered(coordinator, "usr_bea", unit="unit_g2")
    await registered(coordinator, "usr_other", skills={"lines": ["job_services"]})
    await registered(as_("volunteer-coordinator", "unit_c2"), "usr_far", unit="unit_g3")
    other, far = as_("volunteer", "unit_g1", "usr_other"), as_("volunteer", "unit_g3", "usr_far")
    on = (town.runtime.clock.now() + 3 * DAY).date().isoformat()
    order = (await requested(coordinator, town, mode="activity_day", on=on))["aggregate"]
    assert (await coordinator.sees(f"/orders/{order}"))["stage"] == "requested"
    for desk, seen in ((ann, 1), (bea, 1), (other, 0), (far, 0)):
        assert len((await desk.sees("/offers"))["items"]) == seen
    for desk in (other, far):
        answer = await desk.post(f"/offers/{order}/accept")
        assert (answer.status_code, answer.json()["code"]) == (409, "volunteer-unfit")
    await bea.does(f"/offers/{order}/accept")
    assert (await ann.post(f"/offers/{order}/accept")).status_code == 409
    early = await bea.post(f"/offers/{order}/done", {"minutes": 120})
    assert (early.status_code, early.json()["code"]) == (409, "not-begun")
    await town.pass_time(3 * DAY)
    await bea.does(f"/offers/{order}/done", {"minutes": 120})


@pytest.mark.mechanism("VOL-03")
async def test_an_activity_day_that_nobody_takes_is_unfilled_when_it_is_over(coordinator: Desk, town: Town) -> None:
    on = (town.runtime.clock.now() + DAY).date().isoformat()
    order = (await requested(coordinator, town, mode="activity_day", on=on))["aggregate"]
    refused = await coordinator.post(f"/orders/{order}/match")
    assert (refused.status_code, refused.json()["code"]) == (409, "activity-day-is-open")
    await town.pass_time(3 * DAY)
    assert (await coordinator.sees(f"/orders/{order}"))["stage"] == "unfilled"


async def test_an_order_without_words_says_so_until_somebody_writes_them(
    coordinator: Desk, ann: Desk, town: Town
) -> None:
    await registered(coordinator, "usr_ann")
    wanted = town.foreign("case_1", 1, "order_requested", order="order_1", line="maintenance", mode="dispatch",
                          unit="unit_g1", resident="resident_1", must=True)  # fmt: skip
    await town.hears(wanted)
    await ann.does("/offers/order_1/accept")
    assert (await ann.sees("/offers"))["items"][0]["described"] is False
    assert (await ann.get("/offers/order_1/task")).json()["code"] == "personal-data-absent"
    await coordinator.does("/orders/order_1/task", {"task": f"帮{NAME}修水管"})
    assert (await ann.sees("/offers/order_1/task")) == {"task": f"帮{NAME}修水管"}
