"""No sabotage rots: each still changes the code as it is, and names tests that there are."""

import ast
import re
from pathlib import Path

import pytest

from deploy.local.trouble import Trouble
from tests.sabotage.broken import SABOTAGES
from tests.sabotage.sabotage import Sabotage

ROOT = Path(__file__).parents[3]
each = pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.name)


@pytest.mark.parametrize("text", ["", "a = 2", "a = 1\na = 1\n"])
def test_a_sabotage_whose_old_text_is_not_there_once_is_refused(text: str) -> None:
    stale = Sabotage(name="stale", promise="p", what="w", file="f.py", old="a = 1", new="a = 3", tests=(), shows="x")
    with pytest.raises(Trouble, match="stale applies no more"):
        stale.applied(text)


@each
def test_it_changes_what_the_code_does_and_is_still_python(sabotage: Sabotage) -> None:
    text = (ROOT / sabotage.file).read_text(encoding="utf-8")
    assert sabotage.file.startswith("services/")
    assert ast.dump(ast.parse(sabotage.applied(text))) != ast.dump(ast.parse(text))


@each
def test_its_tests_are_there_and_the_reason_is_a_pattern(sabotage: Sabotage) -> None:
    assert sabotage.tests
    for test in sabotage.tests:
        path, _, name = test.partition("::")
        assert path.startswith("tests/"), test
        names = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))) if is_test(node)}
        assert name.partition("[")[0] in names, test
    assert re.compile(sabotage.shows).search("") is None, "a reason that everything shows is none"


def test_no_two_have_one_name() -> None:
    names = [sabotage.name for sabotage in SABOTAGES]
    assert sorted(set(names)) == sorted(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", name) for name in names)


def is_test(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test")
