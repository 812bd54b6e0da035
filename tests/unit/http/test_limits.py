"""Nobody can hurt the service by sending much, slowly, or at once."""

import asyncio
from typing import Any

import httpx
import pytest

from services.chassis.http import application
from services.chassis.http.bodies import MOST_WAITING
from services.chassis.http.edge import MOST_UPLOADS
from tests.unit.http.issuer import TestIssuer
from tests.unit.http.sample import Gate

KEY = b"0190c1a0-0000-7000-8000-00000000000a"


class Wire:
    """One request whose body arrives as the test lets it."""

    def __init__(self, app: Any, issuer: TestIssuer, path: str = "/cases") -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        headers = [
            (b"authorization", issuer.bearer()["authorization"].encode()),
            (b"idempotency-key", KEY),
            (b"content-type", b"application/json"),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": headers,
            "client": None,
        }
        self.task = asyncio.create_task(app(scope, self.incoming.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def arrives(self, body: bytes, more: bool) -> None:
        self.incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def status(self) -> int:
        await asyncio.wait_for(self.task, 5)
        return int(self.sent[0]["status"])


async def test_a_body_that_does_not_come_is_given_up(runtime: Any, issuer: TestIssuer) -> None:
    app = application(runtime, patience=0.1)
    silent, dripping = Wire(app, issuer), Wire(app, issuer)
    dripping.arrives(b"{", more=True)
    assert await silent.status() == 408
    assert await dripping.status() == 408
    assert not silent.task.cancelled()


async def test_a_body_in_pieces_is_put_together(runtime: Any, issuer: TestIssuer) -> None:
    wire = Wire(application(runtime), issuer)
    for piece in (b'{"kind": "compl', b'aint", "subject"', b': "xx"}'):
        wire.arrives(piece, more=True)
    wire.arrives(b"", more=False)
    assert await wire.status() == 201


async def test_a_caller_who_hangs_up_is_not_answered(runtime: Any, issuer: TestIssuer) -> None:
    app = application(runtime)
    wire = Wire(app, issuer)
    wire.arrives(b"{", more=True)
    wire.incoming.put_nowait({"type": "http.disconnect"})
    await asyncio.wait_for(wire.task, 5)
    assert wire.sent == []
    assert app.edge is not None and app.edge.in_flight == 0


async def test_a_request_that_is_cancelled_stays_cancelled(runtime: Any, issuer: TestIssuer) -> None:
    wire = Wire(application(runtime), issuer)
    await asyncio.sleep(0)  # it begins, and waits for its body
    wire.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wire.task


async def test_beyond_the_bound_requests_are_told_to_wait_and_probes_are_not(runtime: Any, issuer: TestIssuer) -> None:
    app = application(runtime, most_in_flight=2)
    Gate.opened = asyncio.Event()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as client:
        held = [asyncio.create_task(client.get("/held")) for _ in range(2)]
        while app.edge.in_flight < 2:  # noqa: ASYNC110 both have come in
            await asyncio.sleep(0)
        refused = await client.get("/wall")
        assert (refused.status_code, refused.json()["code"]) == (429, "busy")
        assert refused.headers["retry-after"] == "1"
        assert (await client.get("/live")).status_code == 200
        Gate.opened.set()
        assert [answer.status_code for answer in await asyncio.gather(*held)] == [200, 200]


async def test_slow_senders_keep_nobody_else_out(runtime: Any, issuer: TestIssuer) -> None:
    """However many bodies are on their way: others are served, and one more takes the place of the slowest."""
    app = application(runtime, most_in_flight=2)
    slow = [Wire(app, issuer) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as client:
        assert (await client.get("/wall")).status_code == 200
    one_more = Wire(app, issuer)
    one_more.arrives(b'{"kind": "complaint", "subject": "xx"}', more=False)
    assert await one_more.status() == 201
    assert await slow[0].status() == 408
    for wire in slow[1:]:
        wire.incoming.put_nowait({"type": "http.disconnect"})
        await wire.task
    assert app.edge is not None and app.edge.in_flight == 0


async def test_only_a_few_large_files_are_in_hand_at_once(runtime: Any, issuer: TestIssuer) -> None:
    app = application(runtime)
    uploading = [Wire(app, issuer, "/imports") for _ in range(MOST_UPLOADS)]
    await asyncio.sleep(0)
    one_more = Wire(app, issuer, "/imports")
    assert await one_more.status() == 429
    small = Wire(app, issuer)
    small.arrives(b'{"kind": "complaint", "subject": "xx"}', more=False)
    assert await small.status() == 201
    for wire in uploading:
        wire.incoming.put_nowait({"type": "http.disconnect"})
        await wire.task
    again = Wire(app, issuer, "/imports")
    again.arrives(b"", more=False)
    assert await again.status() == 422


async def test_what_was_accepted_is_answered_before_the_end(runtime: Any, issuer: TestIssuer) -> None:
    app = application(runtime)
    accepted = Wire(app, issuer)
    await asyncio.sleep(0)
    assert app.edge is not None
    draining = asyncio.create_task(app.edge.drain())
    await asyncio.sleep(0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as client:
        late = await client.get("/wall")
        assert (late.status_code, late.json()["code"]) == (503, "stopping")
        assert (await client.get("/ready")).json()["checks"]["stopping"]["ok"] is False
        assert (await client.get("/live")).status_code == 200
    assert not draining.done()
    accepted.arrives(b'{"kind": "complaint", "subject": "xx"}', more=False)
    assert await accepted.status() == 201
    await asyncio.wait_for(draining, 1)


async def test_the_embedded_default_says_so_on_every_answer(runtime: Any) -> None:
    from dataclasses import replace

    runtime.settings = replace(runtime.settings, embedded=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(runtime)), base_url="http://s") as client:
        for path in ("/wall", "/nowhere", "/live"):
            assert "not for production" in (await client.get(path)).headers["linli-warning"]


async def test_requests_are_counted_by_route_and_never_by_path(recorder: httpx.AsyncClient) -> None:
    await recorder.get("/cases/case_1")
    await recorder.get("/cases/13800001234")
    await recorder.request("MADEUP", "/13800001234")
    metrics = (await recorder.get("/metrics")).text
    assert 'linli_requests_total{code="200",method="GET",route="/cases/{id}",service="sample"}' in metrics
    assert 'linli_requests_total{code="404",method="GET",route="/cases/{id}",service="sample"}' in metrics
    assert "linli_request_seconds_bucket" in metrics
    assert "13800001234" not in metrics and "MADEUP" not in metrics
