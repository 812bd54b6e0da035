"""The lists of this service; no list shows a name, a phone or what is to be done."""

from typing import Any

from services.chassis.storage.driver import Document
from services.chassis.storage.queries import Filter, ListSpec
from services.volunteers.domain.volunteer import Volunteer

VOLUNTEER, TEAM, ORDER, HOURS = "volunteer", "team", "order", "hours"
STAGES = frozenset({"requested", "offered", "accepted", "done", "confirmed", "unfilled", "cancelled"})
HIDDEN = {ORDER: {"limits", "deadlines", "candidates"}, HOURS: {"account"}}
OFFERED = ("stage", "mode", "line", "on", "start", "end", "minutes", "described", "late", "due")


def shown(document: Document) -> dict[str, Any]:
    """A volunteer without the person; nothing that only an earlier release kept."""
    state = document["state"]
    return _head(document) | {name: state[name] for name in Volunteer.model_fields if name in state}


def team_shown(document: Document) -> dict[str, Any]:
    """A team with its size."""
    return _head(document) | document["state"] | {"size": len(document["state"]["members"])}


def order_shown(document: Document) -> dict[str, Any]:
    """An order as who works on it sees it in a list."""
    return _head(document) | _without(document["state"], HIDDEN[ORDER])


def offer_shown(document: Document) -> dict[str, Any]:
    """An order as a volunteer sees it: not who asks, and not who else was asked."""
    return _head(document) | {name: document["state"].get(name) for name in OFFERED}


def hours_shown(document: Document) -> dict[str, Any]:
    """A booked deed with its entries."""
    entries = [{"minutes": one["n"], "reversed": bool(one.get("reversed_by"))} for one in _posted(document)]
    return _head(document) | _without(document["state"], HIDDEN[HOURS]) | {"entries": entries}


def _posted(document: Document) -> list[Document]:
    posted: list[Document] = document["state"]["account"]["posted"]
    return posted


def _head(document: Document) -> dict[str, Any]:
    return {"id": document["_id"], "unit": document["unit"], "version": document["version"]}


def _without(state: Document, hidden: set[str]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in hidden}


VOLUNTEERS = ListSpec(
    VOLUNTEER,
    ("_id",),
    {
        "line": "state.lines",
        "closed": Filter("state.closed", bool),
    },
    shown,
)
OF_PHONE = ListSpec(VOLUNTEER, ("_id",), {"phone": "keys.phone"}, shown)
TEAMS = ListSpec(
    TEAM,
    ("_id",),
    {"kind": "state.kind", "member": "state.members", "closed": Filter("state.closed", bool)},
    team_shown,
)
ORDERS = ListSpec(
    ORDER,
    ("-state.requested",),
    {
        "stage": Filter("state.stage", choices=STAGES),
        "line": "state.line",
        "case": "state.case",
        "volunteer": "state.volunteer",
        "late": Filter("state.late", bool),
    },
    order_shown,
)
BOOKED = ListSpec(
    HOURS,
    ("-state.booked",),
    {
        "volunteer": "state.volunteer",
        "order": "state.order",
        "line": "state.line",
        "disputed": Filter("state.disputed", bool),
    },
    hours_shown,
)
OWN_HOURS = ListSpec(HOURS, ("-state.booked",), {"volunteer": "state.volunteer"}, hours_shown)
ARRAYS = {"state.lines", "state.members"}


def indexes(spec: ListSpec) -> tuple[tuple[str, ...], ...]:
    """Those of a list, without its filters on arrays: ``scope`` is one, and no index holds two.

    Members are found by an index of their own; lines are sifted among the volunteers of the scope, a grid's or a
    community's as a rule.
    """
    return tuple(names for names in spec.indexes() if not ARRAYS & set(names))
