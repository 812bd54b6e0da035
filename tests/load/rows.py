"""The lines of the bench: values beside baselines, goals, and whether they were met."""

from dataclasses import dataclass


@dataclass
class Row:
    """One measured line. ``goal`` is told in words; ``met`` is None where there is none."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None
    chapter: str = ""
    commit: str = ""


def against(name: str, value: float, baseline: float, unit: str, least: float | None = None) -> Row:
    """A rate beside its baseline; ``least`` is the smallest ratio that meets the goal."""
    ratio = value / baseline
    row = Row(name, round(value, 1), unit, round(baseline, 1), round(ratio, 2))
    if least is not None:
        row.goal, row.met = f"≥ {least} ×", ratio >= least
    return row


def latency(name: str, value: float, baseline: float, most: float | None = None, most_ms: float | None = None) -> Row:
    """Milliseconds beside a baseline; the goal is a ratio, or milliseconds."""
    row = Row(name, round(value, 1), "ms", round(baseline, 1), round(value / baseline, 2))
    if most is not None:
        row.goal, row.met = f"≤ {most:g} ×", value / baseline <= most
    elif most_ms is not None:
        row.goal, row.met = f"≤ {most_ms:g} ms", value <= most_ms
    return row


def shown(rows: list[Row]) -> str:
    """The table as text."""
    lines = [f"{'what':66} {'value':>9} {'unit':11} {'baseline':>9} {'ratio':>6} {'goal':>9}  met"]
    for row in rows:
        base = f"{row.baseline:>9}" if row.baseline is not None else " " * 9
        ratio = f"{row.ratio:>6}" if row.ratio is not None else " " * 6
        met = {True: "yes", False: "NO", None: ""}[row.met]
        lines.append(f"{row.name:66} {row.value:>9} {row.unit:11} {base} {ratio} {row.goal:>9}  {met}".rstrip())
    return "\n".join(lines)


def as_page(rows: list[Row]) -> str:
    """The table as Markdown."""
    lines = ["| what | value | unit | baseline | ratio | goal | met |", "|---|---:|---|---:|---:|---|---|"]
    for row in rows:
        base, ratio = row.baseline if row.baseline is not None else "", row.ratio if row.ratio is not None else ""
        met = {True: "yes", False: "**no**", None: ""}[row.met]
        lines.append(f"| {row.name} | {row.value} | {row.unit} | {base} | {ratio} | {row.goal} | {met} |")
    return "\n".join(lines)
