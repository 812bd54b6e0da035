"""A figure as it is shown: with its numerator, denominator, unit, period, as-of and the way down to its subjects."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from services.chassis.storage.driver import Collection
from services.insight.catalogue import catalogue
from services.insight.domain.indicators import Indicator, printed_percentage, ratio, shown
from services.insight.queries import Span, counts

MOMENT = timedelta(milliseconds=1)


def span_of(
    unit: str, zone: str, now: datetime, since: date | None, until: date | None, as_of: date | None, scope: str | None
) -> Span:
    """Whole days of the district's time zone: ``since`` and ``until`` inclusive, ``as_of`` to the end of that day.

    Without ``as_of`` the figure is as of now.
    """
    here = ZoneInfo(zone)
    return Span(
        unit=unit,
        as_of=_start(as_of + timedelta(days=1), here) - MOMENT if as_of else now,
        since=_start(since, here) if since else None,
        until=_start(until + timedelta(days=1), here) if until else None,
        scope=scope,
    )


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


async def figures(
    rows: Collection, indicators: Sequence[Indicator], span: Span, asked: dict[str, str]
) -> list[dict[str, Any]]:
    """Figures as they are shown. ``asked`` are the caller's own parameters, given on in the links to the subjects."""
    parts = {part.key: part for each in indicators for part in _parts(each)}
    values = await counts(rows, list(parts.values()), span)
    return [_shape(each, values, span, asked) for each in indicators]


def _parts(indicator: Indicator) -> list[Indicator]:
    """What is counted for it; a ratio is never counted itself."""
    if indicator.measure != "ratio":
        return [indicator]
    parts = [catalogue().indicator(key) for key in (indicator.numerator, indicator.denominator)]
    return [part for part in parts if part is not None]  # the catalogue refuses a ratio over what is not defined


def _shape(indicator: Indicator, values: dict[str, int], span: Span, asked: dict[str, str]) -> dict[str, Any]:
    shape: dict[str, Any] = {"indicator": indicator.key, "zh": indicator.zh, "en": indicator.en, "unit": span.unit}
    if indicator.measure != "ratio":
        value = shown(values[indicator.key], indicator.hide_below)
        return shape | {"value": value, "hidden": value is None, "subjects": _link(indicator.key, asked)}
    numerator, denominator = values[indicator.numerator], values[indicator.denominator]
    return shape | {
        "numerator": numerator,
        "denominator": denominator,
        "value": ratio(numerator, denominator),
        "printed": printed_percentage(numerator, denominator),
        "subjects": {
            "numerator": _link(indicator.numerator, asked),
            "denominator": _link(indicator.denominator, asked),
        },
    }


def _link(key: str, asked: dict[str, str]) -> str:
    return f"/figures/{key}/subjects?{urlencode(asked)}"
