"""The read model: one row per subject (a concern, an order, a household …), made of what its events say.

Every write sets fields named by the event's sequence number, so events may arrive in any order and any number of times
and the row is the same. ``{_id: subject, kind, unit, district, scope, tree, on, until, dims: {name: value},
steps: {seq: {what, on, seq, amount}}, events: {seq: event id}}``. ``tree`` is the place in the unit tree on the day of
the first event and rolls figures up; ``scope`` is the present place and says who may see the row.
"""

from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from services.chassis.consuming.reactions import Doing
from services.chassis.contracts.wire import Envelope

ROWS = "rows"
INDEXES = {
    ROWS: (
        ("tree", "kind", "on"),
        ("scope", "kind", "on"),
        ("unit",),
    )
}


def begun(envelope: Envelope, kind: str, on: datetime, dims: dict[str, Any]) -> dict[str, Any]:
    """The fields that the first event of a subject sets."""
    scope = list(envelope.scope)
    return {
        "kind": kind,
        "unit": envelope.unit,
        "district": envelope.district,
        "scope": scope,
        "tree": scope,
        "on": on,
        "dims": dims,
    }


def step(envelope: Envelope, what: str, on: datetime, amount: int | None = None) -> dict[str, Any]:
    """The field that a later event sets."""
    fact: dict[str, Any] = {"what": what, "on": on, "seq": envelope.sequence}
    if amount is not None:
        fact["amount"] = amount
    return {f"steps.{envelope.sequence}": fact}


async def record(do: Doing, fields: dict[str, Any], kept: dict[str, Any] | None = None) -> None:
    """Set the fields on the subject's row. ``kept`` only lowers or raises: ``{"$min": …}``. Repeats change nothing."""
    envelope = do.envelope
    change: dict[str, Any] = {"$set": fields | {f"events.{envelope.sequence}": envelope.id}}
    await do.write(ROWS, UpdateOne({"_id": envelope.subject}, change | (kept or {}), upsert=True))
