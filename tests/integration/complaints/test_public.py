"""What a resident does without an account."""

from typing import Any

import pytest

from services.complaints.api import public
from tests.integration.complaints.conftest import REPLY, TO_DONE, Callers, Desk, recorded, through

TOLD = {
    "unit": "unit_c1",
    "category": "utilities",
    "subject": "暖气不热",
    "text": "家里暖气三天不热",
    "reporter": {"phone": "13900005678"},
}
TAIL = {"linli_phone_tail": "5678"}


@pytest.fixture(autouse=True)
def _full_buckets() -> None:
    for gate in (public.TELLING, public.LOOKING):
        gate._buckets.clear()


async def told(anyone: Desk) -> tuple[str, str]:
    answer = await anyone.post("/public/cases", TOLD)
    assert answer.status_code == 201, answer.text
    return answer.json()["aggregate"], answer.json()["code"]


async def finished(anyone: Desk, as_: Callers) -> tuple[str, str]:
    case, code = await told(anyone)
    await through(as_("community-worker", "unit_c1"), case, *TO_DONE)
    return case, code


async def test_a_wrong_code_and_wrong_digits_are_told_alike(anyone: Desk) -> None:
    _, code = await told(anyone)
    wrong_code = await anyone.get("/public/cases/AAAAA-AAAAA", **TAIL)
    wrong_tail = await anyone.get(f"/public/cases/{code}", linli_phone_tail="0000")
    assert wrong_code.status_code == wrong_tail.status_code == 404
    assert wrong_code.json()["code"] == wrong_tail.json()["code"]


async def test_without_the_digits_nothing_is_shown(anyone: Desk) -> None:
    _, code = await told(anyone)
    assert (await anyone.get(f"/public/cases/{code}")).status_code == 422


async def test_guessing_the_digits_of_one_code_is_soon_refused(anyone: Desk) -> None:
    _, code = await told(anyone)
    answers = [await anyone.get(f"/public/cases/{code}", linli_phone_tail=f"{n:04d}") for n in range(12)]
    assert answers[-1].status_code == 429 and answers[-1].headers["retry-after"]


async def test_telling_is_bounded_for_one_address(anyone: Desk) -> None:
    answers = [await anyone.post("/public/cases", TOLD) for _ in range(12)]
    assert answers[-1].status_code == 429


async def test_a_concern_of_an_unknown_community_is_refused(anyone: Desk) -> None:
    answer = await anyone.post("/public/cases", TOLD | {"unit": "unit_nowhere"})
    assert answer.json()["code"] == "unit-unknown"


@pytest.mark.mechanism("LAW-40")
async def test_a_resident_follows_from_telling_to_the_reply(anyone: Desk, as_: Callers) -> None:
    case, code = await told(anyone)
    before = (await anyone.get(f"/public/cases/{code.lower().replace('-', ' ')}", **TAIL)).json()
    assert before["stage"] == "recorded" and before["promised_until"] and "reply" not in before
    await through(as_("community-worker", "unit_c1"), case, *TO_DONE)
    after = (await anyone.get(f"/public/cases/{code}", **TAIL)).json()
    assert (after["stage"], after["outcome"], after["reply"]) == ("done", "solved", REPLY["reply"])
    assert after["stage_text"]["zh"] == "已办结,待确认" and after["may_confirm"]


async def test_every_look_of_a_resident_is_recorded(anyone: Desk, as_: Callers) -> None:
    case, code = await finished(anyone, as_)
    await anyone.get(f"/public/cases/{code}", **TAIL)
    looks = (await as_("data-officer", "unit_d1").get("/accesses")).json()["items"]
    assert {look["purpose"] for look in looks} == {"search:phone-tail", "reply"}
    assert all(look["by"] == f"resident:{case}" for look in looks)


@pytest.mark.mechanism("CMP-02")
async def test_the_resident_confirms_and_it_closes(anyone: Desk, as_: Callers) -> None:
    case, code = await finished(anyone, as_)
    answer = await anyone.post(f"/public/cases/{code}/confirm", {"satisfied": True}, **TAIL)
    assert answer.status_code == 200, answer.text
    page = (await as_("community-worker", "unit_c1").get(f"/cases/{case}")).json()
    assert (page["stage"], page["work"], page["outcome"]) == ("closed", "closed", "solved")


@pytest.mark.mechanism("CMP-02", "LAW-45")
async def test_the_resident_objects_and_it_is_open_again(anyone: Desk, as_: Callers) -> None:
    case, code = await finished(anyone, as_)
    body = {"reason": "not-solved", "note": "还是不热"}
    assert (await anyone.post(f"/public/cases/{code}/reopen", body, **TAIL)).status_code == 200
    page: dict[str, Any] = (await as_("community-worker", "unit_c1").get(f"/cases/{case}")).json()
    assert (page["stage"], page["outcome"], page["reopened"]) == ("reopened", None, 1)


async def test_a_stranger_with_the_wrong_digits_confirms_nothing(anyone: Desk, as_: Callers) -> None:
    _, code = await finished(anyone, as_)
    answer = await anyone.post(f"/public/cases/{code}/confirm", {}, linli_phone_tail="1111")
    assert answer.status_code == 404


async def test_a_concern_recorded_by_staff_can_be_followed_too(anyone: Desk, worker: Desk) -> None:
    made = await recorded(worker)
    answer = await anyone.get(f"/public/cases/{made['code']}", linli_phone_tail="1234")
    assert answer.status_code == 200 and answer.json()["subject"] == "厨房水管漏水"


async def test_a_view_cannot_be_followed_by_anybody(anyone: Desk) -> None:
    view = {name: value for name, value in TOLD.items() if name != "reporter"}
    answer = await anyone.post("/public/cases", view | {"kind": "view", "category": "culture"})
    assert answer.status_code == 201
    assert (await anyone.get(f"/public/cases/{answer.json()['code']}", **TAIL)).status_code == 404
