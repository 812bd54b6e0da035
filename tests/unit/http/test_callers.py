"""Who gets in: first the stranger, then the caller without the permission, then those who may."""

from typing import Any

import httpx
import pytest

from services.chassis.http import permission_table, undeclared_routes
from services.chassis.http.given import ADDRESSES, OpenToAll
from tests.unit.http.issuer import UNIT, TestIssuer
from tests.unit.http.sample import NOW

CASE = {"kind": "complaint", "subject": "楼道堆物"}
KEY = {"idempotency-key": "0190c1a0-0000-7000-8000-00000000000a"}


async def test_a_stranger_gets_in_nowhere_that_is_not_declared_open(app: Any, anyone: httpx.AsyncClient) -> None:
    closed = [row for row in permission_table(app) if row.permission]
    assert closed
    for method, path, _ in closed:
        answer = await anyone.request(method, path.replace("{", "").replace("}", ""))
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing"), path
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_caller_without_the_permission_is_told_no(anyone: httpx.AsyncClient, issuer: TestIssuer) -> None:
    answer = await anyone.post("/cases", json=CASE, headers=issuer.bearer(roles=["reader"]) | KEY)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_token_that_does_not_hold_is_refused_with_a_challenge(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/cases", headers={"authorization": "Bearer e30.e30.e30"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_two_tokens_in_one_request_are_refused(anyone: httpx.AsyncClient, issuer: TestIssuer) -> None:
    twice = [("authorization", "Bearer x"), ("authorization", issuer.bearer()["authorization"])]
    answer = await anyone.get("/cases", headers=twice)
    assert (answer.status_code, answer.json()["code"]) == (400, "header-repeated")


async def test_a_stranger_is_refused_before_the_body_is_read(app: Any) -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("the body of a stranger was read")

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/cases", "query_string": b"", "headers": [], "client": None}
    await app(scope, receive, send)
    assert sent[0]["status"] == 401


async def test_a_route_that_declares_nothing_admits_nobody(app: Any, recorder: httpx.AsyncClient) -> None:
    assert undeclared_routes(app) == ["GET /undeclared"]
    assert (await recorder.get("/undeclared")).status_code == 403


async def test_who_may_call_what_can_be_read_as_a_table(app: Any) -> None:
    table = permission_table(app)
    assert ("POST", "/cases", "case.record") in table
    assert ("GET", "/wall", "") in table


async def test_while_the_issuer_is_away_callers_are_told_when_to_come_back(
    runtime: Any, app: Any, anyone: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    runtime.access._keys.clear()
    answer = await anyone.get("/cases", headers=issuer.bearer())
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer-away")
    assert int(answer.headers["retry-after"]) > 0
    ready = await anyone.get("/ready")
    assert ready.status_code == 503
    assert not ready.json()["checks"]["issuer"]["ok"]


async def test_those_who_may_are_let_in_with_their_unit_as_scope(recorder: httpx.AsyncClient) -> None:
    answer = await recorder.post("/cases", json=CASE, headers=KEY)
    assert answer.status_code == 201
    assert answer.json()["by"] == "worker-1"
    assert answer.json()["scope"] == UNIT
    assert answer.json()["at"] == NOW.isoformat().replace("+00:00", "Z")


SERVICE = {"sub": "service:insight", "roles": ["service", "recorder"]}


@pytest.mark.parametrize("unit", ["", ..., None])
@pytest.mark.parametrize("named", [None, "", "unit a", "{$ne: 1}", "unit_a,unit_b", "a" * 101])
async def test_a_service_that_names_no_unit_sees_nothing(
    anyone: httpx.AsyncClient, issuer: TestIssuer, unit: Any, named: str | None
) -> None:
    headers = issuer.bearer(**SERVICE, unit=unit) | ({} if named is None else {"linli-unit": named})
    answer = await anyone.get("/cases", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "unit-missing")


async def test_a_service_sees_what_the_unit_it_acts_for_may_see(anyone: httpx.AsyncClient, issuer: TestIssuer) -> None:
    token = issuer.bearer(**SERVICE, unit="")
    for unit in ("unit_east", "unit_west"):
        answer = await anyone.get("/cases", headers=token | {"linli-unit": unit})
        assert answer.json()["scope"] == unit


async def test_a_person_cannot_name_another_unit_than_their_own(recorder: httpx.AsyncClient) -> None:
    assert (await recorder.get("/cases", headers={"linli-unit": "unit_west"})).json()["scope"] == UNIT


async def test_an_open_route_is_limited_for_each_address(anyone: httpx.AsyncClient) -> None:
    answers = [await anyone.get("/wall") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["code"] == "rate-limited"
    assert int(answers[3].headers["retry-after"]) >= 1


def test_the_bucket_fills_again_and_one_address_does_not_empty_anothers() -> None:
    now = 0.0
    gate = OpenToAll(per_minute=60, burst=2, now=lambda: now)
    assert [gate.take("a"), gate.take("a")] == [0, 0]
    assert gate.take("a") == pytest.approx(1.0)
    assert gate.take("b") == 0
    now = 1.0
    assert gate.take("a") == 0
    assert gate.take("a") > 0


def test_the_table_of_addresses_is_bounded() -> None:
    gate = OpenToAll(per_minute=60, burst=2)
    for number in range(ADDRESSES + 50):
        gate.take(str(number))
    assert len(gate._buckets) == ADDRESSES


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
async def test_a_household_of_ipv6_addresses_counts_as_one(app: Any, one: str, other: str, same: bool) -> None:
    statuses = []
    for host in [one, one, one, other]:
        transport = httpx.ASGITransport(app, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://sample") as client:
            statuses.append((await client.get("/wall")).status_code)
    assert statuses[3] == (429 if same else 200)
