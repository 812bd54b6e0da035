"""What is seen from outside: logs in JSON, metrics, and the trace that joins request, history, Kafka and reaction.

Nothing of a person may stand here. Exceptions are logged by type and place, never by message: messages of parsers
and databases quote what somebody typed. Runs of seven digits and more are masked as a last resort.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import orjson
import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.typing import ExcInfo

if TYPE_CHECKING:
    from services.chassis.storage.driver import Database

DIGITS = re.compile(r"\d{7,}")
IDENTIFIER = re.compile(r"(?:[a-z][a-z0-9]*_)?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{32}")
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
FRAMES = 12  # innermost ones of a traceback

REQUESTS = Counter("linli_requests", "Requests answered", ["service", "route", "method", "code"])
REQUEST_SECONDS = Histogram(
    "linli_request_seconds",
    "Time to answer",
    ["service", "route", "method"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
IN_FLIGHT = Gauge("linli_requests_in_flight", "Requests being answered now", ["service"])
CLOCK_SKEW = Gauge("linli_clock_skew_seconds", "This machine's time less the time of MongoDB's primary")


class Trail(NamedTuple):
    """What joins the lines of one request or one event."""

    request: str
    traceparent: str


TRAIL: ContextVar[Trail | None] = ContextVar("trail", default=None)


def continued(traceparent: str | None) -> str:
    """A W3C ``traceparent`` for the work that begins here: the same trace as the caller's, or a new one."""
    random = os.urandom(24).hex()
    if traceparent is not None and TRACEPARENT.fullmatch(traceparent):
        return f"{traceparent[:36]}{random[:16]}{traceparent[52:]}"
    return f"00-{random[:32]}-{random[32:]}-01"


def current_trace() -> str | None:
    """The ``traceparent`` of the request or event at work, to be passed on."""
    trail = TRAIL.get()
    return trail.traceparent if trail else None


def configure_logs(service: str, kind: str, level: str = "INFO", to: TextIO | None = None) -> None:
    """Write every log line of this process, also those of libraries, as one line of JSON to standard output.

    ``to``: elsewhere, for a command whose own output is read by machines.
    """

    def named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"], event["kind"] = service, kind
        return event

    shared: list[Any] = [structlog.stdlib.add_log_level, named, add_trail, add_failure, mask]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.add_logger_name, *shared, _to_handler],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "kafka", "pymongo", "aiokafka", "mode", "faust"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)  # warns at each look that faust's member is opaque


def _to_handler(logger: Any, name: str, event: MutableMapping[str, Any]) -> Any:
    return structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, name, event)


def add_trail(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the request's id and the trace's."""
    trail = TRAIL.get()
    if trail is not None:
        event.setdefault("request", trail.request)
        event.setdefault("trace", trail.traceparent[3:35])
    return event


def add_failure(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by the names of its types and the places it passed; its message stays out."""
    raised = _exception(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if raised is not None:
        event["raised"], event["where"] = _types(raised), _places(raised.__traceback__)
    return event


def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide runs of seven digits and more in every text that is not an id."""
    for name, value in event.items():
        if type(value) is str:
            event[name] = masked(value)
        elif not isinstance(value, (int, float, type(None))) and not name.startswith("_"):
            event[name] = _masked_within(value)
    return event


def masked(text: str) -> str:
    """``text`` with runs of seven digits and more hidden, unless all of it is an id."""
    return text if IDENTIFIER.fullmatch(text) else DIGITS.sub("…", text)


def _masked_within(value: Any) -> Any:
    if isinstance(value, dict):
        return {masked(str(name)): _masked_within(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked_within(item) for item in value]
    return value if isinstance(value, (bool, int, float, type(None))) else masked(str(value))


def render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """One line of JSON: time, level and event first."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": event.pop("level", "info")}
    line["event"] = event.pop("event", "")
    text: bytes = orjson.dumps(line | dict(event), default=lambda value: masked(str(value)))
    return text.decode()


def _exception(info: ExcInfo | BaseException | bool | None) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1]
    return sys.exc_info()[1] if info else None


def _types(raised: BaseException) -> list[str]:
    names: list[str] = []
    error: BaseException | None = raised
    while error is not None and len(names) < FRAMES:
        names.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return names


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{os.path.relpath(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


async def measure_skew(database: "Database") -> float:
    """Compare clocks with MongoDB's primary; returns and exports the seconds by which this machine is ahead."""
    before = datetime.now(UTC)
    reply = await database.command({"hello": 1})
    after = datetime.now(UTC)
    skew = (before + (after - before) / 2 - reply["localTime"]).total_seconds()
    CLOCK_SKEW.set(skew)
    return skew
