"""Which role may do what here."""

_LOOK = frozenset({"unit.read", "figure.read", "policy.read"})
_FIELD = _LOOK | {
    "place.read",
    "staff.read",
    "household.read",
    "household.write",
    "resident.read",
    "resident.write",
    "resident.identity",
    "resident.contacts",
    "resident.search",
    "visit.read",
    "visit.record",
}
_WORKER = _FIELD | {"resident.markers", "resident.merge", "visit.note"}
_OFFICE = _WORKER | {"unit.write", "staff.write", "place.write"}

PERMISSIONS: dict[str, frozenset[str]] = {
    "district-admin": _OFFICE
    | {"staff.identity", "policy.publish", "import.run", "register.export", "resident.erase", "figure.small"},
    "data-officer": _OFFICE
    | {"staff.identity", "import.run", "register.export", "resident.erase", "figure.small", "access.read"},
    "street-officer": _OFFICE | {"staff.identity", "import.run"},
    "community-worker": _WORKER | {"place.write"},
    "grid-worker": _FIELD,
    "hotline-clerk": _LOOK | {"place.read", "staff.read", "resident.search", "resident.read"},
    "volunteer-coordinator": _LOOK | {"place.read", "staff.read"},
    "volunteer": frozenset({"unit.read"}),
    "operator": _LOOK
    | {"unit.write", "unit.found", "policy.publish", "policy.found", "import.run", "reconciliation.read"},
    "service": _LOOK
    | {"place.read", "staff.read", "household.read", "resident.read", "resident.contacts", "resident.markers"},
}
