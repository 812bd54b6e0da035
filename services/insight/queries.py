"""From rows to figures: every figure and its drill-down run the same selection, so they cannot disagree."""

from collections.abc import Sequence
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
    return [*_base([indicator], span), {"$match": {"$expr": _counts(indicator)}}]


def _base(indicators: Sequence[Indicator], span: Span) -> Pipeline:
    """The rows of one subject that may count, each with what was known of it: for indicators of the same base."""
    first = indicators[0]
    match: Document = {"tree": span.unit, "kind": first.subject, "on": _began(first, span)}
    if span.scope:
        match["scope"] = span.scope
    stages: Pipeline = [{"$match": match}]
    if first.measure == "level":
        stages.append({"$match": {"$or": [{"until": {"$exists": False}}, {"until": {"$gt": span.as_of}}]}})
    if any(each.outcome or each.with_step or each.without_step or each.measure == "sum" for each in indicators):
        stages.append({"$set": {"known": _known(span.as_of)}})
    if any(each.outcome for each in indicators):
        stages.append({"$set": {"outcome": _outcome()}})
    return stages


def _counts(indicator: Indicator) -> Document:
    """Whether a row of the base counts, as an expression."""
    conditions: list[Document] = [_is(f"$dims.{name}", value) for name, value in indicator.where.items()]
    if indicator.outcome:
        conditions.append({"$in": ["$outcome", list(indicator.outcome)]})
    conditions += [{"$in": [what, "$known.what"]} for what in indicator.with_step]
    conditions += [{"$not": [{"$in": [what, "$known.what"]}]} for what in indicator.without_step]
    return {"$and": conditions}


def _is(dimension: str, value: str) -> Document:
    """A dimension that has levels holds the value with all above it."""
    return {"$in": [value, {"$cond": [{"$isArray": dimension}, dimension, [dimension]]}]}


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


async def counts(rows: Collection, indicators: Sequence[Indicator], span: Span) -> dict[str, int]:
    """The values of counts, levels, sums and distincts by key. Those of one base are taken in one pass."""
    bases: dict[tuple[str, ...], list[Indicator]] = {}
    for each in indicators:
        alone = (each.key,) if each.measure == "distinct" else ()
        bases.setdefault((each.subject, "level" if each.measure == "level" else "begun", *alone), []).append(each)
    values: dict[str, int] = {}
    for group in bases.values():
        found = await rows.aggregate(_base(group, span) + _measures(group))
        values |= {each.key: int(found[0][f"v{place}"]) if found else 0 for place, each in enumerate(group)}
    return values


async def count(rows: Collection, indicator: Indicator, span: Span) -> int:
    """The value of a count, level, sum or distinct."""
    return (await counts(rows, [indicator], span))[indicator.key]


def _measures(group: Sequence[Indicator]) -> Pipeline:
    if group[0].measure == "distinct":
        dimension = f"$dims.{group[0].dimension}"
        return [{"$match": {"$expr": _counts(group[0])}}, {"$group": {"_id": dimension}}, {"$count": "v0"}]
    return [{"$group": {"_id": None} | {f"v{place}": {"$sum": _share(each)} for place, each in enumerate(group)}}]


def _share(indicator: Indicator) -> Document:
    """What one row of the base adds."""
    amount: Any = {"$sum": "$known.amount"} if indicator.measure == "sum" else 1
    return {"$cond": [_counts(indicator), amount, 0]}


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
