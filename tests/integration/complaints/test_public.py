"""What a resident does without an account."""

from typing import Any

import httpx
import pytest

from services.chassis.http import Application
from services.chassis.http.given import OpenToAll
from services.chassis.runtime import Runtime
from services.complaints.service import SERVICE
from tests.integration.complaints.conftest import POLICIES, REPLY, TO_DONE, Callers, Desk, recorded, through

TOLD = {
    "unit": "unit_c1",
    "category": "utilities",
    "subject": "暖气不热",
    "text": "家里暖气三天不热",
    "reporter": {"phone": "13900005678"},
}
TAIL = {"linli_phone_tail": "5678"}


GATES = {gate for served in Application(SERVICE).table.served if served.is_public for gate in served.gates}


def _empty_buckets() -> None:
    for gate in GATES:
        assert isinstance(gate, OpenToAll)
        gate._buckets.clear()


@pytest.fixture(autouse=True)
def _full_buckets() -> None:
    _empty_buckets()


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
    assert wrong_code.json() | {"instance": ""} == wrong_tail.json() | {"instance": ""}
    assert wrong_code.json()["code"] == "code-or-tail-wrong"
    assert wrong_code.json()["detail"] == "没有找到:请核对查询码,以及登记时所留电话的后四位。"


async def test_without_the_digits_nothing_is_shown(anyone: Desk) -> None:
    _, code = await told(anyone)
    without = (await anyone.get(f"/public/cases/{code}")).json()
    assert without["errors"] == [{"field": "header.Linli-Phone-Tail", "code": "field-missing", "detail": "此项必填。"}]
    for tail in ("123", "12345", "abcd", "13900005678"):
        (error,) = (await anyone.get(f"/public/cases/{code}", linli_phone_tail=tail)).json()["errors"]
        assert error["detail"] == "请填写登记时所留电话的后四位数字。"


async def test_guessing_the_digits_of_one_code_is_soon_refused(anyone: Desk) -> None:
    _, code = await told(anyone)
    answers = [await anyone.get(f"/public/cases/{code}", linli_phone_tail=f"{n:04d}") for n in range(12)]
    assert answers[-1].status_code == 429 and answers[-1].headers["retry-after"]


async def test_telling_is_bounded_for_one_address(anyone: Desk) -> None:
    answers = [await anyone.post("/public/cases", TOLD) for _ in range(12)]
    assert answers[-1].status_code == 429


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"unit": "unit_nowhere"}, "unit-unknown", "没有找到这个社区,请重新选择。"),
    ({"category": "gossip"}, "category-unknown", "没有这个类别,请重新选择。"),
    ({"kind": "view"}, "category-not-of-kind", "所选类别与事项类型不符,请重新选择。"),
    ({"kind": "view", "category": "culture"}, "view-names-person", "提意见建议不记名:请不要填写姓名、电话和地址。"),
]


@pytest.mark.parametrize(("change", "code", "said"), WRONG)
async def test_a_resident_who_fills_in_something_wrong_is_told_plainly(
    anyone: Desk, change: dict[str, Any], code: str, said: str
) -> None:
    answer = await anyone.post("/public/cases", TOLD | change)
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (422, code, said)


async def test_a_wrong_telephone_is_told_at_its_field(anyone: Desk) -> None:
    (error,) = (await anyone.post("/public/cases", TOLD | {"reporter": {"phone": "123"}})).json()["errors"]
    assert (error["field"], error["code"]) == ("reporter.phone", "phone-malformed")
    assert error["detail"].startswith("请填写电话号码")


async def test_a_community_without_an_online_channel_says_where_to_go(anyone: Desk, runtime: Runtime) -> None:
    number, channels = next((n, one) for n, one in enumerate(POLICIES) if one["key"] == "complaints.channels")
    offline = channels | {"unit": "unit_d1", "value": [one for one in channels["value"] if one["code"] != "online"]}
    await runtime.policies.apply(f"policy_{number}_unit_d1", 2, "policy.published.v1", offline)
    told = (await anyone.post("/public/cases", TOLD)).json()
    assert (told["code"], told["detail"][:14]) == ("online-not-open", "这里暂时不能在网上办理,请拨")


async def test_what_cannot_be_said_yet_or_any_more_is_told_plainly(anyone: Desk, as_: Callers) -> None:
    _, code = await told(anyone)
    early = (await anyone.post(f"/public/cases/{code}/confirm", {}, **TAIL)).json()
    assert early["code"] == "step-not-from-here" and "recorded" not in early["detail"]
    assert early["detail"].startswith("这件事目前不能确认或提出异议")
    _, done = await finished(anyone, as_)
    wrong = (await anyone.post(f"/public/cases/{done}/reopen", {"reason": "weather"}, **TAIL)).json()
    assert (wrong["code"], wrong["detail"]) == ("reason-unknown", "请从列出的原因中选择一项。")
    assert wrong["allowed"] == ["not-solved", "came-back", "not-content"]


FOR_STAFF = ("管辖", "管理员", "辖区", "本区", "Idempotency", "JSON", "…", "{")


async def test_no_answer_of_an_open_route_speaks_to_staff(client: httpx.AsyncClient, anyone: Desk) -> None:
    """Every open route, asked in every wrong way that needs no knowledge of its insides."""
    bodies = (b"", b"{", b"[]", b"7", b'{"unit": 1}', b'{"x": 1}', b'{"kind": "rumour"}', b" " * 300_000)
    heads: tuple[dict[str, str], ...] = ({}, {"linli-phone-tail": "12"}, {"linli-phone-tail": "5678"})
    keys: tuple[dict[str, str], ...] = ({}, {"idempotency-key": "short"}, {"idempotency-key": "k" * 40})
    asked = 0
    for served in (one for one in Application(SERVICE).table.served if one.is_public):
        path = served.template.replace("{code}", "AAAAA-AAAAA") + ("?strange=1" if served.method == "GET" else "")
        for head in (first | second for first in heads for second in keys):
            for body in bodies if served.method == "POST" else (b"",):
                for media in ("application/json", "text/plain"):
                    _empty_buckets()
                    sent = {"headers": head | {"content-type": media}, "content": body}
                    answer = await client.request(served.method, path, **sent)
                    assert 400 <= answer.status_code < 500, (path, answer.text)
                    sentences = [answer.json()["detail"], *(one["detail"] for one in answer.json()["errors"])]
                    assert not [word for word in FOR_STAFF if word in "".join(sentences)], (path, answer.text)
                    asked += 1
    assert asked > 200


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
