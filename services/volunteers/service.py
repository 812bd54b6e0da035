"""What volunteers is."""

from services.chassis.aggregate import AggregateType, Service, Text
from services.volunteers import queries
from services.volunteers.access import PERMISSIONS
from services.volunteers.api import ROUTERS
from services.volunteers.domain import hours, team, volunteer
from services.volunteers.domain.order.clocks import on_calendar, on_due
from services.volunteers.domain.order.decide import decide
from services.volunteers.domain.order.events import EVENTS, TASK
from services.volunteers.domain.order.evolve import evolve
from services.volunteers.domain.order.state import Order
from services.volunteers.domain.rules import POLICIES
from services.volunteers.reactions import REACTIONS
from services.volunteers.texts import PUBLIC_TEXTS, TEXTS

VOLUNTEER = AggregateType(
    name="volunteer",
    state=volunteer.Volunteer,
    events=volunteer.EVENTS,
    decide=volunteer.decide,
    evolve=volunteer.evolve,
    keys=volunteer.KEYS,
    indexes=queries.indexes(queries.VOLUNTEERS),
    unscoped_indexes=(("keys.account",), ("keys.phone",), ("keys.resident",)),
)
TEAM = AggregateType(
    name="team",
    state=team.Team,
    events=team.EVENTS,
    decide=team.decide,
    evolve=team.evolve,
    indexes=queries.indexes(queries.TEAMS),
    unscoped_indexes=(("state.members",),),
)
ORDER = AggregateType(
    name="order",
    state=Order,
    events=EVENTS,
    decide=decide,
    evolve=evolve,
    on_due=on_due,
    on_calendar=on_calendar,
    keys={"code": (TASK,)},  # who holds it may ask how far the deed is: over, once what was to be done is erased
    indexes=(*queries.indexes(queries.ORDERS), ("state.stage", "state.mode", "state.line")),
    unscoped_indexes=(("keys.code",), ("state.volunteer", "state.stage")),
)
HOURS = AggregateType(
    name="hours",
    state=hours.Hours,
    events=hours.EVENTS,
    decide=hours.decide,
    evolve=hours.evolve,
    indexes=queries.indexes(queries.BOOKED),
)

SERVICE = Service(
    name="volunteers",
    title=Text("志愿服务", "Volunteers", 200),
    aggregates=(VOLUNTEER, TEAM, ORDER, HOURS),
    routers=ROUTERS,
    permissions=PERMISSIONS,
    texts=TEXTS,
    reactions=REACTIONS,
    public_texts=PUBLIC_TEXTS,
    policies={f"volunteers.{name}": shape for name, shape in POLICIES.items()},
)
