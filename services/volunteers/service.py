"""What volunteers is."""

from services.chassis.aggregate import AggregateType, Service, Text
from services.volunteers.access import PERMISSIONS
from services.volunteers.api import ROUTERS
from services.volunteers.domain import evolving, hours, order, ordering, team, volunteer
from services.volunteers.queries import HOURS, ORDERS, TEAMS, VOLUNTEERS
from services.volunteers.reactions import REACTIONS
from services.volunteers.texts import TEXTS

VOLUNTEER = AggregateType(
    name="volunteer", state=volunteer.Volunteer, events=volunteer.EVENTS,
    decide=volunteer.decide, evolve=volunteer.evolve,
    indexes=(*VOLUNTEERS.indexes(), ("state.lines", "state.closed")),
    unscoped_indexes=(("keys.account",), ("keys.phone",)),
)  # fmt: skip
TEAM = AggregateType(
    name="team", state=team.Team, events=team.EVENTS, decide=team.decide, evolve=team.evolve, indexes=TEAMS.indexes()
)
ORDER = AggregateType(
    name="order", state=order.Order, events=order.EVENTS, decide=ordering.decide, evolve=evolving.evolve,
    on_due=lambda state, due: ordering.Overdue(due),
    indexes=(*ORDERS.indexes(), ("state.stage", "state.mode", "state.line")),
    unscoped_indexes=(("keys.code",), ("state.volunteer", "state.stage")),
)  # fmt: skip
HOURS_BOOKED = AggregateType(
    name="hours", state=hours.Hours, events=hours.EVENTS, decide=hours.decide, evolve=hours.evolve,
    indexes=HOURS.indexes(),
)  # fmt: skip

SERVICE = Service(
    name="volunteers",
    title=Text("志愿服务", "Volunteers", 200),
    aggregates=(VOLUNTEER, TEAM, ORDER, HOURS_BOOKED),
    routers=ROUTERS,
    permissions=PERMISSIONS,
    texts=TEXTS,
    reactions=REACTIONS,
)
