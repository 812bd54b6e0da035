"""Which role may do what here."""

_READ = frozenset({"volunteer.list", "team.list", "order.list", "order.read", "hours.list"})
_ASK = _READ | {"order.request", "order.code", "order.confirm", "order.cancel", "task.read"}
_COORDINATE = _ASK | {
    "volunteer.register",
    "volunteer.change",
    "volunteer.person",
    "volunteer.close",
    "team.form",
    "order.match",
    "hours.correct",
}

PERMISSIONS = {
    "volunteer": frozenset({"self.read", "offer.answer", "task.read.own"}),
    "volunteer-coordinator": _COORDINATE,
    "community-worker": _COORDINATE,
    "grid-worker": _ASK,
    "hotline-clerk": _READ | {"order.request", "order.code"},
    "street-officer": _READ,
    "district-admin": _COORDINATE,
    "data-officer": frozenset({"volunteer.list", "volunteer.person", "volunteer.erase", "access.list"}),
    "operator": frozenset({"volunteer.list", "team.list", "order.list", "hours.list"}),
    "service": _READ,
}
