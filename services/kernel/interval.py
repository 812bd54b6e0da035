"""Half-open intervals of days or instants: from ``start`` on, before ``end``; without an end, for good."""

from collections.abc import Iterable
from datetime import date

Span = tuple[date, date | None]


def holds(span: Span, at: date) -> bool:
    """Whether ``at`` lies in it."""
    start, end = span
    return start <= at and (end is None or at < end)


def empty(span: Span) -> bool:
    """Whether nothing lies in it."""
    return span[1] is not None and span[1] <= span[0]


def overlap(one: Span, other: Span) -> bool:
    """Whether something lies in both. Those that only touch do not overlap, and an empty one overlaps nothing."""
    if empty(one) or empty(other):
        return False
    return (one[1] is None or other[0] < one[1]) and (other[1] is None or one[0] < other[1])


def most_at_once(spans: Iterable[Span], within: Span) -> int:
    """The most of ``spans`` that hold at one moment of ``within``."""
    inside = [span for span in spans if overlap(span, within)]
    moments = [within[0], *(start for start, _ in inside if holds(within, start))]
    return max(sum(holds(span, at) for span in inside) for at in moments)
