"""The published contract in ``schemas/``: exported from the code, and checked against it.

``events/<type>.json``: JSON Schema of an event's data. ``policies/<key>.json``: what a policy's value must look like.
``asyncapi.yaml``: every topic and message, who sends and who receives it. ``openapi/<service>.json``: the HTTP
interface. ``check`` fails when what is committed differs from the
code, and when the code breaks what is committed; ``export`` writes, unless that would break somebody.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from services.chassis.aggregate import Service
from services.chassis.catalogue import Catalogue
from services.chassis.contracts.compatibility import breaks
from services.chassis.contracts.eventschemas import asyncapi, event_schema, event_types
from services.chassis.contracts.policyschemas import FOLDER as POLICIES
from services.chassis.contracts.policyschemas import policy_schema
from services.chassis.http import openapi

PLACE = Path(__file__).resolve().parents[3] / "schemas"
METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
Files = dict[str, str]  # path below the folder to content


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("action", choices=("export", "check"))
    parser.add_argument(
        "--against", type=Path, default=PLACE, help="比较的目录 · the folder to compare with or write to"
    )
    parser.add_argument(
        "--break", dest="may_break", action="store_true", help="允许不兼容 · export what breaks readers"
    )


def run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Export or check; code 1 with one line for each thing that is wrong."""
    now, committed = files(catalogue.all()), read(arguments.against)
    broken = incompatible(committed, now)
    if arguments.action == "check":
        wrong = broken + drift(committed, now)
    else:
        wrong = [] if arguments.may_break else broken
        if not wrong:
            write(arguments.against, now)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def files(services: Iterable[Service]) -> Files:
    """Everything that is published, by its path below ``schemas/``."""
    known = list(services)
    made: Files = {}
    for service in known:
        for _, event in event_types(service):
            made[f"events/{event.full_type(service.name)}.json"] = _json(event_schema(service.name, event))
        for key, shape in service.policies.items():
            made[f"{POLICIES}/{key}.json"] = _json(policy_schema(service.name, key, shape))
        made[f"openapi/{service.name}.json"] = _json(openapi(service))
    made["asyncapi.yaml"] = yaml.dump(asyncapi(known), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)
    return made


def read(folder: Path) -> Files:
    """What is published now; empty when there is nothing yet."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix in (".json", ".yaml"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


def write(folder: Path, made: Files) -> None:
    """Make the folder hold exactly these files."""
    for name in read(folder).keys() - made.keys():
        (folder / name).unlink()
    for name, content in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def drift(committed: Files, now: Files) -> list[str]:
    """Which files differ from what the code gives."""
    missing = [f"{name}: not exported (make schemas)" for name in sorted(now.keys() - committed.keys())]
    stale = [f"{name}: nothing in the code gives this" for name in sorted(committed.keys() - now.keys())]
    differs = [name for name in sorted(committed.keys() & now.keys()) if committed[name] != now[name]]
    return missing + stale + [f"{name}: differs from the code (make schemas)" for name in differs]


def incompatible(committed: Files, now: Files) -> list[str]:
    """What breaks those who rely on what is committed."""
    found: list[str] = []
    for name in sorted(committed):
        if name.startswith(("events/", f"{POLICIES}/")):
            if name not in now:
                found.append(f"{name}: removed; what was published by it lies in histories and is read again")
            else:
                found += [f"{name}: {each}" for each in breaks(json.loads(committed[name]), json.loads(now[name]))]
        elif name.startswith("openapi/"):
            gone = _operations(json.loads(committed[name])) - _operations(json.loads(now.get(name, "{}")))
            found += [f"{name}: {operation} removed" for operation in sorted(gone)]
    return found


def _operations(document: Mapping[str, Any]) -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, methods in document.get("paths", {}).items()
        for method in methods
        if method in METHODS
    }


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are, not quoted."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
