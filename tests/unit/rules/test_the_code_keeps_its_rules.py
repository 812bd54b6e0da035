"""Rules that reviewers would forget: sizes, names, who may speak to whom, what the project may not name."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.contracts.topics import RECONNECT
from services.chassis.publishing.publisher import PRODUCER_CONFIG
from tests.mechanisms import catalogue, marks

ROOT = Path(__file__).parents[3]
CODE = [path for top in ("services", "deploy") for path in sorted((ROOT / top).rglob("*.py"))]
LONGEST = 80  # lines of a function
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "base2", "stuff"}
HOSTS = [  # in pieces, since this file names none either
    ("pypi", "org"), ("pythonhosted", "org"), ("repo", "maven"), ("repo1", "maven"), ("maven", "apache"),
    ("registry", "npmjs"), ("crates", "io"), ("proxy", "golang"), ("deb", "debian"),
]  # fmt: skip
REGISTRIES = re.compile("|".join(re.escape(".".join(host)) for host in HOSTS), re.I)


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in [*CODE, *sorted((ROOT / "tests").rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield path, node


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_function_is_longer_than_eighty_lines() -> None:
    long = [f"{p.relative_to(ROOT)}:{f.name}" for p, f in functions() if (f.end_lineno or 0) - f.lineno >= LONGEST]
    assert long == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in CODE if path.stem in VAGUE or path.parent.name in VAGUE] == []


def test_only_the_driver_speaks_motor() -> None:
    users = [p for p in CODE if re.search(r"^\s*(import|from) motor\b", p.read_text(encoding="utf-8"), re.M)]
    assert [path.name for path in users] == ["driver.py"]


def reaches(path: Path) -> bool:
    return ".collection(" in path.read_text(encoding="utf-8")


def test_routes_reach_collections_only_through_the_scoped_view() -> None:
    """Scope is applied below the routes: no route module takes a raw collection, but for read models of insight."""
    offenders = []
    for path in CODE:
        inside = path.relative_to(ROOT).parts
        if inside[0] == "services" and len(inside) > 2 and ("api" in inside or inside[-1] == "api.py"):
            offenders += ["/".join(inside)] if reaches(path) and inside[1] != "insight" else []
    assert offenders == []


def test_domain_code_reads_no_clock_and_does_no_input_or_output() -> None:
    clocks = r"datetime\.now|time\.time|utcnow|date\.today|\bopen\(|read_text"
    forbidden = re.compile(rf"{clocks}|^\s*(import|from) (os|motor|pymongo|kafka|fastapi|httpx)\b", re.M)
    pure = [p for p in CODE if "kernel" in p.parts or "domain" in p.parts]
    assert pure
    assert [str(p.relative_to(ROOT)) for p in pure if forbidden.search(p.read_text(encoding="utf-8"))] == []


def is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")


def test_exceptions_are_never_swallowed() -> None:
    """A broad ``except`` whose body is only ``pass`` says nothing to anybody."""
    silent = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and is_broad(node) and isinstance(node.body[0], ast.Pass):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert silent == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    named = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if REGISTRIES.search(text):
            named.append(str(path.relative_to(ROOT)))
    assert named == []


def test_every_mark_names_a_mechanism_of_the_catalogue() -> None:
    assert sorted(set(marks()) - set(catalogue())) == []


@pytest.mark.parametrize("service", ["directory", "complaints", "volunteers"])
def test_deep_services_have_the_same_rooms(service: str) -> None:
    rooms = {path.name for path in (ROOT / "services" / service).iterdir()}
    needed = {"__main__.py", "service.py", "domain", "api", "queries.py", "texts.py", "access.py", "reactions.py"}
    assert needed <= rooms


def test_no_client_of_kafka_is_late_to_notice_that_a_broker_is_back() -> None:
    """Its own pause between two tries grows to 30 s; each is told otherwise."""
    late = []
    for path in CODE:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in (
                "KafkaAdminClient",
                "KafkaConsumer",
                "KafkaProducer",
            ):
                told = {ast.unparse(each.value) for each in call.keywords if each.arg is None}
                if "services" in path.parts and not told & {"RECONNECT", "topics.RECONNECT", "PRODUCER_CONFIG"}:
                    late.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert late == []
    assert PRODUCER_CONFIG["reconnect_backoff_max_ms"] == RECONNECT["reconnect_backoff_max_ms"] <= 1_000
