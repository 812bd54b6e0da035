"""Lists that callers may ask for: each filter stands on an index."""

from datetime import datetime
from typing import Any

from services.chassis.storage.driver import Document
from services.chassis.storage.queries import Filter, ListSpec


def item_of(document: Document) -> dict[str, Any]:
    """What a list shows of a record: its public state."""
    state = {name: value for name, value in document["state"].items() if name not in ("unit", "due")}
    return {"id": document["_id"], "unit": document["unit"], "version": document["version"], **state}


UNITS = ListSpec(
    "unit",
    ("state.name",),
    {"kind": "state.kind", "parent": "state.parent", "layer": "state.layer", "code": "state.code"},
    item_of,
)
HOUSEHOLDS = ListSpec(
    "household",
    ("state.verified",),
    {
        "tenure": "state.tenure",
        "status": "state.status",
        "recheck": Filter("state.recheck", bool),
        "verified_before": Filter("state.verified", datetime, "before"),
    },
    item_of,
)
RESIDENTS = ListSpec(
    "resident",
    ("state.verified",),
    {
        "household": "state.household",
        "status": "state.status",
        "verified_before": Filter("state.verified", datetime, "before"),
    },
    item_of,
)
STAFF = ListSpec("staff", ("_id",), {"person": "state.person", "status": "state.status"}, item_of)
PLACES = ListSpec(
    "place",
    ("state.name",),
    {"kind": "state.kind", "family": "state.family", "grid": "state.grid", "status": "state.status"},
    item_of,
)
VISITS = ListSpec(
    "visit",
    ("-state.on",),
    {
        "purpose": "state.purpose",
        "worker": "state.worker",
        "household": "state.household",
        "resident": "state.resident",
        "raised": Filter("state.raised", bool),
        "since": Filter("state.on", datetime, "from"),
    },
    item_of,
)
POLICIES = ListSpec("policy", ("state.key",), {"key": "state.key"}, item_of)
IMPORTS = ListSpec("import", ("-_id",), {"status": "state.status"}, item_of)
