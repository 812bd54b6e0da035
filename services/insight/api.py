"""Reports and figures over HTTP. Insight answers; it takes no command."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BeforeValidator

from services.chassis.callers.access import Caller
from services.chassis.districts.units import UnitUnknown, UnitView
from services.chassis.errors import Invalid, NotFound
from services.chassis.http import allow
from services.chassis.storage.driver import Collection
from services.insight.catalogue import catalogue
from services.insight.completeness import AFTER, of_facts, still_to_come
from services.insight.domain.indicators import Indicator, shown
from services.insight.figures import figures, span_of
from services.insight.queries import DIMENSIONS, Span, count, grouped, subjects
from services.insight.rows import ROWS
from services.kernel import values

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

router = APIRouter()

Unit = Annotated[str, Query(min_length=1, max_length=100, description="The unit; with everything below it.")]
Day = Annotated[values.Day | None, Query(description="A day in the district's time zone.")]
Reader = Annotated[Caller, Depends(allow("figure.read"))]
MOST = 2000  # subjects of a page


def _plain_digits(value: Any) -> Any:
    """No "1.0" and no " 5", which would be read as numbers."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError
    return value


Limit = Annotated[int, BeforeValidator(_plain_digits), Query(ge=1, le=MOST)]
Cursor = Annotated[str, Query(pattern=r"^([a-z]+_[A-Za-z0-9-]{1,90})?$", description="``next`` of the page before.")]
After = Annotated[
    str | None,
    Query(
        pattern=AFTER,
        description="自己刚写入的 <aggregate>:<seq>,最多等两秒 / one's own write, waited for up to two seconds",
    ),
]


@router.get("/indicators")
async def list_indicators(caller: Reader) -> dict[str, Any]:
    """Every figure and report template that is defined, with its definition."""
    known = catalogue()
    return {
        "items": [indicator.model_dump(exclude_defaults=True) for indicator in known.indicators],
        "templates": [template.model_dump() for template in known.templates],
    }


@router.get("/reports/{template}")
async def run_report(
    request: Request, template: str, caller: Reader, unit: Unit,
    since: Day = None, until: Day = None, as_of: Day = None, after: After = None,
) -> dict[str, Any]:  # fmt: skip
    """A report (INF-07, INF-08): each figure of the template over one unit, period and as-of, with its way down.

    Every answer says up to when the facts behind it are complete (``complete_to``), and in ``facts`` whether some are
    known to wait, and whether the write that ``after`` names is still being counted (``updating``).
    """
    wanted = catalogue().template(template)
    if wanted is None:
        known = [one.key for one in catalogue().templates]
        raise NotFound("report-unknown", field="path.template", allowed=known)
    span = await _span(request, caller, unit, since, until, as_of)
    asked = _asked(unit, since, until, as_of)
    told = await _shown(request, caller, span, after)
    found = await figures(_rows(request), [_indicator(key) for key in wanted.figures], span, asked)
    return {"report": wanted.key, "zh": wanted.zh, "en": wanted.en} | told | {"figures": found}


@router.get("/figures/{indicator}")
async def read_figure(
    request: Request, indicator: str, caller: Reader, unit: Unit,
    since: Day = None, until: Day = None, as_of: Day = None,
    by: Annotated[str | None, Query(description="unit, category, channel, kind, line, mode, purpose")] = None,
    after: After = None,
) -> dict[str, Any]:  # fmt: skip
    """One figure, also split by the next level of units or by a dimension."""
    definition = _indicator(indicator)
    span = await _span(request, caller, unit, since, until, as_of)
    asked = _asked(unit, since, until, as_of)
    told = await _shown(request, caller, span, after)
    (whole,) = await figures(_rows(request), [definition], span, asked)
    if by is not None:
        if definition.measure in ("ratio", "distinct"):
            raise Invalid("figure-not-split", field="query.by")
        if by not in ("unit", *DIMENSIONS):
            raise Invalid("dimension-unknown", field="query.by", allowed=["unit", *DIMENSIONS])
        parts = await grouped(_rows(request), definition, span, by)
        whole["by"] = [{by: key, "value": shown(value, definition.hide_below)} for key, value in parts.items()]
    return told | whole


@router.get("/figures/{indicator}/subjects")
async def list_subjects(
    request: Request, indicator: str, caller: Reader, unit: Unit,
    since: Day = None, until: Day = None, as_of: Day = None,
    cursor: Cursor = "", limit: Limit = 200,
    after: After = None,
) -> dict[str, Any]:  # fmt: skip
    """The ids behind a figure: exactly as many as the figure says. The service that owns them decides who sees more."""
    definition = _indicator(indicator)
    if definition.measure == "ratio":
        raise Invalid("ratio-has-two-lists", field="indicator")
    span = await _span(request, caller, unit, since, until, as_of)
    told = await _shown(request, caller, span, after)
    if shown(await count(_rows(request), definition, span), definition.hide_below) is None:
        raise Invalid("group-too-small", field="unit")
    found = await subjects(_rows(request), definition, span, cursor, limit)
    items = [{"id": row["_id"], "unit": row["unit"], "on": _text(row["on"])} for row in found]
    page = {"kind": definition.subject, "items": items, "next": items[-1]["id"] if len(items) == limit else None}
    return told | page


def _indicator(key: str) -> Indicator:
    definition = catalogue().indicator(key)
    if definition is None:
        known = [one.key for one in catalogue().indicators]
        raise NotFound("indicator-unknown", field="path.indicator", allowed=known)
    return definition


async def _span(
    request: Request, caller: Caller, unit: str, since: date | None, until: date | None, as_of: date | None
) -> Span:
    if since and until and until < since:
        raise Invalid("period-ends-before-it-begins", field="until")
    runtime = request.app.state.runtime
    zone = (await _visible(runtime, caller, unit)).zone
    return span_of(unit, zone, runtime.clock.now(), since, until, as_of, caller.unit or None)


async def _visible(runtime: "Runtime", caller: Caller, unit: str) -> UnitView:
    """A unit elsewhere is not found, the same as one that never was."""
    try:
        view = await runtime.units.get(unit)
    except UnitUnknown:
        raise NotFound() from None
    if caller.unit and caller.unit not in view.scope:
        raise NotFound()
    return view


def _rows(request: Request) -> Collection:
    # unscoped: the span that goes with it holds the caller's unit
    rows: Collection = request.app.state.runtime.database.collection(ROWS)
    return rows


def _asked(unit: str, since: date | None, until: date | None, as_of: date | None) -> dict[str, str]:
    days = {"since": since, "until": until, "as_of": as_of}
    return {"unit": unit} | {name: day.isoformat() for name, day in days.items() if day}


async def _shown(request: Request, caller: Caller, span: Span, after: str | None) -> dict[str, Any]:
    """What an answer is about, and how complete the facts behind it are. Asked before they are counted: what comes in
    between is counted, though it is not told."""
    runtime = request.app.state.runtime
    updating = await still_to_come(runtime, caller.unit, after)
    facts = await of_facts(runtime, span.as_of, updating=updating)
    return {
        "unit": span.unit,
        "since": _text(span.since),
        "until": _text(span.until),
        "as_of": _text(span.as_of),
        "computed_at": _text(runtime.clock.now()),
        **facts,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
