"""The command that compares histories, topics and what every service has applied, names each difference, and heals."""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.chassis.catalogue import Catalogue
from services.chassis.clocks.clock_command import step
from services.chassis.publishing.republishing import instant
from services.chassis.reconciling import words
from services.chassis.reconciling.differences import ASTRAY, NOT_IN_TOPIC, Asked, Difference, Looking
from services.chassis.reconciling.healing import Healed, Healing
from services.chassis.reconciling.hours import server_seconds
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, connect
from services.chassis.telemetry import configure_logs

TOPICS_SINCE = timedelta(hours=24)
ON_ITS_WAY = timedelta(seconds=60)


@dataclass
class Report:
    """What one look has found."""

    differences: list[Difference]
    records: int
    more: bool

    def told(self) -> dict[str, Any]:
        """As a plain document."""
        return {
            "records": self.records,
            **self.sums(),
            "more": self.more,
            "differences": [each.told() | words.difference(each) for each in self.differences],
        }

    def sums(self) -> dict[str, int]:
        """How many events are not applied and not in their topic, and how many records are astray."""
        lacked = [each for each in self.differences if each.where not in ASTRAY]
        holes = {(each.subject, each.sequence) for each in lacked if each.where == NOT_IN_TOPIC}
        return {
            "unapplied": sum(bool(each.consumer) for each in lacked),
            "unpublished": len(holes),
            "astray": len(self.differences) - len(lacked),
        }


def number(text: str) -> int:
    """How many: 1 to 1,000,000."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"应为 1 到 1000000 的整数 · a whole number from 1 to 1000000: {text}")
    return int(text)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--service", default="", help="只看与它有关的 · only what concerns this service")
    parser.add_argument("--aggregate", default="", help="一种聚合 · one aggregate type: case")
    parser.add_argument("--subject", default="", help="一条记录 · one record: case_0190…")
    parser.add_argument(
        "--since", type=instant,
        help="此后写入的;缺省为全部记录、24 小时的主题 · written since: 8h, 3d; else all records, topics of 24 hours",
    )
    parser.add_argument(
        "--older-than", type=step, default=ON_ITS_WAY, help="更新的视为在途 · younger ones are on their way: 60s"
    )
    parser.add_argument("--most", type=number, default=10_000, help="最多列出几条 · at most so many are named")
    parser.add_argument("--heal", action="store_true", help="补发、接续、重放 · send again, drain, replay")
    parser.add_argument(
        "--wait", type=step, default=timedelta(seconds=60), help="修复时等 worker 多久 · patience with the workers"
    )
    parser.add_argument("--json", action="store_true", help="机器可读 · machine readable")


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Look, heal if asked to, and look again; code 0 when nothing differs (any more), 2 for what there is not."""
    wrong = _unknown(arguments, catalogue)
    if wrong:
        print(wrong)
        return 2
    configure_logs("reconcile", "command", "ERROR", sys.stderr)
    before, healed, after = asyncio.run(_run(arguments, catalogue))
    if arguments.subject and not before.records and not before.differences:
        print(f"没有这条记录:{arguments.subject}\nThere is no such record: {arguments.subject}")
        return 2
    if arguments.json:
        print(orjson.dumps(_document(before, healed, after), option=orjson.OPT_INDENT_2).decode())
    else:
        _tell(before, healed, after)
    return 1 if (after or before).differences else 0


def _unknown(arguments: argparse.Namespace, catalogue: Catalogue) -> str:
    if arguments.service and arguments.service not in catalogue.names:
        names = ", ".join(catalogue.names)
        return f"没有服务 {arguments.service},只有 {names}。\nThere is no service {arguments.service}, only {names}."
    kinds = sorted({each.name for service in catalogue.all() for each in service.aggregates})
    if arguments.aggregate and arguments.aggregate not in kinds:
        known = ", ".join(kinds)
        wrong = arguments.aggregate
        return f"没有聚合 {wrong},只有 {known}。\nThere is no aggregate {wrong}, only {known}."
    return ""


async def _run(arguments: argparse.Namespace, catalogue: Catalogue) -> tuple[Report, Healed | None, Report | None]:
    settings = Settings.from_environment("reconcile")
    client = connect(settings.mongo)
    try:
        before = await _look(arguments, catalogue, settings, client)
        if not arguments.heal or not before.differences:
            return before, None, None
        healing = Healing(settings, catalogue, client, arguments.wait.total_seconds())
        healed = await healing.heal(before.differences)
        return before, healed, await _look(arguments, catalogue, settings, client)
    finally:
        await client.close()


async def _look(arguments: argparse.Namespace, catalogue: Catalogue, settings: Settings, client: Client) -> Report:
    now = await server_seconds(client.database(settings.database))
    since: datetime | None = arguments.since
    asked = Asked(
        until=now - round(arguments.older_than.total_seconds()),
        topics_since=int(since.timestamp()) if since else now - round(TOPICS_SINCE.total_seconds()),
        since=int(since.timestamp()) if since else None,
        service=arguments.service,
        aggregate=arguments.aggregate,
        subject=arguments.subject,
        most=arguments.most,
    )

    def look() -> Report:
        with client.blocking() as mongo:
            looking = Looking(settings, catalogue.all(), mongo, asked)
            return Report(looking.differences(), looking.records, looking.more)

    return await asyncio.to_thread(look)


def _document(before: Report, healed: Healed | None, after: Report | None) -> dict[str, Any]:
    document = before.told()
    if healed is not None and after is not None:
        done = {"sent": healed.sent, "in_time": healed.in_time, "replayed": dict(healed.replayed)}
        document |= {"healed": done, "after": after.told()}
    return document


def _tell(before: Report, healed: Healed | None, after: Report | None) -> None:
    _tell_report(before)
    if healed is None or after is None:
        return
    replayed = ", ".join(f"{outcome} {number}" for outcome, number in sorted(healed.replayed.items())) or "0"
    print(f"\n已补发 {healed.sent} 条,重放 {replayed}。\n{healed.sent} events sent again, replayed: {replayed}.")
    if not healed.in_time:
        print(words.NOT_IN_TIME)
    print("\n修复之后 · After healing")
    _tell_report(after)


def _tell_report(report: Report) -> None:
    for each in report.differences:
        said = words.difference(each)
        written = each.told()["hour"] or "?"
        print(f"{each.service}.{each.aggregate} {each.subject} #{each.sequence} {each.type} {each.event} {written}")
        print(f"  {said['zh']}\n  {said['en']}")
    if report.more:
        print("还有更多,未列出。\nThere are more than these.")
    sums = report.sums()
    print(
        f"核对 {report.records} 条记录:未生效 {sums['unapplied']},主题缺 {sums['unpublished']},"
        f"与历史不符 {sums['astray']}。\n{report.records} records compared: events_unapplied {sums['unapplied']}, "
        f"not in the topic {sums['unpublished']}, other than the history {sums['astray']}."
    )
