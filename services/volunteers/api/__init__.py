"""The routes of volunteers; no rule of the domain lives here."""

from services.volunteers.api import hours, orders, public, teams, volunteers

ROUTERS = (volunteers.router, teams.router, orders.router, hours.router, public.router)
