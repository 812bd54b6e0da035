"""HTTP: every bad input gets a clear answer, every route says who may call, every POST may be repeated.

See docs/promises/answers.md. Services need only the names below.
"""

from services.chassis.http.answers import Answer, answer
from services.chassis.http.application import Application, application, openapi
from services.chassis.http.contract import permission_table, undeclared_routes
from services.chassis.http.given import IfVersion, Operation, Running, allow, open_to_all
from services.chassis.http.lists import listing

__all__ = [
    "Answer",
    "Application",
    "IfVersion",
    "Operation",
    "Running",
    "allow",
    "answer",
    "application",
    "listing",
    "open_to_all",
    "openapi",
    "permission_table",
    "undeclared_routes",
]
