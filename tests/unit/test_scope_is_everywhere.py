"""Routes never reach a collection but through the caller's scope."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
REASON = re.compile(r"# unscoped: \w+.*\w")
OWN_ROOMS = ("api", "queries")  # modules or packages of a service whose code runs for a caller


def modules(room: str) -> list[Path]:
    """The files of one room in every service."""
    return sorted(
        file
        for service in SERVICES.iterdir()
        if service.is_dir() and service.name not in ("chassis", "kernel")
        for file in service.rglob("*.py")
        if file.relative_to(service).parts[0].removesuffix(".py").startswith(room)
    )


def breaches(source: str, *, scoped_allowed: bool) -> Iterator[str]:
    """Lines that reach past the scope and do not say why: a comment ``# unscoped: …`` there or on the line above."""
    lines = ["", *source.splitlines()]
    for number, what in _reaches(ast.parse(source), scoped_allowed):
        above = lines[number - 1] if lines[number - 1].lstrip().startswith("#") else ""
        if not REASON.search(lines[number]) and not REASON.search(above):
            yield f"{number}: {what}"


def _reaches(tree: ast.Module, scoped_allowed: bool) -> Iterator[tuple[int, str]]:
    """``.collection(…)`` (unless given straight to ``Scoped``), what lies under it, and ``scope=None``."""
    wrapped = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Scoped"
        for argument in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "collection":
            if not (scoped_allowed and id(node) in wrapped):
                yield node.lineno, ".collection(…)"
        elif isinstance(node, ast.Attribute) and node.attr in ("_collection", "_raw", "raw"):
            yield node.lineno, f".{node.attr}"
        elif isinstance(node, ast.Attribute) and node.attr == "collection" and not _is_called(tree, node):
            yield node.lineno, ".collection"
        elif isinstance(node, ast.keyword) and node.arg == "scope" and _is_none(node.value):
            yield node.value.lineno, "scope=None"


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_called(tree: ast.Module, attribute: ast.Attribute) -> bool:
    return any(isinstance(node, ast.Call) and node.func is attribute for node in ast.walk(tree))


@pytest.mark.parametrize("room", OWN_ROOMS)
def test_no_route_and_no_query_of_a_service_reaches_past_the_scope(room: str) -> None:
    found = [
        f"{file.relative_to(SERVICES)}:{breach}"
        for file in modules(room)
        for breach in breaches(file.read_text("utf-8"), scoped_allowed=room == "queries")
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "runtime.database.collection('case').find({})",
        "x = runtime.histories['case'].collection",
        "await history.get(id, scope=None)",
        "Scoped(c)._collection",
        "client.raw.admin",
    ],
)
def test_the_linter_finds_what_it_is_for(line: str) -> None:
    assert list(breaches(f"async def f():\n    {line}\n", scoped_allowed=True))


def test_an_exception_says_why() -> None:
    assert list(breaches("history.get(id, scope=None)  # unscoped:\n", scoped_allowed=False))
    assert not list(breaches("history.get(id, scope=None)  # unscoped: found by its code\n", scoped_allowed=False))
    assert not list(breaches("# unscoped: found by its code\nhistory.get(id, scope=None)\n", scoped_allowed=False))


def test_the_linter_lets_scoped_queries_pass() -> None:
    fine = "Scoped(database.collection('case'))\nScoped.on(database, 'case')\nhistory.get(id, scope=caller.unit)\n"
    assert list(breaches(fine, scoped_allowed=True)) == []
    assert len(list(breaches(fine, scoped_allowed=False))) == 1
