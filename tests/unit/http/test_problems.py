"""Every bad input gets a clear answer, and none is repeated in it."""

import json
from typing import Any

import httpx
import pytest

from services.chassis.http.bodies import DEEPEST, LARGEST
from services.chassis.http.problems import MOST_ALLOWED
from tests.unit.http.issuer import TestIssuer

NAME, PHONE = "张三丰", "13800001234"
KEY = {"idempotency-key": "k-1"}
JSON = {"content-type": "application/json"}
CASE: dict[str, Any] = {"kind": "complaint", "subject": "楼道堆物"}


async def send(client: httpx.AsyncClient, body: bytes | str, path: str = "/cases", **headers: str) -> httpx.Response:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return await client.post(path, content=raw, headers=JSON | KEY | headers)


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(fault["field"], fault["code"]) for fault in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "json-malformed"),
        ("nonsense", "json-malformed"),
        ("{'a': 1}", "json-malformed"),
        ('{"a": 1,}', "json-malformed"),
        ('{"minutes": NaN}', "json-malformed"),
        ('{"minutes": 1e999}', "json-malformed"),
        ('{"minutes": -Infinity}', "json-malformed"),
        ('{"minutes": ' + "9" * 5000 + "}", "json-malformed"),
        (b"\xff\xfe{}", "json-malformed"),
        (b'{"subject": "\xff"}', "json-malformed"),
        (b"\xef\xbb\xbf{}", "json-malformed"),
        ('{"kind": "complaint"}'.encode("utf-16"), "json-malformed"),
        ('{"kind": "complaint", "kind": "request"}', "json-key-repeated"),
        ('{"marks": {"a": 1, "a": 2}}', "json-key-repeated"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "json-too-deep"),
        ("[" * 100_000, "json-too-deep"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "json-too-deep"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_not_strict_json_is_refused(recorder: httpx.AsyncClient, body: Any, code: str) -> None:
    answer = await send(recorder, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["errors"] == []


@pytest.mark.parametrize("body", ["[]", "[1]", '"text"', "null", "7", "true"])
async def test_json_that_is_no_object_is_refused(recorder: httpx.AsyncClient, body: str) -> None:
    answer = await send(recorder, body)
    assert answer.status_code == 422
    assert faults(answer) == [("", "not-an-object")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": ...}, ("kind", "field-missing")),
        ({"kind": "gossip"}, ("kind", "not-one-of")),
        ({"subject": 5}, ("subject", "not-text")),
        ({"subject": "x"}, ("subject", "text-too-short")),
        ({"subject": "x" * 41}, ("subject", "text-too-long")),
        ({"subject": "lone \ud800 half"}, ("subject", "text-not-unicode")),
        ({"subject": "a\x00b"}, ("subject", "text-holds-nul")),
        ({"minutes": "many"}, ("minutes", "not-an-integer")),
        ({"minutes": 1.5}, ("minutes", "not-an-integer")),
        ({"minutes": -1}, ("minutes", "below-least")),
        ({"minutes": 601}, ("minutes", "above-most")),
        ({"minutes": 2**63}, ("minutes", "number-too-large")),
        ({"minutes": -(2**63) - 1}, ("minutes", "number-too-large")),
        ({"marks": {"a": 2**64}}, ("marks", "number-too-large")),
        ({"on": "2026-03-01T08:00:00"}, ("on", "time-zone-missing")),
        ({"on": "soon"}, ("on", "not-a-time")),
        ({"phones": {}}, ("phones", "not-a-list")),
        ({"phones": [{"number": PHONE}] * 4}, ("phones", "too-many")),
        ({"phones": [{"number": PHONE}, {"number": NAME}]}, ("phones.1.number", "text-format")),
        ({"phones": [{"nummer": PHONE, "number": PHONE}]}, ("phones.0.*", "field-unknown")),
        ({NAME: PHONE}, ("*", "field-unknown")),
        ({PHONE: "x"}, ("*", "field-unknown")),
        ({"marks": {NAME: "many"}}, ("marks.*", "not-an-integer")),
    ],
    ids=str,
)
async def test_a_wrong_field_is_told_by_path_and_code(
    recorder: httpx.AsyncClient, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    body = {name: value for name, value in {**CASE, **change}.items() if value is not ...}
    answer = await send(recorder, json.dumps(body))
    assert answer.status_code == 422
    assert answer.json()["code"] == "input-invalid"
    assert expected in faults(answer)
    assert set(answer.json()["errors"][0]) - {"allowed"} == {"field", "code", "detail"}


async def test_a_choice_that_is_not_offered_is_answered_with_those_that_are(recorder: httpx.AsyncClient) -> None:
    answer = await send(recorder, json.dumps({**CASE, "kind": NAME}))
    (error,) = answer.json()["errors"]
    assert error["allowed"] == ["complaint", "request"]
    assert error["detail"] == "应为以下之一:complaint, request。" and NAME not in answer.text


async def test_a_code_that_is_unknown_is_answered_with_those_that_are_known(recorder: httpx.AsyncClient) -> None:
    answer = await send(recorder, b"", "/refusals/choice")
    told = answer.json()
    assert told["allowed"] == told["errors"][0]["allowed"]
    assert len(told["allowed"]) == MOST_ALLOWED and told["allowed"][:2] == ["red", "c0"]
    assert told["detail"].endswith("c6, …。") and NAME not in answer.text and PHONE not in answer.text


async def test_several_things_wrong_at_once_are_told_each_by_its_place(recorder: httpx.AsyncClient) -> None:
    answer = await send(recorder, b"", "/refusals/several")
    assert (answer.status_code, answer.json()["code"]) == (422, "paint-wrong")
    assert faults(answer) == [("a.0", "colour-unknown"), ("*", "field-missing")]
    assert [error.get("allowed") for error in answer.json()["errors"]] == [["red"], None]


async def test_residents_are_told_in_their_own_words(anyone: httpx.AsyncClient, recorder: httpx.AsyncClient) -> None:
    body = json.dumps(CASE)
    public = (await anyone.post("/wishes", content=body, headers=JSON)).json()
    staff = (await recorder.post("/cases", content=body, headers=JSON)).json()
    assert public["code"] == staff["code"] == "idempotency-key-missing"
    assert "Idempotency-Key" in staff["detail"] and public["detail"] == "页面没有正确提交,请刷新页面后再试。"


async def test_a_missing_body_is_told(recorder: httpx.AsyncClient) -> None:
    answer = await send(recorder, b"")
    assert faults(answer) == [("", "body-missing")]


async def test_a_loose_model_is_guarded_too(recorder: httpx.AsyncClient) -> None:
    for value in ('"\\ud800"', '"a\\u0000b"', str(2**63), '[{"x": "\\udfff"}]'):
        answer = await send(recorder, f'{{"anything": {value}}}', "/loose")
        assert answer.status_code == 422, value
    assert (await send(recorder, '{"anything": [1, "文"]}', "/loose")).json() == {"anything": [1, "文"]}


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=gbk"]
)
async def test_a_body_of_another_type_is_refused(recorder: httpx.AsyncClient, media: str) -> None:
    for path in ("/cases", "/framework/1"):
        answer = await recorder.post(path, content=json.dumps(CASE), headers=KEY | {"content-type": media})
        assert (answer.status_code, answer.json()["code"]) == (415, "media-type-unknown")


async def test_a_body_beyond_the_bound_is_refused_announced_or_not(recorder: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(5):
            yield b" " * (LARGEST // 4)

    announced = await send(recorder, b" " * (LARGEST + 1))
    streamed = await recorder.post("/cases", content=chunks(), headers=JSON | KEY)
    negative = await send(recorder, b"{}", **{"content-length": "-1"})
    for answer in (announced, streamed, negative):
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_an_upload_has_a_bound_of_its_own(recorder: httpx.AsyncClient) -> None:
    fits = await recorder.post("/imports", files={"file": ("a.csv", b"x" * 500_000)}, headers=KEY)
    assert fits.json()["size"] == 500_000
    large = await recorder.post("/imports", files={"file": ("a.csv", b"x" * 1_000_001)}, headers=KEY)
    assert large.status_code == 413
    missing = await recorder.post("/imports", files={"other": ("a.csv", b"x")}, headers=KEY)
    assert faults(missing) == [("file", "field-missing")]
    broken = await recorder.post(
        "/imports", content=b"--x\r\nbroken", headers=KEY | {"content-type": "multipart/form-data; boundary=x"}
    )
    assert broken.status_code in (400, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nowhere",
        "/cases/",
        "/cases/a/b/c",
        f"/{NAME}",
        "//cases",
        "/cases/a%00b",
        "/cases/a%0Ab",
        "/docs",
        "/redoc",
    ],
)
async def test_an_unknown_address_is_a_problem_too(recorder: httpx.AsyncClient, path: str) -> None:
    answer = await recorder.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "route-unknown")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/cases", "GET, POST"), ("PUT", "/cases/case_1", "GET"), ("BREW", "/cases", "GET, POST")],
)
async def test_a_method_that_does_not_fit_names_those_that_do(
    recorder: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await recorder.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/cases", "/framework/1", "/echo/1"])
async def test_nothing_that_was_sent_is_ever_repeated(recorder: httpx.AsyncClient, path: str) -> None:
    marked = f"{NAME} {PHONE}"
    headers = {"x-request-id": PHONE, "if-match": "x" + PHONE, "x-odd": PHONE, "user-agent": PHONE}
    bodies = [
        {marked: marked},
        {"kind": marked},
        {**CASE, "subject": marked * 20},
        {**CASE, "minutes": marked},
        {**CASE, "on": marked},
        {**CASE, "phones": [marked]},
        {**CASE, "marks": {marked: marked}},
        [marked],
        marked,
        {"anything": [{marked: "\ud800"}]},
    ]
    texts = [json.dumps(body) for body in bodies] + [f'{{"{marked}":', f'{{"{marked}": 1, "{marked}": 2}}']
    for text in texts:
        answer = await send(recorder, text, path + f"?limit={PHONE}&{PHONE}={PHONE}", **headers)
        assert 400 <= answer.status_code < 500
        told = answer.text + str(answer.headers)
        assert PHONE not in told and NAME not in told and "张三" not in told, text


async def test_what_the_domain_refuses_has_its_own_text_and_status(recorder: httpx.AsyncClient) -> None:
    answer = await send(recorder, b"", "/refusals/domain")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "case-open")
    assert "order_0190c1a0-0000-7000-8000-000000000001" in problem["detail"]
    assert PHONE not in answer.text and "张三" not in answer.text, "a parameter that looks typed is hidden"
    assert faults(answer) == [("order", "case-open")]


