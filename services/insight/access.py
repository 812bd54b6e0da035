"""Which role may do what here."""

_READ = frozenset({"figure.read"})

PERMISSIONS = {
    "district-admin": _READ,
    "street-officer": _READ,
    "hotline-clerk": _READ,
    "community-worker": _READ,
    "grid-worker": _READ,
    "volunteer-coordinator": _READ,
    "data-officer": _READ,
    "operator": _READ | {"reconciliation.read"},
    "service": _READ,
}
