"""The lists of this service; no list shows a name or a phone."""

from typing import Any

from services.chassis.driver import Document
from services.chassis.queries import Filter, ListSpec


def volunteer_shown(document: Document) -> dict[str, Any]:
    """A volunteer without the person."""
    return {"id": document["_id"], "unit": document["unit"], "version": document["version"]} | document["state"]


def order_shown(document: Document) -> dict[str, Any]:
    """An order without the task."""
    hidden = {"limits", "deadlines"}
    state = {name: value for name, value in document["state"].items() if name not in hidden}
    return {"id": document["_id"], "unit": document["unit"], "version": document["version"]} | state


FIELDS = ("unit", "version", "state")
VOLUNTEERS = ListSpec(
    "volunteer",
    ("_id",),
    {"unit": "unit", "line": "state.lines", "closed": Filter("state.closed", bool)},
    volunteer_shown,
    FIELDS,
)
TEAMS = ListSpec("team", ("_id",), {"kind": "state.kind", "unit": "unit"}, volunteer_shown, FIELDS)
ORDERS = ListSpec(
    "order",
    ("-_id",),
    {
        "stage": "state.stage",
        "volunteer": "state.volunteer",
        "case": "state.case",
        "line": "state.line",
        "late": Filter("state.late", bool),
    },
    order_shown,
    FIELDS,
)
HOURS = ListSpec("hours", ("-_id",), {"volunteer": "state.volunteer", "order": "state.order"}, volunteer_shown, FIELDS)
