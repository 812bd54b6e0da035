"""The way of a concern over HTTP, from the negative side first."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.clocks.deadlines import Sweep
from services.chassis.runtime import Runtime
from tests.integration.complaints.conftest import REPLY, TO_DONE, Callers, Desk, concern, recorded, through

STEPS: dict[str, Any] = {
    "accept": None,
    "dispatch": {"unit": "unit_c1"},
    "take": None,
    "return": {"reason": "not-ours"},
    "supplement": {"text": "补充"},
    "escalate": {"reason": "no-power"},
    "reply": {"result": "advised", "text": "好"},
    "solve": REPLY,
    "answer": REPLY,
    "confirm": {},
    "reopen": {"reason": "not-solved"},
    "close": {"reason": "not-reached"},
    "orders": {"line": "hardship"},
    "orders/order_1/waive": {"reason": "done-otherwise"},
    "wall": {"question": "问题", "answer": "答复"},
    "wall/withdraw": {"reason": "wrong"},
}


async def done(worker: Desk, **changes: Any) -> str:
    made = await recorded(worker, **changes)
    case: str = made["aggregate"]
    await through(worker, case, *TO_DONE)
    return case


async def test_another_district_finds_nothing_to_do_and_nothing_to_read(
    worker: Desk, neighbour: Desk, as_: Callers
) -> None:
    case = (await recorded(worker))["aggregate"]
    for step, body in STEPS.items():
        answer = await neighbour.post(f"/cases/{case}/{step}", body)
        assert answer.status_code == 404, f"{step}: {answer.text}"
    officer = as_("data-officer", "unit_d2")
    assert (await officer.post(f"/cases/{case}/erase", {"purposes": ["text"]})).status_code == 404
    for path in ("", "/history", "/sealed/text?because=x"):
        assert (await neighbour.get(f"/cases/{case}{path}")).status_code == 404


async def test_a_role_without_the_permission_takes_no_step(worker: Desk, as_: Callers) -> None:
    case = (await recorded(worker))["aggregate"]
    operator = as_("operator", "unit_d1")
    for step, body in STEPS.items():
        assert (await operator.post(f"/cases/{case}/{step}", body)).status_code == 403, step


async def test_a_worker_who_saw_an_older_version_is_told(worker: Desk) -> None:
    case = (await recorded(worker))["aggregate"]
    answer = await worker.post(f"/cases/{case}/accept", if_match='"1"')
    assert answer.status_code == 412


async def test_a_ruling_needs_more_than_a_workers_role(worker: Desk) -> None:
    case = (await recorded(worker))["aggregate"]
    answer = await worker.post(f"/cases/{case}/dispatch", {"unit": "unit_c1", "ruling": True})
    assert answer.status_code == 403


async def test_nobody_is_offered_what_they_cannot_see(worker: Desk) -> None:
    case = (await recorded(worker))["aggregate"]
    await through(worker, case, ("accept", None))
    answer = await worker.post(f"/cases/{case}/dispatch", {"to": "usr_x", "unit": "unit_c2"})
    assert answer.json()["code"] == "party-cannot-see"


async def test_sealed_texts_need_a_purpose_and_leave_a_record(worker: Desk, as_: Callers) -> None:
    case = (await recorded(worker))["aggregate"]
    assert (await worker.get(f"/cases/{case}/sealed/text")).status_code == 422
    assert (await as_("operator", "unit_d1").get(f"/cases/{case}/sealed/text?because=x")).status_code == 403
    answer = await worker.get(f"/cases/{case}/sealed/reporter?because=联系反映人")
    assert answer.json()["phone"] == "13900001234"
    (look,) = (await as_("data-officer", "unit_d1").get(f"/accesses?case={case}")).json()["items"]
    assert (look["purpose"], look["because"]) == ("reporter", "联系反映人")


@pytest.mark.mechanism("CMP-09", "LAW-42")
async def test_an_offered_concern_passes_when_the_colleague_takes_it(worker: Desk, as_: Callers) -> None:
    colleague = as_("community-worker", "unit_c1", "usr_colleague")
    case = (await recorded(worker))["aggregate"]
    await through(worker, case, ("accept", None), ("dispatch", {"to": "usr_colleague", "unit": "unit_c1"}))
    waiting = (await colleague.get("/cases/queues/offered")).json()["items"]
    assert [one["id"] for one in waiting] == [case]
    await through(colleague, case, ("take", None))
    page = (await worker.get(f"/cases/{case}")).json()
    assert page["custody"]["handler"]["id"] == "usr_colleague"
    assert page["custody"]["answerable"]["id"] == "usr_community-worker-unit_c1"


@pytest.mark.mechanism("LAW-45")
async def test_a_returned_concern_stands_in_its_list(worker: Desk, as_: Callers) -> None:
    colleague = as_("community-worker", "unit_c1", "usr_colleague")
    case = (await recorded(worker))["aggregate"]
    await through(worker, case, ("accept", None), ("dispatch", {"to": "usr_colleague", "unit": "unit_c1"}))
    await through(colleague, case, ("return", {"reason": "insufficient", "note": "位置不明"}))
    (line,) = (await worker.get("/cases/queues/returned")).json()["items"]
    assert line["id"] == case and line["returns"] == 1
    again = await worker.post(f"/cases/{case}/dispatch", {"to": "usr_colleague", "unit": "unit_c1"})
    assert again.status_code == 409 and again.json()["code"] == "offer-unchanged"


@pytest.mark.mechanism("CMP-11")
async def test_what_the_community_cannot_do_goes_up_and_comes_down(worker: Desk, street: Desk) -> None:
    case = (await recorded(worker))["aggregate"]
    await through(worker, case, ("accept", None), ("take", None), ("escalate", {"reason": "no-power"}))
    assert [one["id"] for one in (await street.get("/cases/queues/asked")).json()["items"]] == [case]
    refused = await worker.post(f"/cases/{case}/solve", REPLY)
    assert refused.json()["code"] == "question-open"
    await through(street, case, ("reply", {"result": "solved", "text": "已更换主管道"}))
    told = (await worker.get(f"/cases/{case}/sealed/advice?because=办理")).json()
    assert told["text"] == "已更换主管道"
    await through(worker, case, ("solve", REPLY))


@pytest.mark.mechanism("CMP-10", "CMP-11", "LAW-40")
async def test_what_is_late_goes_up_by_itself_when_the_clock_is_moved(
    worker: Desk, street: Desk, runtime: Runtime
) -> None:
    case = (await recorded(worker))["aggregate"]
    await runtime.clock.advance(timedelta(hours=2, minutes=1))
    await Sweep(runtime).once()
    page = (await street.get(f"/cases/{case}")).json()
    assert page["late"] and page["level"] == "street" and page["asked"] == "unit_s1"
    entries = (await street.get(f"/cases/{case}/history")).json()["items"]
    assert [entry["type"] for entry in entries[-3:]] == ["case.overdue.v1", "case.escalated.v1", "case.promised.v1"]
    assert [one["id"] for one in (await street.get("/cases/queues/late")).json()["items"]] == [case]
    await Sweep(runtime).once()
    assert (await street.get(f"/cases/{case}")).json()["version"] == page["version"]


@pytest.mark.mechanism("CMP-35")
async def test_an_open_order_blocks_the_outcome_until_it_is_waived(worker: Desk) -> None:
    case = (await recorded(worker))["aggregate"]
    await through(worker, case, ("accept", None), ("take", None))
    order = (await worker.post(f"/cases/{case}/orders", {"line": "hardship"})).json()["order"]
    refused = await worker.post(f"/cases/{case}/solve", REPLY)
    assert refused.status_code == 409 and refused.json()["code"] == "link-open"
    await through(worker, case, (f"orders/{order}/waive", {"reason": "done-otherwise"}), ("solve", REPLY))


@pytest.mark.mechanism("CMP-07")
async def test_a_number_does_not_reach_the_wall_and_the_rest_is_read_by_all(
    worker: Desk, street: Desk, anyone: Desk
) -> None:
    case = await done(worker)
    refused = await worker.post(f"/cases/{case}/wall", {"question": "谁修水管?", "answer": "打13900001234"})
    assert refused.json()["code"] == "unmasked-number"
    await through(worker, case, ("wall", {"question": "老人家里漏水找谁?", "answer": "找社区,志愿者上门。"}))
    for unit in ("unit_c1", "unit_s1", "unit_d1"):
        answer = await anyone.get(f"/echo-wall?unit={unit}")
        (hung,) = answer.json()["items"]
        assert hung["answer"] == "找社区,志愿者上门。"
        assert "王大妈" not in answer.text and "usr_" not in answer.text and case not in answer.text
    for unit in ("unit_c2", "unit_d2"):
        assert (await anyone.get(f"/echo-wall?unit={unit}")).json()["items"] == []
    await through(street, case, ("wall/withdraw", {"reason": "outdated"}))
    assert (await anyone.get("/echo-wall?unit=unit_c1")).json()["items"] == []


async def test_the_wall_of_no_unit_is_not_found(anyone: Desk) -> None:
    nowhere = await anyone.get("/echo-wall?unit=unit_none")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "unit-unknown")
    assert nowhere.json()["detail"] == "没有找到这个社区,请重新选择。"
    without = await anyone.get("/echo-wall")
    assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "query.unit")


async def test_lists_page_by_cursor_and_stay_in_the_unit(worker: Desk, as_: Callers, neighbour: Desk) -> None:
    other = as_("community-worker", "unit_c2")
    mine = [(await recorded(worker))["aggregate"] for _ in range(3)]
    await recorded(other, unit="unit_c2")
    first = (await worker.get("/cases?limit=2")).json()
    rest = (await worker.get(f"/cases?limit=2&cursor={first['next']}")).json()
    assert sorted(one["id"] for one in first["items"] + rest["items"]) == sorted(mine) and rest["next"] is None
    assert (await neighbour.get("/cases")).json()["items"] == []
    assert len((await as_("street-officer", "unit_s1").get("/cases?category=welfare")).json()["items"]) == 4
    assert (await worker.get("/cases?subject=水")).status_code == 422


LISTS = ("/cases", "/cases?work=open", "/cases?category=welfare", "/cases/due", "/cases/queues/late")


@pytest.mark.mechanism("DIR-01")
async def test_a_street_officer_asks_for_a_community_and_sees_its_grids_and_nobody_elses(
    worker: Desk, street: Desk, as_: Callers, neighbour: Desk, runtime: Runtime
) -> None:
    here = {(await recorded(worker, unit=unit))["aggregate"] for unit in ("unit_c1", "unit_g1")}
    there = (await recorded(as_("community-worker", "unit_c2"), unit="unit_c2"))["aggregate"]
    await recorded(as_("community-worker", "unit_c3"), unit="unit_c3")
    await runtime.clock.advance(timedelta(hours=2, minutes=1))
    await Sweep(runtime).once()

    async def listed(desk: Desk, path: str, unit: str) -> set[str]:
        answer = await desk.get(f"{path}{'&' if '?' in path else '?'}unit={unit}")
        assert answer.status_code == 200, answer.text
        return {item["id"] for item in answer.json()["items"]}

    for path in LISTS:
        assert await listed(street, path, "unit_c1") == here, path
        assert await listed(street, path, "unit_s1") == here | {there}, path
        assert await listed(street, path, "unit_c3") == set(), path
        assert await listed(neighbour, path, "unit_c1") == set(), path
        assert await listed(worker, path, "unit_s1") == here, "asking for more than one's own shows one's own"
    assert await listed(worker, "/cases/queues/mine", "unit_g1") < here


async def test_my_own_and_the_next_due_have_their_lists(worker: Desk, as_: Callers) -> None:
    slow = (await recorded(worker))["aggregate"]
    urgent = (await recorded(worker, category="emergency"))["aggregate"]
    assert {one["id"] for one in (await worker.get("/cases/queues/mine")).json()["items"]} == {slow, urgent}
    assert [one["id"] for one in (await worker.get("/cases/due")).json()["items"]] == [urgent, slow]
    assert (await as_("community-worker", "unit_c1", "usr_new").get("/cases/queues/mine")).json()["items"] == []
    assert (await worker.get("/cases/queues/everything")).status_code == 404


@pytest.mark.mechanism("LAW-45")
async def test_repeat_complaints_are_found_by_the_telephone_and_the_search_is_recorded(
    worker: Desk, as_: Callers
) -> None:
    clerk = as_("hotline-clerk", "unit_s1")
    case = (await recorded(worker))["aggregate"]
    answer = await clerk.get("/cases/by-phone?because=来电", linli_phone="139 0000 1234")
    assert [one["id"] for one in answer.json()["items"]] == [case]
    (look,) = (await as_("data-officer", "unit_d1").get("/accesses")).json()["items"]
    assert look["purpose"] == "search:phone"
    repeated = await clerk.post("/cases", concern(channel="hotline", visit=None, repeat_of=case))
    assert repeated.status_code == 201
