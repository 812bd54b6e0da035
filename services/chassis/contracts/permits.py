"""Who may what: the page ``docs/who-may-what.md``, made from the routes and the roles of every service.

``export`` writes it, ``check`` fails when what is committed differs from the code.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.chassis.aggregate import Service
from services.chassis.catalogue import Catalogue
from services.chassis.http import Application, permission_table

PLACE = Path(__file__).resolve().parents[3] / "docs" / "who-may-what.md"
HEAD = """# Who may what

Made from the code by `make schemas`; do not edit. A caller has the roles that the token names, in one unit, and sees
that unit's records and those below it and no others, whatever the role (see `docs/promises/scope.md`). A dot says that
the role may call the route. *all* stands for a route that is open to everybody, without an account. `service` is
another service of ours, acting for the unit that its call names.

Held by `tests/journeys/test_who_may_what.py`: every route, called as every role and without a token on the running
services.
"""
WITHIN = "What a route asks besides, for a part of what it does:"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("action", choices=("export", "check"))
    parser.add_argument(
        "--against", type=Path, default=PLACE, help="比较或写入的文件 · the file to compare with or write to"
    )


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Export or check; code 1 when what is committed is not what the code gives."""
    place: Path = arguments.against
    now = page(catalogue.all())
    if arguments.action == "export":
        place.write_text(now, encoding="utf-8")
    elif not place.is_file() or place.read_text(encoding="utf-8") != now:
        print(f"{place.name}: 与代码不符,请运行 make schemas · differs from the code: run make schemas")
        return 1
    return 0


def page(services: Iterable[Service]) -> str:
    """The whole page."""
    return HEAD + "".join(_section(service) for service in services)


def within_routes(service: Service) -> list[str]:
    """Permissions that no gate asks for: a route asks for them itself, for a part of what it does."""
    gated = {row.permission for row in permission_table(Application(service))}
    return sorted(frozenset().union(*service.permissions.values()) - gated)


def _section(service: Service) -> str:
    roles = sorted(service.permissions)
    lines = [f"\n## {service.title.zh} · {service.name}\n", _row("route", "permission", *roles)]
    lines.append(_row("---", "---", *(":-:" for _ in roles)))
    for row in permission_table(Application(service)):
        marks = ("●" if row.permission in service.permissions[role] else "" for role in roles)
        if row.permission:
            lines.append(_row(f"`{row.method} {row.path}`", f"`{row.permission}`", *marks))
        else:
            lines.append(_row(f"`{row.method} {row.path}`", "*all*", *("●" for _ in roles)))
    return "\n".join(lines) + "\n" + "".join(_besides(service))


def _besides(service: Service) -> Iterator[str]:
    asked = within_routes(service)
    if asked:
        yield f"\n{WITHIN}\n\n"
    for permission in asked:
        holders = ", ".join(role for role in sorted(service.permissions) if permission in service.permissions[role])
        yield f"* `{permission}`: {holders}\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
