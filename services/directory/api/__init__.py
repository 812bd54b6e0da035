"""Routes; no rule of the domain lives here."""

from services.directory.api import (
    figures,
    households,
    imports,
    people,
    places,
    policies,
    residents,
    staff,
    units,
    visits,
)

ROUTERS = (
    units.router,
    households.router,
    residents.router,
    people.router,
    staff.router,
    places.router,
    visits.router,
    policies.router,
    imports.router,
    figures.router,
)
