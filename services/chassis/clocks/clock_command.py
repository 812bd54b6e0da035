"""The command that shows the clock of all processes and, where it may move, moves it forward."""

import argparse
import asyncio
from datetime import datetime, timedelta

from services.chassis.catalogue import Catalogue
from services.chassis.clocks.clock import Clock, duration
from services.chassis.errors import Invalid, Problem
from services.chassis.settings import Settings
from services.chassis.storage.driver import connect
from services.chassis.telemetry import configure_logs

REFUSALS = {
    "clock-fixed": (
        "此处的时钟不可移动：仅供测试和演示（LINLI_MOVABLE_CLOCK=1）。",
        "The clock does not move here: it does in tests and demonstrations only (LINLI_MOVABLE_CLOCK=1).",
    ),
    "clock-never-back": ("时钟只能向前。", "The clock moves forward only."),
    "clock-not-followed": (
        "时钟已移动，但这些进程没有跟上：{followers}",
        "The clock has moved, but these processes have not followed: {followers}",
    ),
}


def step(text: str) -> timedelta:
    """How far: ``90s``, ``15m``, ``8h``, ``3d``, ``1d12h``."""
    try:
        return duration(text)
    except Invalid:
        raise argparse.ArgumentTypeError(f"no duration: {text}") from None


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|advance")
    actions.add_parser("show", help="现在几点 · what time it is")
    advance = actions.add_parser("advance", help="向前移动 · move forward")
    advance.add_argument("by", type=step, help="90s, 15m, 8h, 3d, 1d12h")


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Show or move; code 2 when the clock may not be moved, 1 when a process has not followed."""
    configure_logs("clock", "command", "ERROR")
    try:
        now, ahead = asyncio.run(_act(arguments))
    except Problem as refused:
        if refused.code not in REFUSALS:
            raise
        print("\n".join(REFUSALS[refused.code]).format(followers=", ".join(refused.params.get("followers", ()))))
        return 1 if refused.code == "clock-not-followed" else 2
    print(f"{now.isoformat(timespec='seconds')}  (+{ahead - timedelta(microseconds=ahead.microseconds)})")
    return 0


async def _act(arguments: argparse.Namespace) -> tuple[datetime, timedelta]:
    settings = Settings.from_environment("clock")
    client = connect(settings.mongo)
    clock = Clock(client, settings)
    try:
        await clock.start()
        if arguments.action == "advance":
            await clock.advance(arguments.by)
        return clock.now(), clock.offset
    finally:
        await clock.stop()
        await client.close()
