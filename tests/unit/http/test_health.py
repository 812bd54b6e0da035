"""Probes say what is wrong in words, and only what a restart would mend asks for one."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from services.chassis.health import Health, serve_health


async def test_a_process_without_troubles_is_live_and_ready() -> None:
    health = Health("sample")
    health.add("mongodb", lambda: (True, ""))
    assert await health.report(live=True) == (True, {"service": "sample", "ok": True, "checks": {}})
    assert (await health.report(live=False))[0]


async def test_a_failing_check_makes_it_unready_with_its_reason_but_not_dead() -> None:
    async def away() -> tuple[bool, str]:
        return False, "Kafka does not answer"

    health = Health("sample")
    health.add("kafka", away)
    ready, report = await health.report(live=False)
    assert not ready
    assert report["checks"]["kafka"] == {"ok": False, "reason": "Kafka does not answer"}
    assert (await health.report(live=True))[0]


async def test_what_a_restart_would_mend_makes_it_dead() -> None:
    health = Health("sample")
    health.add("stuck", lambda: (False, "no progress for 60 s"), live=True)
    assert not (await health.report(live=True))[0]


async def test_a_check_that_raises_or_hangs_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.health.PATIENCE", 0.02)

    def broken() -> tuple[bool, str]:
        raise KeyError("13800001234")

    async def hanging() -> tuple[bool, str]:
        await asyncio.Event().wait()
        return True, ""

    health = Health("sample")
    health.add("broken", broken)
    health.add("hanging", hanging)
    ready, report = await health.report(live=False)
    assert not ready
    assert report["checks"]["broken"]["reason"] == "the check failed (KeyError)"
    assert "no answer" in report["checks"]["hanging"]["reason"]


async def test_probes_are_served_on_a_port_of_their_own() -> None:
    health = Health("sample")
    health.add("kafka", lambda: (False, "away"))
    async with serve_health(health, 0) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        live, ready, metrics = [await client.get(path) for path in ("/live", "/ready", "/metrics")]
        assert (live.status_code, ready.status_code) == (200, 503)
        assert ready.json()["checks"]["kafka"]["reason"] == "away"
        assert "linli_" in metrics.text
        assert (await client.get("/cases")).status_code == 404
        assert (await client.post("/live")).status_code == 404


async def test_a_taken_port_is_told() -> None:
    async with serve_health(Health("one"), 0) as port:
        with pytest.raises(OSError):
            async with serve_health(Health("two"), port):
                pass


async def test_up_to_when_events_are_in_kafka_is_told_when_it_is_known_and_not_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.chassis.health.PATIENCE", 0.02)
    health, at = Health("sample"), datetime(2026, 3, 1, 8, tzinfo=UTC)

    async def known() -> datetime:
        return at

    async def never() -> None:
        return None

    async def hangs() -> datetime:
        await asyncio.Event().wait()
        return at

    async def broken() -> datetime:
        raise ConnectionError("13800001234")

    for published in (None, never, hangs, broken):
        health.published = published  # type: ignore[assignment]
        status, _, body = await health.respond("/published")
        assert (status, body) == (503, b'{"published_to":null}')
    health.published = known
    assert (await health.respond("/published"))[::2] == (200, b'{"published_to":"2026-03-01T08:00:00+00:00"}')
