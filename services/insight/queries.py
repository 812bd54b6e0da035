"""From rows to figures: every figure and its drill-down run the same selection, so they cannot disagree."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.storage.driver import Collection, Document
from services.insight.domain.indicators import OUTCOMES, Indicator

Pipeline = list[Document]


@dataclass(frozen=True)
class Span:
    """What counts: begun in [since, until), known up to ``as_of``; of ``unit`` and below; visible in ``scope``."""

    unit: str
    as_of: datetime
    since: datetime | None = None
    until: datetime | None = None
    scope: str | None = None  # None: a service, unscoped


def selection(indicator: Indicator, span: Span) -> Pipeline:
    """The stages that leave exactly the rows an indicator counts."""
    match: Document = {"tree": span.unit, "kind": indicator.subject, "on": _began(indicator, span)}
    if span.scope:
        match["scope"] = span.scope
    match |= {f"dims.{name}": value for name, value in indicator.where.items()}
    stages: Pipeline = [{"$match": match}]
    if indicator.measure == "level":
        stages.append({"$match": {"$or": [{"until": {"$exists": False}}, {"until": {"$gt": span.as_of}}]}})
    if indicator.outcome or indicator.with_step or indicator.without_step or indicator.measure == "sum":
        stages.append({"$set": {"known": _known(span.as_of)}})
    if indicator.outcome:
        stages += [{"$set": {"outcome": _outcome()}}, {"$match": {"outcome": {"$in": list(indicator.outcome)}}}]
    for what in indicator.with_step:
        stages.append({"$match": {"known.what": what}})
    for what in indicator.without_step:
        stages.append({"$match": {"known.what": {"$ne": what}}})
    return stages


def _began(indicator: Indicator, span: Span) -> Document:
    began: Document = {"$lte": span.as_of}
    if indicator.measure != "level":
        if span.since:
            began["$gte"] = span.since
        if span.until:
            began["$lt"] = span.until
    return began


def _known(as_of: datetime) -> Document:
    steps = {"$map": {"input": {"$objectToArray": {"$ifNull": ["$steps", {}]}}, "in": "$$this.v"}}
    return {"$filter": {"input": steps, "as": "step", "cond": {"$lte": ["$$step.on", as_of]}}}


def _outcome() -> Document:
    """The last of solved, answered and reopened; ``open`` when there is none or the last is reopened."""
    turns = {
        "$filter": {"input": "$known", "as": "step", "cond": {"$in": ["$$step.what", [*OUTCOMES, "reopened"]]}}
    }
    last = {"$last": {"$sortArray": {"input": turns, "sortBy": {"on": 1, "seq": 1}}}}
    return {
        "$let": {
            "vars": {"last": last},
            "in": {"$cond": [{"$in": ["$$last.what", list(OUTCOMES)]}, "$$last.what", "open"]},
        }
    }


async def count(rows: Collection, indicator: Indicator, span: Span) -> int:
    """The value of a count, level, sum or distinct."""
    stages = selection(indicator, span) + _measure(indicator)
    found = await rows.aggregate(stages)
    return int(found[0]["value"]) if found else 0


def _measure(indicator: Indicator) -> Pipeline:
    if indicator.measure == "sum":
        return [{"$group": {"_id": None, "value": {"$sum": {"$sum": "$known.amount"}}}}]
    if indicator.measure == "distinct":
        return [{"$group": {"_id": f"$dims.{indicator.dimension}"}}, {"$count": "value"}]
    return [{"$count": "value"}]


DIMENSIONS: dict[str, Any] = {
    "category": {"$first": "$dims.category"},
    "channel": "$dims.channel",
    "kind": "$dims.kind",
    "line": "$dims.line",
    "mode": "$dims.mode",
    "purpose": "$dims.purpose",
}


async def grouped(rows: Collection, indicator: Indicator, span: Span, by: str) -> dict[str, int]:
    """The count for each value of a dimension, or for each unit one level below ``span.unit``."""
    key = _next_below(span.unit) if by == "unit" else DIMENSIONS[by]
    total: Any = {"$sum": {"$sum": "$known.amount"}} if indicator.measure == "sum" else {"$sum": 1}
    stages = [*selection(indicator, span), {"$group": {"_id": key, "value": total}}, {"$sort": {"_id": 1}}]
    return {str(row["_id"] or ""): int(row["value"]) for row in await rows.aggregate(stages)}


def _next_below(unit: str) -> Document:
    here = {"$indexOfArray": ["$tree", unit]}
    below = {"$arrayElemAt": ["$tree", {"$add": [here, 1]}]}
    return {"$cond": [{"$eq": [{"$add": [here, 1]}, {"$size": "$tree"}]}, unit, below]}


async def subjects(rows: Collection, indicator: Indicator, span: Span, after: str, limit: int) -> list[Document]:
    """The rows behind a figure, by id: ``{id, unit, on}``, those after the id ``after``."""
    stages = selection(indicator, span)
    if after:
        stages.append({"$match": {"_id": {"$gt": after}}})
    stages += [{"$sort": {"_id": 1}}, {"$limit": limit}, {"$project": {"_id": 1, "unit": 1, "on": 1}}]
    return await rows.aggregate(stages)