async def test_a_code_without_a_text_is_told_as_its_code(recorder: httpx.AsyncClient) -> None:
    assert (await send(recorder, b"", "/refusals/unspoken")).json()["detail"] == "never-worded"


async def test_what_nobody_expected_is_told_as_internal_and_nothing_of_it_leaves(recorder: httpx.AsyncClient) -> None:
    for kind in ("crash", "custom"):
        answer = await send(recorder, b"", f"/refusals/{kind}")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert PHONE not in answer.text


async def test_a_database_that_is_away_is_told_as_unavailable_on_any_route(recorder: httpx.AsyncClient) -> None:
    answer = await send(recorder, b"", "/refusals/away")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] and PHONE not in answer.text


async def test_the_problem_document_is_complete_and_in_both_languages(recorder: httpx.AsyncClient) -> None:
    chinese = await recorder.get("/cases/case_2", headers={"x-request-id": "trace-me-please"})
    english = await recorder.get("/cases/case_2", headers={"accept-language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert chinese.headers["content-type"] == "application/problem+json"
    assert chinese.json() == {
        "type": "urn:linli:problem:not-found",
        "title": "未找到",
        "status": 404,
        "code": "not-found",
        "detail": "没有找到,或不在您的管辖范围内。",
        "instance": "trace-me-please",
        "errors": [],
    }
    assert chinese.headers["content-language"] == "zh"
    assert english.json()["detail"] == "Not found, or not within your scope."
    assert english.headers["content-language"] == "en"


async def test_field_texts_name_the_limit(recorder: httpx.AsyncClient) -> None:
    answer = await send(recorder, json.dumps({**CASE, "minutes": 700}))
    assert answer.json()["errors"][0]["detail"] == "不得大于 600。"


async def test_headers_that_every_answer_has(recorder: httpx.AsyncClient, issuer: TestIssuer) -> None:
    good = await recorder.get("/cases/case_1")
    bad = await recorder.get("/nowhere")
    for answer in (good, bad):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
        assert "linli-warning" not in answer.headers
    assert good.json()["at"] == "2026-03-01T08:30:00Z"


@pytest.mark.parametrize("given", ["0190c1a0-0000-7000-8000-000000012345", "desk-4-request-17"])
async def test_a_sane_request_id_is_kept(recorder: httpx.AsyncClient, given: str) -> None:
    assert (await recorder.get("/nowhere", headers={"x-request-id": given})).headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given", ["", "short", PHONE, f"call-{PHONE}", "a" * 65, "<script>alert</script>", "two words here"]
)
async def test_any_other_request_id_is_replaced(recorder: httpx.AsyncClient, given: str) -> None:
    answer = await recorder.get("/nowhere", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] != given
    assert answer.json()["instance"] == answer.headers["x-request-id"]
