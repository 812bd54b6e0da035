"""What a run of sabotages tells: lines as it goes, a file for programs, and a page for people beside it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sabotage.judging import Verdict
from tests.sabotage.sabotage import Sabotage

INTRODUCTION = """\
Each line is one small change to a copy of the code (`tests/sabotage/broken/`). The tests named passed on the unbroken
copy and said no to the broken one, for the reason that the change gives. `make sabotage` does it again."""


@dataclass(frozen=True)
class Row:
    """One sabotage and what came of it."""

    sabotage: Sabotage
    verdict: Verdict
    seconds: float


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """One object for each: ``name``, ``caught``, ``by`` (test ids), ``what`` (a sentence), ``seconds``."""
    return [
        {
            "name": row.sabotage.name,
            "caught": row.verdict.caught,
            "by": list(row.verdict.by),
            "what": row.sabotage.what,
            "seconds": row.seconds,
        }
        for row in rows
    ]


def write(rows: Sequence[Row], file: Path) -> None:
    """The file, and the page beside it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(as_json(rows), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    file.with_suffix(".md").write_text(page(rows), encoding="utf-8")


def listed(sabotages: Iterable[Sabotage]) -> str:
    """Every name with its sentence."""
    return "\n".join(f"{sabotage.name:<44} {sabotage.what}" for sabotage in sabotages)


def line(row: Row) -> str:
    """One line of the table on the screen, and below it who noticed, or why nobody did."""
    sign = "✓" if row.verdict.caught else "✗"
    told = row.verdict.by if row.verdict.caught else (row.verdict.why,)
    first = f"{sign} {row.sabotage.name:<44}{row.seconds:>7.1f} s  {row.sabotage.what}"
    return "\n".join([first, *(f"      {one}" for one in told)])


def summary(rows: Sequence[Row]) -> str:
    """The last lines on the screen."""
    missed = [row.sabotage.name for row in rows if not row.verdict.caught]
    told = f"{len(rows) - len(missed)}/{len(rows)} 处破坏被测试发现 · promises broken on purpose were noticed"
    return f"✗ {told}\n  未被发现 · not noticed: {', '.join(missed)}" if missed else f"✓ {told}"


def page(rows: Sequence[Row]) -> str:
    """The page: by promise, what was broken and which tests noticed."""
    parts = ["# 有意破坏 · Promises broken on purpose", "", summary(rows), "", INTRODUCTION]
    for promise in dict.fromkeys(row.sabotage.promise for row in rows):
        parts += [f"\n## {promise[0].upper()}{promise[1:]}\n", "| | broken | where | noticed by |", "|---|---|---|---|"]
        parts += [_cells(row) for row in rows if row.sabotage.promise == promise]
    return "\n".join(parts) + "\n"


def _cells(row: Row) -> str:
    by = "<br>".join(f"`{one.removeprefix('tests/')}`" for one in row.verdict.by) or f"nobody: {row.verdict.why}"
    cells = ("✓" if row.verdict.caught else "✗", row.sabotage.what, f"`{row.sabotage.file}`", by)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
