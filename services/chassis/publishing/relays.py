"""Several services' relays in one process: what one machine needs. Each has a lease and a producer of its own."""

import argparse
import asyncio
import signal
from dataclasses import dataclass

import structlog

from services.chassis.aggregate import Service
from services.chassis.catalogue import Catalogue
from services.chassis.collector import spare_the_collector
from services.chassis.health import Health, Verdict, serve_health
from services.chassis.publishing.publisher import UNEXPECTED
from services.chassis.publishing.relay import Relay
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, PyMongoError, connect
from services.chassis.telemetry import configure_logs

LOG = structlog.get_logger()
GRACE = 20  # seconds to keep the last positions


@dataclass
class Ground:
    """What one relay stands on; the client and the health page are shared."""

    service: Service
    settings: Settings
    client: Client
    health: Health


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("services", nargs="*", help="服务名,缺省为全部 · service names, all by default")


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Publish until told to stop; code 70 when something unexpected happened."""
    configure_logs("relay", "relay")
    services = [service for service in catalogue.all(arguments.services) if service.aggregates]
    settings = {service.name: Settings.from_environment(service.name) for service in services}
    return asyncio.run(_publish(services, settings))


async def _publish(services: list[Service], settings: dict[str, Settings]) -> int:
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    any_settings = next(iter(settings.values()))
    client, health = connect(any_settings.mongo), Health("relay")
    health.add("mongodb", lambda: _answers(client))
    relays = [Relay(Ground(service, settings[service.name], client, health)) for service in services]
    spare_the_collector()
    try:
        async with serve_health(health, any_settings.health_port):
            return await _until_stopped(relays, stopping)
    finally:
        await client.close()


async def _until_stopped(relays: list[Relay], stopping: asyncio.Event) -> int:
    tasks = [asyncio.create_task(relay.run(stopping)) for relay in relays]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stopping.set()
    if rest:
        await asyncio.wait(rest, timeout=GRACE)
    failed = [task.exception() for task in done if task.exception() is not None]
    for error in failed:
        LOG.error("relay_failed", exc_info=error)
    return UNEXPECTED if failed else 0


async def _answers(client: Client) -> Verdict:
    try:
        await client.ping()
    except PyMongoError as error:
        return False, f"MongoDB does not answer ({type(error).__name__})"
    return True, ""
