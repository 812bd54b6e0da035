"""``make mechanisms``: each mechanism and law of the catalogue with the tests that exercise it, and what has none.

The catalogue is ``docs/mechanisms.csv``; a test says what it exercises by ``@pytest.mark.mechanism("CMP-07")``.
"""

import ast
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "docs" / "mechanisms.csv"


def catalogue() -> dict[str, str]:
    """Id to its line of explanation, in the catalogue's order."""
    with CATALOGUE.open(encoding="utf-8", newline="") as lines:
        return {row["id"]: f"{row['zh']} · {row['en']}" for row in csv.DictReader(lines)}


def marks() -> dict[str, list[str]]:
    """Id to the tests that carry it, as ``path::name``."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node, outer in _decorated(tree):
            for mechanism in (*outer, *_ids(node)):
                found[mechanism].append(f"{path.relative_to(ROOT)}::{node.name}")
    return found


def _decorated(
    tree: ast.Module,
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, tuple[str, ...]]]:
    whole = tuple(i for node in tree.body if isinstance(node, ast.Assign) and _is_pytestmark(node) for i in _in(node))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            of_class = (*whole, *_ids(node))
            if _ids(node) and not any(_is_test(each) for each in node.body):
                yield node, whole  # a state machine, whose test is made of the class
            yield from ((each, of_class) for each in node.body if _is_test(each))  # type: ignore[misc]
        elif _is_test(node):
            yield node, whole  # type: ignore[misc]


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test")


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _ids(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[str]:
    return [mechanism for decorator in node.decorator_list for mechanism in _in(decorator)]


def _in(node: ast.AST) -> list[str]:
    """The ids in every ``…mark.mechanism("…")`` below a node."""
    return [
        argument.value
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "mechanism"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def main() -> int:
    """Print the table; 1 when a test claims an id that the catalogue does not know."""
    known, marked = catalogue(), marks()
    for mechanism, text in known.items():
        tests = marked.get(mechanism, [])
        print(f"{mechanism:8} {'✓' if tests else '–'} {text}")
        for test in tests:
            print(f"           {test}")
    covered = [mechanism for mechanism in known if marked.get(mechanism)]
    missing = [mechanism for mechanism in known if not marked.get(mechanism)]
    print(f"\n{len(covered)} of {len(known)} are exercised; without a test: {', '.join(missing)}")
    unknown = sorted(set(marked) - set(known))
    if unknown:
        print(f"not in {CATALOGUE.name}: {', '.join(unknown)}", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
