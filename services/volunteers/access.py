"""Role to permissions: one table, which the documentation and the tests read too."""

READ = frozenset({"volunteer.list", "team.list", "order.read", "hours.read"})
ASK = READ | {"order.request", "order.describe", "order.code", "order.confirm", "order.cancel", "order.task"}
COORDINATE = ASK | {
    "volunteer.register",
    "volunteer.change",
    "volunteer.person",
    "volunteer.party",
    "volunteer.search",
    "volunteer.close",
    "team.form",
    "order.match",
    "order.answer",
    "hours.correct",
}

PERMISSIONS: dict[str, frozenset[str]] = {
    "volunteer": frozenset({"self.read", "self.change", "offer.answer"}),
    "volunteer-coordinator": COORDINATE,
    "community-worker": COORDINATE,
    "grid-worker": ASK | {"volunteer.search"},
    "hotline-clerk": READ | {"order.request", "order.describe", "order.code", "volunteer.search"},
    "street-officer": READ,
    "district-admin": COORDINATE,
    "data-officer": READ | {"volunteer.person", "volunteer.person-any", "order.task", "record.erase", "access.read"},
    "operator": READ | {"reconciliation.read"},
    "service": READ,
}
"""``resident`` and ``clock`` hold no token: a resident acts by code, the clock by its own."""
