"""The start and the stop of a process: ``python -m services.<name> api|worker|relay``."""

import argparse
import asyncio
import importlib.util
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress

import structlog

from services.chassis.aggregate import Service
from services.chassis.collector import spare_the_collector
from services.chassis.connections import server_config
from services.chassis.health import serve_health
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.storage.driver import is_passing
from services.chassis.telemetry import configure_logs

LOG = structlog.get_logger()
UNEXPECTED = 70  # EX_SOFTWARE: the supervisor starts the process again
GRACE = 20  # seconds to answer what was accepted
KEEP_ALIVE = 30  # seconds for which a connection is kept for the next request
START_PATIENCE = 60  # seconds to wait for a server that is starting

Run = Callable[[Runtime, asyncio.Event], Awaitable[None]]


def main(service: Service) -> None:
    """Run one kind of process of a service until it is told to stop."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service.name}")
    parser.add_argument("kind", choices=sorted(KINDS))
    kind = parser.parse_args().kind
    settings = Settings.from_environment(service.name)
    configure_logs(service.name, kind)
    with asyncio.Runner(loop_factory=_loop_of(kind)) as runner:
        code = runner.run(_supervised(service, settings, KINDS[kind]))
    sys.exit(code)


def _loop_of(kind: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop for requests, where it exists; faust and the relay were only ever seen on asyncio's own loop."""
    if kind != "api" or importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


async def _supervised(service: Service, settings: Settings, run: Run) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    if settings.embedded:
        LOG.warning("embedded_default", note="not for production: tokens and keys are made on this machine")
    runtime = Runtime(service, settings)
    try:
        await started(runtime, stopping)
        spare_the_collector()
        await run(runtime, stopping)
    except Exception:
        LOG.exception("process_failed")
        return UNEXPECTED
    finally:
        await runtime.stop()
    return 0


async def started(runtime: Runtime, stopping: asyncio.Event) -> None:
    """Start, waiting with growing pauses while MongoDB is away."""
    pause = 0.1
    loop = asyncio.get_running_loop()
    limit = loop.time() + START_PATIENCE
    while True:
        try:
            return await runtime.start()
        except Exception as error:
            if not is_passing(error) or loop.time() > limit or stopping.is_set():
                raise
            LOG.warning("waiting_for_mongodb", error=type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 3)


# Each kind imports its own parts only: half of a start is imports, and a machine starts many processes at once.


async def _api(runtime: Runtime, stopping: asyncio.Event) -> None:
    import uvicorn

    from services.chassis.http import application

    await runtime.access.start()
    app = application(runtime)
    host = os.environ.get("LINLI_HOST", "127.0.0.1")
    port = runtime.settings.api_port
    server = uvicorn.Server(
        server_config(app, host=host, port=port, timeout_graceful_shutdown=GRACE, timeout_keep_alive=KEEP_ALIVE)
    )
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]  # ``_supervised`` has them
    serving = asyncio.create_task(server.serve())
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if app.edge is not None:
        with suppress(TimeoutError):  # a client that reads too slowly is left behind
            async with asyncio.timeout(GRACE):
                await app.edge.drain()
    server.should_exit = True
    await serving


async def _worker(runtime: Runtime, stopping: asyncio.Event) -> None:
    from services.chassis.clocks.deadlines import Sweep
    from services.chassis.consuming.guard import Guard, reactions_of
    from services.chassis.districts.restamp import Restamp
    from services.chassis.reconciling.job import Reconciliation

    consumed = reactions_of(runtime.service).topics(runtime.settings)
    parts = (Guard(runtime), Sweep(runtime), Restamp(runtime), Reconciliation(runtime, consumed))
    await _together(runtime, stopping, *(part.run(stopping) for part in parts))


async def _relay(runtime: Runtime, stopping: asyncio.Event) -> None:
    from services.chassis.publishing.relay import Relay

    await _together(runtime, stopping, Relay(runtime).run(stopping))


async def _together(runtime: Runtime, stopping: asyncio.Event, *parts: Awaitable[None]) -> None:
    """Run the parts beside the health page; the first that fails ends all."""
    async with serve_health(runtime.health, runtime.settings.health_port):
        tasks = {asyncio.ensure_future(part) for part in parts}
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        stopping.set()
        if rest:
            await asyncio.wait(rest, timeout=GRACE)
        for task in done:
            task.result()


KINDS: dict[str, Run] = {"api": _api, "worker": _worker, "relay": _relay}
