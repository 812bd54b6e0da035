"""The service over HTTP. No rule of the domain lives here."""

from services.complaints.api import (
    escalations,
    handling,
    imports,
    lists,
    orders,
    outcomes,
    public,
    recording,
    sealed,
    wall,
)

ROUTERS = tuple(
    room.router for room in (recording, lists, sealed, handling, escalations, outcomes, orders, wall, public, imports)
)
