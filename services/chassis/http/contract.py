"""The OpenAPI document made complete, and who may call what as a table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from services.chassis.http.bodies import LARGEST
from services.chassis.http.given import Allow, Gate, Given, IfMatch, TheOperation
from services.chassis.http.lists import Listing
from services.chassis.http.problems import MOST_ALLOWED, TITLES
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
TROUBLE: dict[str, Any] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
TOLD = (400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 500, 503)  # troubles of a route that is there
BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
UNCHANGED = {"description": "未变 / Unchanged since the version in If-None-Match"}
ETAG = {"description": "版本 / The version", "schema": {"type": "string"}}
# What every write answers; more stands beside it where a route says so.
WRITTEN = {
    "title": "Written",
    "type": "object",
    "required": ["aggregate", "seq"],
    "properties": {"aggregate": {"type": "string"}, "seq": {"type": "integer", "minimum": 1}},
}
PAGE = {
    "title": "Page",
    "type": "object",
    "required": ["items", "next"],
    "properties": {"items": {"type": "array"}, "next": {"type": ["string", "null"]}},
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
    schemas |= {"Problem": PROBLEM, "Written": WRITTEN, "Page": PAGE}
    document["components"]["responses"] = {
        str(status): {"description": f"{zh} / {en}", **TROUBLE} for status, (zh, en) in TITLES.items() if status in TOLD
    }
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    _name_bounds(document)
    return document


def _name_bounds(node: Any) -> None:
    """Bounds by JSON Schema's names: pydantic writes its own for a number that a validator of ours has read."""
    if isinstance(node, dict):
        for own, name in BOUNDS.items():
            if isinstance(node.get(own), (int, float)) and node.get("type") in ("integer", "number"):
                node[name] = node.pop(own)
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _name_bounds(child)


def _describe(operation: dict[str, Any], served: Served) -> None:
    permissions = [gate.permission for gate in served.gates if isinstance(gate, Allow)]
    if permissions:
        operation["x-permission"] = permissions[0] if len(permissions) == 1 else permissions
        operation["security"] = [{"bearer": []}]
    elif any(isinstance(gate, Gate) for gate in served.gates):
        operation["security"] = []
    given = given_of(served.route)
    for one in given:
        operation.setdefault("parameters", []).extend(one.described(is_public=not permissions))
    _describe_answers(operation, served, given)


def _describe_answers(operation: dict[str, Any], served: Served, given: Iterable[Given]) -> None:
    """Every status that may come: what the route declares, a page or a write in its usual form, and each trouble."""
    responses = operation["responses"]
    responses.pop("422", None)
    names = ["Page" for one in given if isinstance(one, Listing)]
    names += ["Written" for one in given if isinstance(one, TheOperation) and served.largest <= LARGEST]
    for declared in responses.values():
        plain = declared.get("content", {}).get("application/json")
        if plain == {"schema": {}} and names:
            plain["schema"] = {"$ref": f"#/components/schemas/{names[0]}"}
            declared["headers"] = {"ETag": ETAG} if names[0] == "Written" else {}
    if served.method == "GET" and served.route.param_convertors:
        responses["304"] = UNCHANGED
    for status in sorted(_troubles(served, given)):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}


def _troubles(served: Served, given: Iterable[Given]) -> set[int]:
    found = set(TOLD)
    if not any(isinstance(gate, Allow) for gate in served.gates):
        found -= {401, 403}
    if not served.takes_body:
        found -= {408, 413, 415}
    if not any(isinstance(one, IfMatch) for one in given):
        found -= {412}
    return found
