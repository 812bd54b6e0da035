"""Lists that callers may ask for: each filter stands on an index."""

from datetime import datetime
from typing import Any

from services.chassis.http.imports import Progress, refusals
from services.chassis.storage.driver import Document
from services.chassis.storage.queries import Filter, ListSpec
from services.chassis.texts import Texts
from services.directory.domain.imports import Import
from services.directory.texts import TEXTS

SAYS = Texts(TEXTS)


def import_shown(import_id: str, version: int, state: Import) -> Progress:
    """An import as every service tells of one."""
    failures = refusals([(one.row, one.code) for one in state.failures], SAYS)
    return Progress(id=import_id, version=version, failures=failures, **state.model_dump(exclude={"failures"}))


def _import(document: Document) -> Progress:
    return import_shown(document["_id"], document["version"], Import.model_validate(document["state"]))


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
IMPORTS = ListSpec("import", ("-_id",), {"status": "state.status"}, _import)
