"""Calls to other services: a token of our own, the trace, and one kind of trouble."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.chassis.callers.clients import Peers
from services.chassis.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unavailable
from services.chassis.telemetry import TRAIL, Trail, continued
from tests.unit.http.issuer import UNIT, TestIssuer
from tests.unit.http.sample import settings_for

Answering = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
async def peers(issuer: TestIssuer) -> AsyncIterator[Callable[[Answering], Peers]]:
    made: list[Peers] = []

    def peers(answering: Answering) -> Peers:
        settings = settings_for(issuer.url, peers={"directory": "http://directory/"}, client_id="me", client_secret="s")
        made.append(Peers(settings, http=httpx.AsyncClient(transport=httpx.MockTransport(answering))))
        return made[-1]

    yield peers
    for one in made:
        await one.stop()


async def test_a_service_that_is_not_configured_or_away_is_unavailable(peers: Any) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to 13800001234")

    with pytest.raises(Unavailable) as caught:
        await peers(away).get("welfare", "/x", unit=UNIT)
    assert caught.value.code == "peer-unknown"
    with pytest.raises(Unavailable) as caught:
        await peers(away).get("directory", "/x", unit=UNIT)
    assert caught.value.code == "peer-away"


@pytest.mark.parametrize(
    ("status", "code", "kind", "told"),
    [
        (404, "not-found", NotFound, "not-found"),
        (409, "unit-closed", Conflict, "unit-closed"),
        (422, "phone-malformed", Invalid, "phone-malformed"),
        (403, "forbidden", Forbidden, "peer-forbids"),
        (400, "x", Unavailable, "peer-away"),
        (429, "busy", Unavailable, "peer-away"),
        (500, "x", Unavailable, "peer-away"),
        (302, "x", Unavailable, "peer-away"),
        (409, "张三 13800001234", Conflict, "conflict"),
        (409, 7, Conflict, "conflict"),
    ],
)
async def test_what_a_peer_refuses_keeps_its_code_when_that_is_one(
    peers: Any, status: int, code: Any, kind: type[Problem], told: str
) -> None:
    with pytest.raises(kind) as caught:
        await peers(lambda request: httpx.Response(status, json={"code": code})).get("directory", "/units/u", unit=UNIT)
    assert caught.value.code == told


async def test_an_answer_that_is_no_json_is_unavailable(peers: Any) -> None:
    with pytest.raises(Unavailable):
        await peers(lambda request: httpx.Response(200, content=b"<html>")).get("directory", "/x", unit=UNIT)


@pytest.mark.parametrize("path", ["/units/../admin", "/units//x", "/units/./x"])
async def test_an_id_cannot_choose_another_route(peers: Any, path: str) -> None:
    with pytest.raises(NotFound):
        await peers(lambda request: httpx.Response(200, json={})).get("directory", path, unit=UNIT)


async def test_a_call_carries_token_trace_and_key(peers: Any) -> None:
    seen: list[httpx.Request] = []

    def answering(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"aggregate": "unit_1", "seq": 3})

    trace = continued(None)
    token = TRAIL.set(Trail("r", trace))
    made = await peers(answering).post("directory", "/units/a?b", {"名": 1}, unit=UNIT, key="k-1", if_version=4)
    TRAIL.reset(token)
    assert made == {"aggregate": "unit_1", "seq": 3}
    sent = seen[0]
    assert sent.headers["authorization"].startswith("Bearer ey")
    assert sent.headers["traceparent"][:36] == trace[:36]
    assert sent.headers["linli-unit"] == UNIT
    assert (sent.headers["idempotency-key"], sent.headers["if-match"]) == ("k-1", '"4"')
    assert str(sent.url) == "http://directory/units/a%3Fb"
    assert json.loads(sent.content) == {"名": 1}


async def test_one_token_serves_many_calls_at_once(peers: Any, issuer: TestIssuer) -> None:
    peer = peers(lambda request: httpx.Response(200, json={}))
    await asyncio.gather(*(peer.get("directory", "/x", unit=UNIT) for _ in range(10)))
    await peer.get("directory", "/x", unit=UNIT)
    assert issuer.tokens_asked == 1


async def test_a_token_that_no_longer_holds_is_replaced_once(peers: Any, issuer: TestIssuer) -> None:
    with pytest.raises(Unavailable):
        await peers(lambda request: httpx.Response(401, json={})).get("directory", "/x", unit=UNIT)
    assert issuer.tokens_asked == 2


async def test_without_the_issuer_there_is_no_call(peers: Any, issuer: TestIssuer) -> None:
    issuer.away = True
    with pytest.raises(Unavailable) as caught:
        await peers(lambda request: httpx.Response(200, json={})).get("directory", "/x", unit=UNIT)
    assert caught.value.code == "issuer-away"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"published_to": null}'), (200, b"[]"), (200, b"{}"), (200, b"<html>"), (200, b'{"published_to": 5}'),
        (200, b'{"published_to": "2026-03-01T08:00:00"}'), (503, b'{"published_to": "2026-03-01T08:00:00Z"}'),
        (404, b""),
    ],
)  # fmt: skip
async def test_a_peer_that_does_not_say_up_to_when_it_has_published_is_unavailable(
    peers: Any, status: int, body: bytes
) -> None:
    with pytest.raises(Unavailable):
        await peers(lambda request: httpx.Response(status, content=body)).published_to("directory")
    with pytest.raises(Unavailable):
        await peers(lambda request: httpx.Response(status, content=body)).published_to("welfare")


async def test_up_to_when_a_peer_has_published_is_asked_without_a_token(peers: Any) -> None:
    asked: list[httpx.Request] = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"published_to": "2026-03-01T16:00:00+08:00"})

    assert await peers(answering).published_to("directory") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert [str(one.url) for one in asked] == ["http://directory/published"]
    assert "authorization" not in asked[0].headers
