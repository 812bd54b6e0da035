"""Requests over a real port into a real history: foreign districts, repeats, versions, slow senders, orderly ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import uvicorn

from services.chassis.http import permission_table
from services.chassis.storage.driver import Database
from tests.integration.http.served import runtime_on, serving
from tests.unit.http.issuer import TestIssuer


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    issuer = TestIssuer()
    await issuer.start()
    yield issuer
    await issuer.stop()


@pytest.fixture
async def runtime(database: Database, issuer: TestIssuer) -> AsyncIterator[Any]:
    runtime = runtime_on(database, issuer)
    await runtime.access.refresh()
    yield runtime
    await runtime.histories["tally"].drain()
    await runtime.access.stop()


@pytest.fixture
async def served(runtime: Any) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    async with serving(runtime, patience=0.4) as (address, server):
        yield address, server


@pytest.fixture
async def east(served: Any, issuer: TestIssuer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served[0], headers=issuer.bearer(unit="unit_a")) as client:
        yield client


@pytest.fixture
async def west(served: Any, issuer: TestIssuer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served[0], headers=issuer.bearer(unit="unit_b")) as client:
        yield client


def key() -> dict[str, str]:
    return {"idempotency-key": str(uuid4())}


async def opened(client: httpx.AsyncClient, unit: str = "unit_a1") -> str:
    answer = await client.post("/tallies", json={"unit": unit}, headers=key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["aggregate"])


async def test_a_caller_of_another_district_finds_nothing_on_any_route(
    served: Any, runtime: Any, east: httpx.AsyncClient, west: httpx.AsyncClient
) -> None:
    tally = await opened(east)
    app = served[1].config.app
    walked = [row for row in permission_table(app) if "{id}" in row.path]
    assert len(walked) == 3
    for method, path, _ in walked:
        there = path.replace("{id}", tally)
        body = {"json": {"amount": 1}, "headers": key()} if method == "POST" else {}
        foreign = await west.request(method, there, **body)
        missing = await west.request(method, path.replace("{id}", "tally_none"), **body)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.json()["code"] == missing.json()["code"] == "not-found"
        assert (await east.request(method, there, **body)).status_code == 200
    assert (await west.get("/tallies")).json() == {"items": [], "next": None}
    assert (await east.get("/tallies")).json()["items"] == [tally]


async def test_nobody_registers_in_another_district(west: httpx.AsyncClient) -> None:
    answer = await west.post("/tallies", json={"unit": "unit_a1"}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "unit-unknown")
    assert answer.json()["errors"][0]["field"] == "unit"


async def test_a_repeat_gets_the_first_answer(east: httpx.AsyncClient) -> None:
    once = key()
    first, again = [await east.post("/tallies", json={"unit": "unit_a1"}, headers=once) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.headers["location"] == again.headers["location"]
    tally = first.json()["aggregate"]
    once = key()
    first, other, again = [
        await east.post(f"/tallies/{tally}/add", json={"amount": amount}, headers=headers)
        for amount, headers in ((5, once), (7, key()), (5, once))
    ]
    assert first.content == again.content != other.content
    assert first.headers["etag"] == again.headers["etag"] == '"2"'
    assert (await east.get(f"/tallies/{tally}")).json() == {"total": 12}


async def test_the_same_key_at_once_takes_effect_once(east: httpx.AsyncClient) -> None:
    tally, once = await opened(east), key()
    answers = await asyncio.gather(
        *(east.post(f"/tallies/{tally}/add", json={"amount": 5}, headers=once) for _ in range(8))
    )
    assert {answer.content for answer in answers} == {answers[0].content}
    assert (await east.get(f"/tallies/{tally}")).json() == {"total": 5}
    once = key()
    made = await asyncio.gather(*(east.post("/tallies", json={"unit": "unit_a1"}, headers=once) for _ in range(8)))
    assert {(answer.status_code, answer.content) for answer in made} == {(201, made[0].content)}


async def test_the_same_key_with_another_body_is_refused(east: httpx.AsyncClient) -> None:
    tally, once = await opened(east), key()
    for amount, status in ((5, 200), (6, 422)):
        answer = await east.post(f"/tallies/{tally}/add", json={"amount": amount}, headers=once)
        assert answer.status_code == status
    assert answer.json()["code"] == "idempotency-key-reused"
    assert (await east.get(f"/tallies/{tally}")).json() == {"total": 5}


async def test_a_refusal_is_not_kept_and_is_decided_anew(east: httpx.AsyncClient) -> None:
    tally, once = await opened(east), key()
    refused = await east.post(f"/tallies/{tally}/add", json={"amount": 5000}, headers=once)
    assert (refused.status_code, refused.json()["code"]) == (409, "over-limit")
    assert "1000" in refused.json()["detail"]
    assert (await east.post(f"/tallies/{tally}/add", json={"amount": 5}, headers=once)).status_code == 200


async def test_a_change_on_an_old_version_is_refused(east: httpx.AsyncClient) -> None:
    tally = await opened(east)
    seen = (await east.get(f"/tallies/{tally}")).headers["etag"]
    await east.post(f"/tallies/{tally}/add", json={"amount": 1}, headers=key())
    late = await east.post(f"/tallies/{tally}/add", json={"amount": 1}, headers=key() | {"if-match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "version-moved")
    fresh = (await east.get(f"/tallies/{tally}")).headers["etag"]
    fine = await east.post(f"/tallies/{tally}/add", json={"amount": 1}, headers=key() | {"if-match": fresh})
    assert fine.status_code == 200


async def raw(address: str, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What a server answers to bytes sent piece by piece."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    return answer


async def test_a_sender_who_drips_is_given_up_and_others_are_served_meanwhile(
    served: Any, east: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    head = (
        b"POST /tallies HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\ncontent-type: application/json\r\n"
        + f"authorization: {issuer.bearer(unit='unit_a')['authorization']}\r\n".encode()
        + b"idempotency-key: k\r\n\r\n"
    )
    dripping = asyncio.create_task(raw(served[0], head, b"{", b'"', b"u", pause=0.1))
    assert await opened(east)
    assert (await dripping).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "garbage", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n"]
)
async def test_what_is_no_http_is_refused_and_does_no_harm(
    served: Any, east: httpx.AsyncClient, garbage: bytes
) -> None:
    assert (await raw(served[0], garbage)).split(b" ")[1] in (b"400", b"404")
    assert await opened(east)


async def test_a_graceful_stop_answers_what_was_accepted(served: Any, runtime: Any, east: httpx.AsyncClient) -> None:
    tallies = [await opened(east) for _ in range(4)]
    keys = [key() for _ in range(40)]
    adding = [
        asyncio.create_task(east.post(f"/tallies/{tallies[n % 4]}/add", json={"amount": 1}, headers=keys[n]))
        for n in range(40)
    ]
    edge = served[1].config.app.edge
    while edge.in_flight < 5:  # noqa: ASYNC110 several are on their way
        await asyncio.sleep(0)
    served[1].should_exit = True
    answers = await asyncio.gather(*adding, return_exceptions=True)
    accepted = [answer for answer in answers if isinstance(answer, httpx.Response)]
    assert len(accepted) >= 5
    assert {answer.status_code for answer in accepted} == {200}
    totals = [(await runtime.histories["tally"].get(tally, scope="unit_a")).state.total for tally in tallies]
    assert sum(totals) == len(accepted)
