"""What the directory is."""

from typing import TYPE_CHECKING

from services.chassis.aggregate import AggregateType, Service, Text
from services.directory import queries
from services.directory.access import PERMISSIONS
from services.directory.api import ROUTERS
from services.directory.domain import households, imports, places, policies, residents, staff, units, visits
from services.directory.intake.portions import PORTIONS
from services.directory.reactions import REACTIONS
from services.directory.sealed import HOUSEHOLD_KEYS, RESIDENT_KEYS
from services.directory.shapes import shapes
from services.directory.texts import TEXTS
from services.directory.tree import UNIT, UnitHistory

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

AGGREGATES = (
    AggregateType(
        name=UNIT,
        state=units.Unit,
        events=(
            units.Registered, units.Renamed, units.Moved, units.Covered, units.Equipped, units.Closed,
        ),
        decide=units.decide,
        evolve=units.evolve,
        indexes=queries.UNITS.indexes(),
        unscoped_indexes=(("state.grids",),),
    ),
    AggregateType(
        name="household",
        state=households.Household,
        events=(
            households.Registered, households.Moved, households.TenureChanged, households.Corrected,
            households.Verified, households.RecheckDue, households.Closed, households.Redacted,
        ),
        decide=households.decide,
        evolve=households.evolve,
        on_due=households.on_due,
        keys=HOUSEHOLD_KEYS,
        indexes=queries.HOUSEHOLDS.indexes(),
        unscoped_indexes=(("keys.door",),),
    ),
    AggregateType(
        name="resident",
        state=residents.Resident,
        events=(
            residents.Registered, residents.Moved, residents.MarkersChanged, residents.Corrected,
            residents.Verified, residents.Merged, residents.Closed, residents.Redacted,
        ),
        decide=residents.decide,
        evolve=residents.evolve,
        keys=RESIDENT_KEYS,
        indexes=queries.RESIDENTS.indexes(),
        unscoped_indexes=(("keys.number",), ("keys.phone",), ("keys.phone-tail",), ("keys.name",), ("keys.markers",)),
    ),
    AggregateType(
        name="staff",
        state=staff.Staff,
        events=(
            staff.Registered, staff.Assigned, staff.Relieved, staff.Ended, staff.Corrected, staff.Redacted,
        ),
        decide=staff.decide,
        evolve=staff.evolve,
        indexes=queries.STAFF.indexes(),
        unscoped_indexes=(("state.held",),),
    ),
    AggregateType(
        name="place",
        state=places.Place,
        events=(places.Registered, places.Changed, places.Gridded, places.Closed, places.Redacted),
        decide=places.decide,
        evolve=places.evolve,
        indexes=queries.PLACES.indexes(),
    ),
    AggregateType(
        name="visit",
        state=visits.Visit,
        events=(visits.Recorded, visits.Redacted),
        decide=visits.decide,
        evolve=visits.evolve,
        indexes=queries.VISITS.indexes(),
    ),
    AggregateType(
        name="policy",
        state=policies.Policy,
        events=(policies.Published,),
        decide=policies.decide,
        evolve=policies.evolve,
        indexes=queries.POLICIES.indexes(),
    ),
    AggregateType(
        name="import",
        state=imports.Import,
        events=(imports.Accepted, imports.Advanced, imports.Completed),
        decide=imports.decide,
        evolve=imports.evolve,
        indexes=queries.IMPORTS.indexes(),
    ),
)


async def prepare(runtime: "Runtime") -> None:
    """Units are written through a history that makes them known at once; without the shapes of policies, no start."""
    shapes()
    runtime.histories[UNIT] = UnitHistory(runtime)


SERVICE = Service(
    name="directory",
    title=Text("基础名录", "Directory", 200),
    aggregates=AGGREGATES,
    routers=ROUTERS,
    permissions=PERMISSIONS,
    texts=TEXTS,
    reactions=REACTIONS,
    indexes={PORTIONS: (("import", "portion"),)},
    prepare=prepare,
    policies=policies.OWN,
)
