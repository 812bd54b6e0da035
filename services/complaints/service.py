"""What complaints is."""

from services.chassis.aggregate import AggregateType, Service, Text
from services.complaints import queries
from services.complaints.access import PERMISSIONS
from services.complaints.api import ROUTERS
from services.complaints.domain import imports
from services.complaints.domain.clocks import on_calendar, on_due
from services.complaints.domain.decide import decide
from services.complaints.domain.events import EVENTS
from services.complaints.domain.evolve import evolve
from services.complaints.domain.rules import POLICIES
from services.complaints.domain.state import Case
from services.complaints.reactions import REACTIONS
from services.complaints.texts import PUBLIC_TEXTS, TEXTS

CASE = AggregateType(
    name="case",
    state=Case,
    events=EVENTS,
    decide=decide,
    evolve=evolve,
    on_due=on_due,
    on_calendar=on_calendar,
    keys=queries.KEYS,
    indexes=queries.INDEXES,
    unscoped_indexes=queries.UNSCOPED,
)
IMPORT = AggregateType(
    name="import",
    state=imports.Import,
    events=imports.EVENTS,
    decide=imports.decide,
    evolve=imports.evolve,
    indexes=queries.IMPORTS.indexes(),
)

SERVICE = Service(
    name="complaints",
    title=Text("民情诉求", "Complaints", 200),
    aggregates=(CASE, IMPORT),
    routers=ROUTERS,
    permissions=PERMISSIONS,
    texts=TEXTS,
    reactions=REACTIONS,
    prepare=queries.ensure_partial_indexes,
    public_texts=PUBLIC_TEXTS,
    policies={f"complaints.{name}": shape for name, shape in POLICIES.items()},
)
