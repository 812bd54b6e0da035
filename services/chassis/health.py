"""Whether a process is alive and ready, with reasons, for probes and for people."""

import asyncio
import inspect
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

import orjson
import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis.connections import server_config

LOG = structlog.get_logger()
Verdict = tuple[bool, str]  # good, and if not: why
Check = Callable[[], Verdict | Awaitable[Verdict]]
PATIENCE = 2.0  # seconds for one check
PUBLISHED = "/published"
PATHS = frozenset({"/live", "/ready", "/metrics", PUBLISHED})


class Health:
    """Named checks. ``live`` fails only on what a restart would mend; ``ready`` fails on anything."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._checks: dict[str, tuple[Check, bool]] = {}
        self.published: Callable[[], Awaitable[datetime | None]] | None = None  # up to when events are in Kafka
        self.stopping = False

    def add(self, name: str, check: Check, *, live: bool = False) -> None:
        """Ask ``check`` at every probe; with ``live`` its failure asks for a restart."""
        self._checks[name] = (check, live)

    async def report(self, *, live: bool) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and each check's verdict."""
        names = [name for name, (_, counts) in self._checks.items() if counts or not live]
        verdicts = await asyncio.gather(*(self._ask(name) for name in names))
        checks = {name: {"ok": ok, "reason": reason} for name, (ok, reason) in zip(names, verdicts, strict=True)}
        if self.stopping and not live:
            checks["stopping"] = {"ok": False, "reason": "the process is about to end"}
        good = all(check["ok"] for check in checks.values())
        return good, {"service": self.service, "ok": good, "checks": checks}

    async def respond(self, path: str) -> tuple[int, bytes, bytes]:
        """Status, content type and body of one of ``PATHS``."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST.encode(), generate_latest()
        if path == PUBLISHED:
            told = await self._published_to()
            return 503 if told is None else 200, b"application/json", orjson.dumps({"published_to": told})
        good, report = await self.report(live=path == "/live")
        return 200 if good else 503, b"application/json", orjson.dumps(report)

    async def _published_to(self) -> datetime | None:
        """What other services' figures need to know of this one; None when nothing can be told now."""
        if self.published is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.published()
        except Exception as error:  # noqa: BLE001 as a check: a probe is answered whatever happens
            LOG.warning("published_to_not_known", error=type(error).__name__)
            return None

    async def _ask(self, name: str) -> Verdict:
        try:
            async with asyncio.timeout(PATIENCE):
                verdict = self._checks[name][0]()
                return await verdict if inspect.isawaitable(verdict) else verdict
        except TimeoutError:
            return False, f"no answer within {PATIENCE:g} s"
        except Exception as error:
            LOG.exception("check_failed", check=name)
            return False, f"the check failed ({type(error).__name__})"


async def answer_probe(health: Health, path: str, send: Any, extra: list[tuple[bytes, bytes]]) -> int:
    """Send the answer to a probe; returns its status."""
    status, media, body = await health.respond(path)
    headers = [(b"content-type", media), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers + extra})
    await send({"type": "http.response.body", "body": body})
    return status


def probes(health: Health) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """An ASGI application that answers probes and nothing else: for the worker and the relay."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] in PATHS and scope["method"] == "GET":
            await answer_probe(health, scope["path"], send, [])
            return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app


class _Server(uvicorn.Server):
    """Leaves the signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_health(health: Health, port: int, host: str | None = None) -> AsyncIterator[int]:
    """Answer probes while the body runs, in the same event loop; yields the port (the system's choice for 0).

    ``host`` is ``LINLI_HOST`` unless given. Raises OSError when the port is taken.
    """
    host = host or os.environ.get("LINLI_HOST", "127.0.0.1")
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    server = _Server(server_config(probes(health), timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listening.close()
