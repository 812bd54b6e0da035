"""Role to permissions: one table, which the documentation and the tests read too."""

WORK = frozenset(
    {
        "case.record", "case.read", "case.reveal", "case.search", "case.handle", "case.escalate", "case.reply",
        "case.settle", "case.call_back", "case.order",
    }
)  # fmt: skip

PERMISSIONS: dict[str, frozenset[str]] = {
    "grid-worker": WORK - {"case.reply"},
    "community-worker": WORK | {"case.waive", "case.close", "wall.release", "wall.withdraw"},
    "hotline-clerk": frozenset(
        {"case.record", "case.read", "case.reveal", "case.search", "case.handle", "case.call_back", "case.close"}
    ),
    "street-officer": WORK | {"case.rule", "case.waive", "case.close", "wall.release", "wall.withdraw", "case.import"},
    "district-admin": WORK | {"case.rule", "case.waive", "case.close", "wall.release", "wall.withdraw", "case.import"},
    "data-officer": frozenset({"case.read", "case.import", "case.erase", "access.read"}),
    "operator": frozenset({"case.read", "reconciliation.read"}),
    "service": frozenset({"case.read", "case.reveal"}),
}
"""``resident`` and ``clock`` hold no token: a resident acts by code and phone tail, the clock by its own."""
