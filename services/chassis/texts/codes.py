"""Which codes a package raises, read from its source, so that none is left without a text."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from services.chassis import errors
from services.chassis.aggregate import Text
from services.chassis.texts import Texts

RAISERS = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.Problem)
) | {"Refused", "RefusedAll", "PydanticCustomError"}


class Raised(NamedTuple):
    """A literal code and where it stands."""

    code: str
    file: str
    line: int


def raised_codes(package: Path) -> Iterator[Raised]:
    """Every ``Refused("…")``, ``Invalid("…")`` and their kin under ``package``."""
    for file in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            code = _code(node)
            if code is not None:
                yield Raised(code, str(file), node.lineno)  # type: ignore[attr-defined]


def unspoken(package: Path, texts: Mapping[str, Text]) -> list[str]:
    """The codes raised under ``package`` that have no text, each with its place."""
    known = Texts(texts)
    return [f"{one.file}:{one.line}: {one.code}" for one in raised_codes(package) if one.code not in known]


def _code(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "code"), None)
    if name in RAISERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return None
