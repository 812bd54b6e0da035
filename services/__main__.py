"""What concerns several services at once: ``python -m services <command>``; ``--help`` lists the commands.

A command is a module with ``arguments(parser)`` and ``run(arguments, catalogue) -> exit code``; one line adds it.
"""

import argparse
import importlib
import sys

from services.chassis.catalogue import Catalogue

CATALOGUE = Catalogue(("directory", "complaints", "volunteers", "insight"))
COMMANDS = {
    "relay": (
        "services.chassis.publishing.relays",
        "从一个进程发布各服务的事件 · publish several services' events from one process",
    ),
    "republish": ("services.chassis.publishing.republishing", "重新发布历史事件 · send events of the past again"),
    "parked": (
        "services.chassis.consuming.parked_command",
        "停放的事件:列出、查看、重放、丢弃 · parked events: list, show, replay, discard, resume",
    ),
    "reconcile": (
        "services.chassis.reconciling.command",
        "对账:历史、主题、各服务已处理的,逐条说明并修复 · compare histories, topics and what is applied; explain, heal",
    ),
    "clock": ("services.chassis.clocks.clock_command", "查看或向前移动时钟 · show the clock, or move it forward"),
    "rebuild": ("services.insight.rebuild", "由各服务的历史重算统计 · make insight's figures anew from the histories"),
    "who-may-what": (
        "services.chassis.contracts.permits",
        "导出或检查权限表 · export or check the table of who may what",
    ),
    "schemas": ("services.chassis.contracts.schemas", "导出或检查公开的契约 · export or check the published contract"),
}


def main(given: list[str]) -> int:
    """Run the named command; only its module is imported."""
    parser = argparse.ArgumentParser(prog="python -m services", description="邻里 · Linli")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if given[:1] == [name]:
            importlib.import_module(module).arguments(command)
    arguments = parser.parse_args(given)
    code: int = importlib.import_module(COMMANDS[arguments.command][0]).run(arguments, CATALOGUE)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
