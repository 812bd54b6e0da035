"""Requests twice: the same operation has the same name, anything else has another."""

from typing import Any

import httpx
import pytest

from tests.unit.http.issuer import TestIssuer
from tests.unit.http.sample import WISHES

CASE = {"kind": "complaint", "subject": "楼道堆物"}
LONG_KEY = "0190c1a0-0000-7000-8000-00000000000a"


async def operation(client: httpx.AsyncClient, path: str = "/cases/case_1/close", key: str = "k", **more: Any) -> str:
    answer = await client.post(path, headers={"idempotency-key": key} | more.pop("headers", {}), **more)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["operation"])


@pytest.mark.parametrize("path", ["/cases", "/cases/case_1/close", "/framework/1", "/imports"])
async def test_a_post_without_a_key_is_refused(recorder: httpx.AsyncClient, path: str) -> None:
    sent: dict[str, Any] = {"files": {"file": b"x"}} if path == "/imports" else {"json": CASE}
    answer = await recorder.post(path, **sent)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")


@pytest.mark.parametrize("key", ["", "a" * 201, "two words", "钥匙", "tab\there"])
async def test_a_key_of_the_wrong_form_is_refused(recorder: httpx.AsyncClient, key: str) -> None:
    answer = await recorder.post("/cases", json=CASE, headers=[("idempotency-key", key.encode())])
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-invalid")


async def test_two_keys_in_one_request_are_refused(recorder: httpx.AsyncClient) -> None:
    twice = [("idempotency-key", "a"), ("idempotency-key", "b"), *recorder.headers.multi_items()]
    answer = await recorder.post("/cases", json=CASE, headers=twice)
    assert answer.json()["code"] == "header-repeated"


async def test_the_same_request_is_the_same_operation(recorder: httpx.AsyncClient) -> None:
    assert await operation(recorder) == await operation(recorder)
    first, again = [await recorder.post("/cases", json=CASE, headers={"idempotency-key": "k"}) for _ in range(2)]
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert first.headers["etag"] == again.headers["etag"] == '"1"'


async def test_key_caller_route_and_record_each_make_it_another(
    recorder: httpx.AsyncClient, anyone: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    other = issuer.bearer(sub="worker-2")
    names = [
        await operation(recorder),
        await operation(recorder, key="l"),
        await operation(recorder, path="/cases/case_2/close"),
        await operation(anyone, headers=other),
        await operation(recorder, path="/echo/case_1", json=CASE),
    ]
    assert len(set(names)) == len(names)


async def test_a_caller_named_public_is_not_the_public(anyone: httpx.AsyncClient, issuer: TestIssuer) -> None:
    signed_in = {**issuer.bearer(sub="public"), "idempotency-key": LONG_KEY}
    one = await anyone.post("/cases", json=CASE, headers=signed_in)
    assert one.json()["by"] == "public"
    public = await operation(anyone, "/wishes", LONG_KEY, json=CASE)
    assert one.json()["aggregate"] != f"case_{public}"


async def test_another_body_or_query_has_another_hash(recorder: httpx.AsyncClient) -> None:
    async def body(content: bytes, query: str = "") -> str:
        headers = {"idempotency-key": "k", "content-type": "application/json"}
        return str(
            (await recorder.post(f"/cases/case_1/close{query}", content=content, headers=headers)).json()["body"]
        )

    hashes = [
        await body(b""),
        await body(b"{}"),
        await body(b"{ }"),
        await body(b"{}", "?why=x"),
        await body(b"{}", "?why=y"),
    ]
    assert len(set(hashes)) == len(hashes)
    assert await body(b"{}") == hashes[1]


async def test_strangers_need_keys_that_cannot_meet_by_chance(anyone: httpx.AsyncClient) -> None:
    WISHES._buckets.clear()
    short = await anyone.post("/wishes", json=CASE, headers={"idempotency-key": "1"})
    assert (short.status_code, short.json()["code"]) == (400, "idempotency-key-invalid")
    good = await anyone.post("/wishes", json=CASE, headers={"idempotency-key": LONG_KEY})
    assert good.json()["by"] == "public"
    assert good.json()["scope"] is None


@pytest.mark.parametrize("seen", ["7", 'W/"7"', '"7", "8"', '"x"', '""', '"-1"', '"' + "9" * 30 + '"'])
async def test_a_version_of_the_wrong_form_is_refused(recorder: httpx.AsyncClient, seen: str) -> None:
    answer = await recorder.post("/cases/case_1/close", headers={"idempotency-key": "k", "if-match": seen})
    assert (answer.status_code, answer.json()["code"]) == (400, "if-match-invalid")


async def test_a_version_that_moved_is_told_with_the_present_one(recorder: httpx.AsyncClient) -> None:
    answer = await recorder.post("/cases/case_1/close", headers={"idempotency-key": "k", "if-match": '"6"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "version-moved")
    assert "7" in answer.json()["detail"]
    for fine in ('"7"', "*"):
        await operation(recorder, headers={"if-match": fine})


async def test_who_holds_the_version_already_gets_no_body(recorder: httpx.AsyncClient) -> None:
    first = await recorder.get("/cases/case_1")
    again = await recorder.get("/cases/case_1", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"] == '"7"'
    assert (await recorder.get("/cases/case_1", headers={"if-none-match": '"6"'})).status_code == 200
