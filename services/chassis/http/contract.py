"""The OpenAPI document made complete, and who may call what as a table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from services.chassis.http.given import Allow, Gate
from services.chassis.http.problems import MOST_ALLOWED
from services.chassis.http.routes import Served, given_of

if TYPE_CHECKING:
    from services.chassis.http.application import Application

ALLOWED = {
    "type": "array",
    "items": {"type": "string"},
    "maxItems": MOST_ALLOWED,
    "description": "the codes that would have been taken",
}
OF_A_CELL = {"type": "string", "description": "of a file: where the fault is, and the sentence in both languages"}
PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457, with a stable code; never repeats what was sent",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "instance", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "the request's id"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")}
                | {"allowed": ALLOWED}
                | {name: OF_A_CELL for name in ("cell", "column", "zh", "en")},
            },
        },
        "rows": {"type": "integer", "description": "of a file: rows without faults"},
        "more": {"type": "boolean", "description": "of a file: there are more faults than are told"},
        "allowed": ALLOWED,
    },
}
TROUBLE = {
    "description": "问题说明 / Problem document",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Permitted(NamedTuple):
    """Who may call one route; ``permission`` is empty for a route that is open to all."""

    method: str
    path: str
    permission: str


def permission_table(app: "Application") -> list[Permitted]:
    """Every route with each permission it asks for."""
    return sorted(
        Permitted(served.method, served.template, gate.permission if isinstance(gate, Allow) else "")
        for served in app.table.served
        for gate in served.gates
    )


def undeclared_routes(app: "Application") -> list[str]:
    """Routes that say neither who may call nor that all may. They answer 403; there must be none."""
    return sorted(served.signature for served in app.table.served if not served.gates)


def described(document: dict[str, Any], served: Iterable[Served]) -> dict[str, Any]:
    """FastAPI's document with permissions, the chassis' parameters and problem documents."""
    for one in served:
        operation = document["paths"].get(one.template, {}).get(one.method.lower())
        if operation is not None:
            _describe(operation, one)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return document


def _describe(operation: dict[str, Any], served: Served) -> None:
    permissions = [gate.permission for gate in served.gates if isinstance(gate, Allow)]
    if permissions:
        operation["x-permission"] = permissions[0] if len(permissions) == 1 else permissions
        operation["security"] = [{"bearer": []}]
    elif any(isinstance(gate, Gate) for gate in served.gates):
        operation["security"] = []
    for given in given_of(served.route):
        operation.setdefault("parameters", []).extend(given.parameters)
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = TROUBLE
