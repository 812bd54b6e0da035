"""The command that sends events of the past again: after a lost broker, for a new consumer, for one aggregate."""

import argparse
import asyncio
from datetime import UTC, datetime

from services.chassis.catalogue import Catalogue
from services.chassis.clocks.clock import duration
from services.chassis.errors import Invalid
from services.chassis.health import Health
from services.chassis.publishing.relays import Ground
from services.chassis.publishing.republish import RECORDS_PER_SECOND, republish
from services.chassis.settings import Settings
from services.chassis.storage.driver import connect
from services.chassis.telemetry import configure_logs


def instant(text: str) -> datetime:
    """An instant with its offset (RFC 3339), or how long ago: ``90s``, ``15m``, ``8h``, ``3d``."""
    try:
        return datetime.now(UTC) - duration(text)
    except Invalid:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"neither an instant nor a duration: {text}") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"an instant needs its offset, as in 2026-05-01T08:00:00+08:00: {text}")
    return moment


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("service")
    parser.add_argument(
        "--since", type=instant, help="此后有变更的记录 · records changed since: 2026-05-01T08:00:00+08:00, 8h, 3d"
    )
    parser.add_argument("--aggregate", help="一种聚合 · one aggregate type: case")
    parser.add_argument("--subject", help="一条记录 · one record: case_0190…")
    parser.add_argument("--type", help="一种事件 · one event type: case.registered")
    parser.add_argument("--all", action="store_true", help="全部历史 · everything")
    parser.add_argument("--rate", type=float, default=RECORDS_PER_SECOND, help="每秒条数 · records a second")


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Send and say how many; code 2 when nothing narrows it down and ``--all`` is not given."""
    narrowed = (arguments.since, arguments.aggregate, arguments.subject, arguments.type)
    if not any(narrowed) and not arguments.all:
        print("请说明范围,或用 --all 重新发布全部历史。\nSay what to send, or --all for the whole history.")
        return 2
    configure_logs(arguments.service, "republish", "WARNING")
    sent = asyncio.run(_republish(arguments, catalogue))
    print(f"已重新发布 {sent} 条事件。\n{sent} events sent again.")
    return 0


async def _republish(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    settings = Settings.from_environment(arguments.service)
    client = connect(settings.mongo)
    try:
        return await republish(
            Ground(catalogue.load(arguments.service), settings, client, Health(arguments.service)),
            since=arguments.since,
            aggregate=arguments.aggregate,
            subject=arguments.subject,
            type=arguments.type,
            per_second=arguments.rate,
        )
    finally:
        await client.close()
