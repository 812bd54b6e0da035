"""Insight's figures counted again, from the histories alone, by nothing of insight's."""

from collections.abc import Iterator, Mapping
from datetime import datetime
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


SUBJECTS = {
    "case": (CASE, "registered"),
    "order": (ORDER, "requested"),
    "hours": (HOURS, "booked"),
    "volunteer": ("volunteers.volunteer", "registered"),
    "unit": ("directory.unit", "registered"),
    "household": ("directory.household", "registered"),
    "resident": ("directory.resident", "registered"),
    "staff": ("directory.staff", "registered"),
    "visit": ("directory.visit", "recorded"),
}
"""Kinds of subjects: where their histories are, and the event that begins them."""
OVER = ("closed", "merged", "ended")


def value_of(
    definition: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]], evidence: Evidence, unit: str, now: datetime
) -> float | None:
    """What a figure must be, by its definition as insight publishes it; ``others`` are all of them by their key."""
    if definition["measure"] == "ratio":
        parts = (others[definition[each]] for each in ("numerator", "denominator"))
        above, below = (value_of(part, others, evidence, unit, now) for part in parts)
        return (above or 0) / below if below else None
    found = [known for history in _begun(definition, evidence, unit) if (known := _by(history, now))]
    found = [history for history in found if _counts(definition, history)]
    if definition["measure"] == "sum":
        booked = (entry for history in found for entry in history if _verb(entry) in ("booked", "corrected"))
        return sum(entry.data["minutes"] for entry in booked)
    if definition["measure"] == "distinct":
        return len({history[0].data[definition["dimension"]] for history in found})
    return None if 0 < len(found) < definition.get("hide_below", 0) else len(found)


def _begun(definition: Mapping[str, Any], evidence: Evidence, unit: str) -> Iterator[list[Entry]]:
    kind, verb = SUBJECTS[definition["subject"]]
    return (history for history in _of(evidence, kind, unit) if _verb(history[0]) == verb)


def _by(history: list[Entry], now: datetime) -> list[Entry]:
    return [entry for entry in history if entry.at <= now] if history[0].at <= now else []


def _counts(definition: Mapping[str, Any], history: list[Entry]) -> bool:
    verbs, data = {_verb(entry) for entry in history}, history[0].data
    for name, wanted in definition.get("where", {}).items():
        if not f"{data.get(name)}.".startswith(f"{wanted}."):
            return False
    if definition["measure"] == "level" and verbs & set(OVER):
        return False
    if definition.get("outcome") and _outcome(history) not in definition["outcome"]:
        return False
    return set(definition.get("with_step", ())) <= verbs and not verbs & set(definition.get("without_step", ()))


def _of(evidence: Evidence, kind: str, unit: str) -> Iterator[list[Entry]]:
    return (history for history in evidence.histories.get(kind, {}).values() if unit in history[0].scope)


def _verb(entry: Entry) -> str:
    return entry.type.split(".")[1]


def _outcome(history: list[Entry]) -> str:
    turns = [_verb(entry) for entry in history if _verb(entry) in (*OUTCOMES, "reopened")]
    return turns[-1] if turns and turns[-1] in OUTCOMES else "open"
