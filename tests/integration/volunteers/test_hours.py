"""Hours over HTTP: seen by their owner, questioned, corrected by a counter-entry, never by the owner."""

import pytest

from tests.integration.volunteers.conftest import NAME, Callers, Desk, Town, registered, requested


@pytest.fixture
def ann(as_: Callers) -> Desk:
    return as_("volunteer", "unit_g1", "usr_ann")


async def booked(coordinator: Desk, town: Town, minutes: int = 60) -> str:
    """Ann's deed of an hour."""
    if not (await coordinator.sees("/volunteers"))["items"]:
        await registered(coordinator, "usr_ann", availability={"consent": True, "capacity": 50})
    order = (await requested(coordinator, town))["aggregate"]
    volunteer = (await coordinator.sees(f"/orders/{order}"))["volunteer"]
    await coordinator.does(f"/orders/{order}/accept", {"volunteer": volunteer})
    await coordinator.does(f"/orders/{order}/done", {"volunteer": volunteer, "minutes": minutes})
    await coordinator.does(f"/orders/{order}/confirm")
    await town.settle()
    return str((await coordinator.sees(f"/hours?order={order}"))["items"][0]["id"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"total": -1, "reason": "mistyped"}, 422, "minutes-out-of-range"),
        ({"total": 1441, "reason": "mistyped"}, 422, "minutes-out-of-range"),
        ({"total": 60, "reason": "mistyped"}, 422, "total-unchanged"),
        ({"total": 45, "reason": "因为写错了"}, 422, "input-invalid"),
    ],
)
async def test_what_is_no_correction(coordinator: Desk, town: Town, body: object, status: int, code: str) -> None:
    hours = await booked(coordinator, town)
    answer = await coordinator.post(f"/hours/{hours}/correct", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await coordinator.sees(f"/hours/{hours}"))["total"] == 60


@pytest.mark.mechanism("LAW-34")
async def test_a_volunteer_asks_only_about_the_own_hours_and_corrects_none(
    coordinator: Desk, ann: Desk, as_: Callers, town: Town
) -> None:
    hours = await booked(coordinator, town)
    await registered(coordinator, "usr_bea")
    bea = as_("volunteer", "unit_g1", "usr_bea")
    assert (await bea.sees("/me/hours"))["items"] == []
    answer = await bea.post(f"/me/hours/{hours}/ask-correction", {"total": 90, "note": "多给点"})
    assert answer.status_code == 404
    assert (await ann.post(f"/hours/{hours}/correct", {"total": 90, "reason": "asked"})).status_code == 403


async def test_a_coordinator_does_not_correct_hours_of_his_own(coordinator: Desk, as_: Callers, town: Town) -> None:
    both = as_("volunteer-coordinator", "unit_c1", "usr_ann", also=("volunteer",))
    hours = await booked(coordinator, town)
    for path, body in (("correct", {"total": 600, "reason": "miscounted"}), ("keep", {"reason": "not-shown"})):
        answer = await both.post(f"/hours/{hours}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "own-deed")


@pytest.mark.mechanism("VOL-05", "LAW-34")
async def test_the_volunteer_asks_and_the_coordinator_corrects_by_a_counter_entry(
    coordinator: Desk, ann: Desk, town: Town
) -> None:
    hours = await booked(coordinator, town)
    await ann.does(f"/me/hours/{hours}/ask-correction", {"total": 75, "note": f"{NAME}可以作证"})
    listed = await coordinator.get("/hours?disputed=true")
    assert [(item["id"], item["asked"]) for item in listed.json()["items"]] == [(hours, 75)]
    assert NAME not in listed.text
    await coordinator.does(f"/hours/{hours}/correct", {"total": 75, "reason": "asked"})
    shown = await coordinator.sees(f"/hours/{hours}")
    assert (shown["total"], shown["disputed"]) == (75, False)
    assert [(entry["minutes"], entry["reversed"]) for entry in shown["entries"]] == [
        (60, True), (-60, False), (75, False)
    ]  # fmt: skip
    assert await town.events("hours", hours) == ["booked", "correction_asked", "corrected"]
    assert (await ann.sees("/me/hours"))["minutes"] == 75


async def test_a_correction_that_is_not_made_is_answered_too(coordinator: Desk, ann: Desk, town: Town) -> None:
    hours = await booked(coordinator, town)
    refused = await coordinator.post(f"/hours/{hours}/keep", {"reason": "record-is-right"})
    assert (refused.status_code, refused.json()["code"]) == (409, "correction-none")
    await ann.does(f"/me/hours/{hours}/ask-correction", {"total": 75, "note": "路上也算"})
    await coordinator.does(f"/hours/{hours}/keep", {"reason": "record-is-right"})
    assert (await ann.sees("/me/hours"))["items"][0]["disputed"] is False
    history = await coordinator.sees(f"/hours/{hours}/history")
    assert [entry["type"] for entry in history["items"]] == [
        "hours.booked.v1", "hours.correction_asked.v1", "hours.kept.v1"
    ]  # fmt: skip


async def test_what_was_written_about_a_correction_can_be_erased_and_the_figures_stay(
    coordinator: Desk, ann: Desk, as_: Callers, town: Town
) -> None:
    hours = await booked(coordinator, town)
    await ann.does(f"/me/hours/{hours}/ask-correction", {"total": 75, "note": f"{NAME}可以作证"})
    await as_("data-officer", "unit_d1").does(f"/hours/{hours}/erase")
    document = await town.database.collection("hours").find_one({"_id": hours})
    assert document is not None and not document["sealed"]
    assert (await coordinator.sees(f"/hours/{hours}"))["total"] == 60


@pytest.mark.mechanism("LAW-32", "LAW-34")
async def test_all_minutes_count_though_a_page_shows_only_some(coordinator: Desk, ann: Desk, town: Town) -> None:
    for minutes in (10, 20, 30):
        await booked(coordinator, town, minutes)
    page = await ann.sees("/me/hours?limit=2")
    assert ([item["total"] for item in page["items"]], page["minutes"]) == ([30, 20], 60)
    rest = await ann.sees(f"/me/hours?limit=2&cursor={page['next']}")
    assert [item["total"] for item in rest["items"]] == [10]
