"""The command that lists, shows, replays and discards parked events, and lets a stopped stream go on."""

import argparse
import asyncio
import getpass
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from services.chassis.catalogue import Catalogue
from services.chassis.consuming.breakers import Breakers
from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.records import REASONS
from services.chassis.consuming.rounds import Rounds
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.storage.driver import Document
from services.chassis.telemetry import configure_logs

OUTCOMES = {
    "applied": "已处理 · applied",
    "parked": "仍然失败,继续停放 · failed again, still parked",
    "waiting": "在等前面的事件 · waits for an earlier event",
    "discarded": "已丢弃 · discarded",
    "absent": "没有这一条 · there is none",
}
PAGE = 200


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    listing = _action(actions, "list", "列出停放的事件 · list parked events")
    listing.add_argument("--reason", choices=REASONS)
    listing.add_argument("--after", help="上一页最后一条 · the last of the page before")
    listing.add_argument("--limit", type=int, default=50)
    show = _action(actions, "show", "显示一条的全部内容 · show all of one")
    show.add_argument("row")
    replay = _action(actions, "replay", "重新处理 · take again")
    replay.add_argument("rows", nargs="*", metavar="row")
    replay.add_argument("--all", action="store_true", help="全部 · everything")
    replay.add_argument("--reason", choices=REASONS, help="只限这种原因 · of this reason only, with --all")
    discard = _action(actions, "discard", "永久跳过一条 · pass one over for good")
    discard.add_argument("row")
    discard.add_argument("--why", required=True, help="理由,会留档 · the reason, kept on record")
    discard.add_argument("--by", default=getpass.getuser(), help="谁决定的 · who decided")
    _action(actions, "resume", "让停下的处理继续 · let a stream that the breaker stopped go on")


def _action(actions: Any, name: str, purpose: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=purpose, description=purpose)
    action.add_argument("--service", required=True)
    return action


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Do it; code 1 when something named is not there or stays parked, 2 when nothing is named."""
    configure_logs(arguments.service, "parked", "ERROR")
    return asyncio.run(_run(arguments, catalogue))


async def _run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    actions: dict[str, Callable[[Rounds, argparse.Namespace], Awaitable[int]]] = {
        "list": _list, "show": _show, "replay": _replay, "discard": _discard,
    }  # fmt: skip
    async with _opened(arguments, catalogue) as runtime:
        if arguments.action == "resume":
            return await _resume(runtime)
        rounds = Rounds(runtime, reactions_of(runtime.service), fatal=False)
        return await actions[arguments.action](rounds, arguments)


@asynccontextmanager
async def _opened(arguments: argparse.Namespace, catalogue: Catalogue) -> AsyncIterator[Runtime]:
    settings = Settings.from_environment(arguments.service)
    runtime = Runtime(catalogue.load(arguments.service), settings)
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()


async def _list(rounds: Rounds, arguments: argparse.Namespace) -> int:
    rows = await rounds.parked.page(reason=arguments.reason, after=arguments.after, limit=arguments.limit)
    for row in rows:
        print(_line(row))
    total = await rounds.parked.count([arguments.reason] if arguments.reason else ())
    print(f"共停放 {total} 条,显示 {len(rows)} 条。\n{total} parked, {len(rows)} shown.")
    return 0


def _line(row: Document) -> str:
    coordinates = f"{row['topic']}/{row['partition']}@{row['offset']}"
    where = f"{row['subject']} #{row['seq']}" if row["subject"] else coordinates
    why = " ".join(filter(None, (row["reason"], row["code"], row["field"])))
    return f"{row['_id']}  {_instant(row['first_at'])}  {where}  {row['type']}  {why}  ×{row['attempts']}"


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


async def _show(rounds: Rounds, arguments: argparse.Namespace) -> int:
    row = await rounds.parked.get(arguments.row)
    if row is None:
        print(OUTCOMES["absent"])
        return 1
    for name, value in row.items():
        if name == "headers":
            for header, content in value:
                print(f"header {header}: {_text(content)}")
        else:
            print(f"{name}: {_text(value) if isinstance(value, bytes) else value}")
    return 0


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"0x{content.hex()}"


async def _replay(rounds: Rounds, arguments: argparse.Namespace) -> int:
    if not arguments.rows and not arguments.all:
        print("请指明要重新处理哪些,或用 --all。\nName what to take again, or give --all.")
        return 2
    outcomes: Counter[str] = Counter()
    async for row in _chosen(rounds, arguments):
        outcomes[await rounds.replay(row)] += 1
    return _told(outcomes, good=("applied",) if arguments.rows else ("applied", "absent"))


async def _chosen(rounds: Rounds, arguments: argparse.Namespace) -> AsyncIterator[str]:
    for row in arguments.rows:
        yield row
    last = None
    while arguments.all:
        page = await rounds.parked.page(reason=arguments.reason, after=last, limit=PAGE)
        if not page:
            return
        for document in page:
            yield document["_id"]
        last = page[-1]["_id"]


async def _discard(rounds: Rounds, arguments: argparse.Namespace) -> int:
    outcome = await rounds.discard(arguments.row, arguments.by, arguments.why)
    return _told(Counter({outcome: 1}), good=("discarded", "waiting"))


def _told(outcomes: Counter[str], good: tuple[str, ...]) -> int:
    for outcome, number in sorted(outcomes.items()):
        print(f"{number}  {OUTCOMES[outcome]}")
    return 0 if all(outcome in good for outcome in outcomes) else 1


async def _resume(runtime: Runtime) -> int:
    stopped = await Breakers(runtime.database, runtime.service.name).close()
    print(f"已让 {stopped} 个停下的进程继续。\n{stopped} stopped workers go on.")
    return 0
