"""The routes of volunteers; no rule of the domain lives here."""

from services.volunteers.api import answers, hours, me, offers, orders, public, sealed, teams, volunteers

ROUTERS = (
    volunteers.router,
    me.router,
    teams.router,
    orders.router,
    answers.router,
    offers.router,
    hours.router,
    sealed.router,
    public.router,
)
