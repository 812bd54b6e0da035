"""Insight's figures counted again, from the histories alone, by nothing of insight's."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.checker import CASE, HOURS, ORDER
from tests.faults.evidence import Entry, Evidence

OUTCOMES = ("solved", "answered")
REPORT = "street-concerns"


def recounted(evidence: Evidence, unit: str) -> dict[str, int]:
    """What the street report must show for a unit and everything below it."""
    cases = list(_of(evidence, CASE, unit))
    outcomes = [(_outcome(history), history[0].data["category"]) for history in cases]
    orders = list(_of(evidence, ORDER, unit))
    settled = [category for outcome, category in outcomes if outcome != "open"]
    return {
        "complaints.recorded": len(cases),
        "complaints.closed": len(settled),
        "complaints.solved": sum(outcome == "solved" for outcome, _ in outcomes),
        "complaints.answered": sum(outcome == "answered" for outcome, _ in outcomes),
        "complaints.open": sum(outcome == "open" for outcome, _ in outcomes),
        "complaints.closed.property": settled.count("property"),
        "complaints.closed.dispute": settled.count("dispute"),
        "volunteers.orders": len(orders),
        "volunteers.orders.confirmed": sum(any(_verb(one) == "confirmed" for one in history) for history in orders),
        "volunteers.minutes": sum(
            entry.data["minutes"]
            for history in _of(evidence, HOURS, unit)
            for entry in history
            if _verb(entry) in ("booked", "corrected")
        ),
    }


def wrong_figures(report: Mapping[str, Any], evidence: Evidence, unit: str) -> Iterator[str]:
    """Where a report, as insight answers it, differs from the recount."""
    shown = {figure["indicator"]: figure.get("value") for figure in report["figures"]}
    for indicator, right in recounted(evidence, unit).items():
        if shown.get(indicator) != right:
            yield f"{unit} {indicator}: {shown.get(indicator)} where the histories hold {right}"


def _of(evidence: Evidence, kind: str, unit: str) -> Iterator[list[Entry]]:
    return (history for history in evidence.histories.get(kind, {}).values() if unit in history[0].scope)


def _verb(entry: Entry) -> str:
    return entry.type.split(".")[1]


def _outcome(history: list[Entry]) -> str:
    turns = [_verb(entry) for entry in history if _verb(entry) in (*OUTCOMES, "reopened")]
    return turns[-1] if turns and turns[-1] in OUTCOMES else "open"
