"""The service over HTTP. No rule of the domain lives here."""

from services.complaints.api.escalations import router as escalations
from services.complaints.api.handling import router as handling
from services.complaints.api.imports import router as imports
from services.complaints.api.lists import router as lists
from services.complaints.api.orders import router as orders
from services.complaints.api.outcomes import router as outcomes
from services.complaints.api.public import router as public
from services.complaints.api.recording import router as recording
from services.complaints.api.sealed import router as sealed
from services.complaints.api.wall import router as wall

ROUTERS = (recording, lists, sealed, handling, escalations, outcomes, orders, wall, public, imports)
