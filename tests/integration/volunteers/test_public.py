"""What a resident does with a code: follows, confirms, objects; and what a stranger cannot."""

from uuid import uuid4

import pytest

from services.volunteers.api.public import LOOKING
from services.volunteers.codes import code_of
from tests.integration.volunteers.conftest import ADDRESS, NAME, Desk, Town, registered, requested


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """The rate of the tests before does not count."""
    LOOKING._buckets.clear()


async def done(coordinator: Desk, town: Town) -> tuple[str, str]:
    """A deed that waits for the resident's word: its id and code."""
    ann = await registered(coordinator)
    made = await requested(coordinator, town)
    order: str = made["aggregate"]
    await coordinator.does(f"/orders/{order}/accept", {"volunteer": ann})
    await coordinator.does(f"/orders/{order}/done", {"volunteer": ann, "minutes": 45})
    return order, made["code"]


@pytest.mark.parametrize("code", ["AAAAA-AAAAA", "x", "a" * 199, "..", "%F0%9F%98%80"])
async def test_a_wrong_code_finds_nothing(coordinator: Desk, anyone: Desk, town: Town, code: str) -> None:
    await done(coordinator, town)
    told = await anyone.get(f"/public/orders/{code}")
    assert told.status_code == 404
    if told.json()["code"] != "route-unknown":
        assert (told.json()["code"], told.json()["detail"]) == ("code-wrong", "没有找到:请核对查询码。")
    assert (await anyone.post(f"/public/orders/{code}/confirm")).status_code == 404


async def test_the_id_of_an_order_is_not_its_code_nor_does_another_key_make_it(
    coordinator: Desk, anyone: Desk, town: Town
) -> None:
    order, code = await done(coordinator, town)
    forged = code_of(b"another key of the same length..", order)
    assert forged != code
    for guess in (order, forged):
        assert (await anyone.get(f"/public/orders/{guess}")).status_code == 404


async def test_whoever_tries_many_codes_is_told_to_wait(anyone: Desk, town: Town) -> None:
    answers = [await anyone.get(f"/public/orders/GUESS-{n:05}") for n in range(LOOKING.burst + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {404}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "rate-limited")
    assert int(answers[-1].headers["retry-after"]) >= 1
    refused = await anyone.post("/public/orders/GUESS-99999/confirm")
    assert refused.status_code == 429  # one limit for all of them


async def test_nothing_is_confirmed_before_it_is_done(coordinator: Desk, anyone: Desk, town: Town) -> None:
    await registered(coordinator)
    code = (await requested(coordinator, town))["code"]
    assert (await anyone.sees(f"/public/orders/{code}"))["may_confirm"] is False
    early = await anyone.post(f"/public/orders/{code}/confirm")
    assert (early.status_code, early.json()["code"]) == (409, "step-not-from-here")
    assert early.json()["detail"].startswith("这次服务目前不能确认或提出异议")


@pytest.mark.mechanism("VOL-03")
async def test_the_resident_follows_and_confirms_and_the_minutes_are_booked(
    coordinator: Desk, anyone: Desk, town: Town
) -> None:
    order, code = await done(coordinator, town)
    page = await anyone.get(f"/public/orders/{code.lower().replace('-', ' ')}")
    shown = page.json()
    assert (shown["stage"], shown["minutes"], shown["may_confirm"]) == ("done", 45, True)
    assert shown["stage_text"]["zh"] == "服务已完成,待您确认"
    assert not any(word in page.text for word in (NAME, ADDRESS, order, "volunteer_"))
    key = uuid4().hex
    first = await anyone.post(f"/public/orders/{code}/confirm", key=key)
    again = await anyone.post(f"/public/orders/{code}/confirm", key=key)
    assert (first.status_code, again.json()) == (200, first.json())
    await town.settle()
    assert [item["total"] for item in (await coordinator.sees("/hours"))["items"]] == [45]


async def test_the_resident_objects_and_the_deed_is_done_again(coordinator: Desk, anyone: Desk, town: Town) -> None:
    order, code = await done(coordinator, town)
    assert (await anyone.post(f"/public/orders/{code}/redo")).status_code == 200
    assert (await anyone.sees(f"/public/orders/{code}"))["stage"] == "accepted"
    assert (await coordinator.sees("/hours"))["items"] == []
    history = (await coordinator.sees(f"/orders/{order}/history"))["items"]
    assert (history[-1]["type"], history[-1]["by"]) == ("order.redo_asked.v1", "public")


async def test_the_code_is_told_again_to_who_may_tell_the_resident(coordinator: Desk, town: Town) -> None:
    order, code = await done(coordinator, town)
    assert await coordinator.sees(f"/orders/{order}/code") == {"code": code}
