"""The lists of concerns: each has an index, and none shows a name, a telephone or what somebody said.

Lists that few concerns stand in (late, returned, asked of a level above, on the wall) have partial indexes, which
cost nothing when a concern is recorded; those of one person begin with the person instead of the unit.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.chassis.http.imports import Progress, refusals
from services.chassis.storage.driver import Document
from services.chassis.storage.queries import Filter, ListSpec
from services.complaints.domain.events import REPORTER
from services.complaints.domain.imports import Import
from services.complaints.workbook import SAYS

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

CASE, IMPORT = "case", "import"
WORK = frozenset({"open", "done", "closed"})
HANDLER, ANSWERABLE = "state.custody.handler.id", "state.custody.answerable.id"
OFFERED = "state.custody.offer.to.id"
NEWEST = ("-state.recorded_at",)
PLAIN = (
    "kind", "category", "urgency", "channel", "subject", "stage", "work", "outcome", "settled_on", "recorded_at",
    "late", "asked", "historic", "reopened", "escalations",
)  # fmt: skip
SHOWN = ("unit", "version", "next_due", "state.custody", *(f"state.{name}" for name in PLAIN))


def shown(document: Document) -> dict[str, Any]:
    """A concern as one line of a list."""
    state = document["state"]
    custody = state["custody"]
    return {
        "id": document["_id"],
        "unit": document["unit"],
        "version": document["version"],
        **{name: state.get(name) for name in PLAIN},
        "answerable": custody["answerable"],
        "handler": custody["handler"],
        "offered_to": custody["offer"]["to"] if custody.get("offer") else None,
        "returns": custody["returns"],
        "next_due": document.get("next_due"),
    }


def on_wall(document: Document) -> dict[str, Any]:
    """A released text, and nothing else of the concern: not its id, not who released it."""
    state = document["state"]
    return {
        "unit": document["unit"],
        "category": state["category"],
        "outcome": state["outcome"],
        "question": state["wall"]["question"],
        "answer": state["wall"]["answer"],
        "released": state["wall"]["at"],
    }


def import_shown(import_id: str, version: int, state: Import) -> Progress:
    """An import as every service tells of one: a recorded row is a record made new, a known one is left as it was."""
    failures = refusals([(one.row, one.code) for one in state.failures], SAYS)
    return Progress(
        id=import_id,
        version=version,
        unit=state.unit,
        kind="concerns",
        status="done" if state.done else "running",
        rows=state.rows,
        done=state.recorded + state.known + state.refused,
        created=state.recorded,
        unchanged=state.known,
        refused=state.refused,
        failures=failures,
    )


def _import(document: Document) -> Progress:
    return import_shown(document["_id"], document["version"], Import.model_validate(document["state"]))


def _list(filters: Mapping[str, str | Filter], sort: tuple[str, ...] = NEWEST) -> ListSpec:
    return ListSpec(CASE, sort, filters, project=shown, fields=SHOWN)


SINCE = Filter("state.recorded_at", datetime, "from")
BEFORE = Filter("state.recorded_at", datetime, "before")
OF_UNIT = _list(
    {
        "work": Filter("state.work", choices=WORK),
        "category": "state.category",
        "recorded_since": SINCE,
        "recorded_before": BEFORE,
    }
)
DUE = _list({"before": Filter("next_due", datetime, "before")}, ("next_due",))
LATE = _list({"late": Filter("state.late", bool)})
RETURNED = _list({"returned": Filter("state.returned", bool)})
ASKED = _list({"asked": "state.asked"})
HANDLED = _list({"handler": HANDLER, "work": Filter("state.work", choices=WORK)})
OFFERS = _list({"offered_to": OFFERED})
ANSWERED_FOR = _list({"answerable": ANSWERABLE, "work": Filter("state.work", choices=WORK)})
OF_PHONE = _list({"phone": "keys.phone"})
WALL = ListSpec(
    CASE,
    ("-state.wall.at",),
    {"on_wall": Filter("state.on_wall", bool), "category": "state.category"},
    project=on_wall,
    fields=("unit", "state.category", "state.outcome", "state.wall.question", "state.wall.answer"),
)
IMPORTS = ListSpec(IMPORT, ("-_id",), project=_import)

KEYS = {"code": (), "phone": (REPORTER,), "tail": (REPORTER,)}
"""By what a concern is found, and with what that is erased; the code is made of the concern's id and stays."""

INDEXES = (
    ("state.work", *NEWEST, "-_id"),
    ("state.category", *NEWEST, "-_id"),
    ("next_due", "_id"),
)
UNSCOPED = (
    (HANDLER, "state.work", *NEWEST, "-_id"),
    (ANSWERABLE, "state.work", *NEWEST, "-_id"),
    ("keys.phone",),
    ("keys.code",),
)
_NEWEST: Document = {"state.recorded_at": -1, "_id": -1}
PARTIAL: tuple[tuple[str, Document, Document], ...] = (
    ("late", {"scope": 1, **_NEWEST}, {"state.late": True}),
    ("returned", {"scope": 1, **_NEWEST}, {"state.returned": True}),
    ("asked", {"scope": 1, "state.asked": 1, **_NEWEST}, {"state.asked": {"$gt": ""}}),
    ("offered", {OFFERED: 1, **_NEWEST}, {OFFERED: {"$gt": ""}}),
    ("wall", {"scope": 1, "state.wall.at": -1, "_id": -1}, {"state.on_wall": True}),
)
"""Name, keys and the concerns that stand in the index; a query must name that condition."""


async def ensure_partial_indexes(runtime: "Runtime") -> None:
    """Make the indexes that the chassis' lists of fields cannot say."""
    made = [
        {"name": f"linli_{name}", "key": key, "partialFilterExpression": condition} for name, key, condition in PARTIAL
    ]
    await runtime.database.command({"createIndexes": CASE, "indexes": made})
