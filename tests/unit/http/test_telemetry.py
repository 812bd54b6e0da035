"""Logs join what belongs together and hold nothing of a person."""

import asyncio
import json
import logging
from io import StringIO
from typing import Any

import pytest
import structlog

from services.chassis.telemetry import TRACEPARENT, TRAIL, Trail, configure_logs, continued, current_trace, masked

PHONE, NUMBER, NAME = "13800001234", "110101199003071233", "张三丰"


@pytest.fixture
def lines() -> Any:
    root, before, written = logging.getLogger(), logging.getLogger().handlers[:], StringIO()
    configure_logs("sample", "api")
    root.handlers[0].setStream(written)  # type: ignore[attr-defined]
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = before
    structlog.reset_defaults()


def test_an_exception_is_logged_by_type_and_place_and_never_by_its_message(lines: Any) -> None:
    try:
        try:
            int(f"{NAME} {PHONE}")
        except ValueError as error:
            raise KeyError(f"{NAME} {PHONE}") from error
    except KeyError:
        structlog.get_logger().exception("went_wrong")
        logging.getLogger("library").exception("library went wrong")
    for line in lines():
        assert line["raised"] == ["KeyError", "ValueError"]
        assert any("test_telemetry.py" in place for place in line["where"])
        assert NAME not in str(line) and PHONE not in str(line)


def test_long_runs_of_digits_are_masked_as_a_last_resort(lines: Any) -> None:
    log = structlog.get_logger()
    log.info(f"called {PHONE}", phone=PHONE, numbers=[NUMBER, {"n": PHONE}], count=12345678, short="123456")
    logging.getLogger("library").warning("called %s", PHONE)
    first, second = lines()
    assert PHONE not in str(first) and NUMBER not in str(first)
    assert (first["count"], first["short"]) == (12345678, "123456")
    assert second["event"] == "called …"


def test_ids_stay_readable(lines: Any) -> None:
    record = "case_01901234-5678-7000-8000-123456789012"
    structlog.get_logger().info("kept", record=record)
    assert lines()[0]["record"] == record
    assert masked("0190c1a01234567890abcdef12345678") == "0190c1a01234567890abcdef12345678"


def test_every_line_says_which_service_and_request(lines: Any) -> None:
    trace = continued(None)
    token = TRAIL.set(Trail("request-1", trace))
    structlog.get_logger().warning("odd", detail=1)
    TRAIL.reset(token)
    line = lines()[0]
    assert (line["service"], line["kind"], line["level"], line["request"]) == ("sample", "api", "warning", "request-1")
    assert line["trace"] == trace.split("-")[1]
    assert list(line)[:3] == ["time", "level", "event"]


def test_a_trace_goes_on_with_a_step_of_its_own() -> None:
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    ours = continued(sent)
    assert ours[:36] == sent[:36] and ours != sent
    assert TRACEPARENT.fullmatch(ours)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "x",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
    ],
)
def test_a_trace_that_is_none_is_replaced(sent: str | None) -> None:
    ours = continued(sent)
    assert TRACEPARENT.fullmatch(ours)
    assert continued(sent) != ours


async def test_each_request_has_its_own_trail() -> None:
    async def one(name: str) -> str | None:
        TRAIL.set(Trail(name, f"trace-of-{name}"))
        await asyncio.sleep(0)
        return current_trace()

    assert await asyncio.gather(asyncio.create_task(one("a")), asyncio.create_task(one("b"))) == [
        "trace-of-a",
        "trace-of-b",
    ]
