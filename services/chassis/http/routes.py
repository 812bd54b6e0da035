"""The routes of a service, found by their shape and answered without the framework's detours.

Routes are declared as FastAPI's own. What FastAPI does at every request for the sake of features that are not used
here (exit stacks, a middleware each for errors, files and telemetry, a walk through all routes) costs more than a
route itself; so the parts of a declared route (its parameters, body and dependencies, as FastAPI has analysed them)
are used directly. A route that needs more (forms, dependencies of its own) goes through FastAPI's handler. Both ways
give the same values: tests/unit/http/test_routes.py compares them.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.params import Body, Form
from fastapi.routing import APIRoute
from prometheus_client import Counter, Histogram
from pydantic_core import PydanticCustomError, ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from services.chassis.errors import Forbidden
from services.chassis.http.answers import Answer
from services.chassis.http.bodies import LARGEST, UnknownMedia, is_json, read_json
from services.chassis.http.exchange import Exchange
from services.chassis.http.given import Allow, Gate, Given
from services.chassis.http.problems import MethodNotAllowed, RouteUnknown
from services.chassis.telemetry import REQUEST_SECONDS, REQUESTS
from services.kernel.events import Value, refuse_unstorable

Respond = Callable[[Exchange], Awaitable[Response]]
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Served:
    """One route and method, ready to answer."""

    def __init__(self, service: str, route: APIRoute, method: str) -> None:
        self.route = route
        self.service = service
        self.template: str = route.path_format
        self.method = method
        self.signature = f"{method} {route.path_format}"  # names the operation, whatever the parameters
        self.gates = gates_of(route)
        self.largest = LARGEST if route.max_body_size is None else route.max_body_size
        self.takes_body = method in WITH_BODY
        self.respond: Respond = _direct(route) if _is_plain(route) else _through_fastapi(route)
        self._names: frozenset[str] | None = None
        self._counters: dict[int, Counter] = {}
        self._seconds: Histogram = REQUEST_SECONDS.labels(service, self.template, method)

    async def admit(self, exchange: Exchange) -> None:
        """Let the request in by every gate; a route that declares none is closed."""
        if not self.gates:
            raise Forbidden()
        for gate in self.gates:
            await gate.admit(exchange)

    def observe(self, status: int, seconds: float) -> None:
        """Count an answer."""
        counter = self._counters.get(status)
        if counter is None:
            counter = self._counters[status] = REQUESTS.labels(self.service, self.template, self.method, status)
        counter.inc()
        self._seconds.observe(seconds)

    @property
    def is_public(self) -> bool:
        """Whether it is open to all: what it says is said to residents."""
        return bool(self.gates) and not any(isinstance(gate, Allow) for gate in self.gates)

    @property
    def names(self) -> frozenset[str]:
        """Every name that the route's own declarations use: only these may be told in an error."""
        if self._names is None:
            self._names = frozenset(_declared_names(self.route.dependant))
        return self._names


class Table:
    """Finds the route for a path: literal paths at once, others among those of the same shape."""

    def __init__(self, service: str, routes: Iterable[APIRoute]) -> None:
        self.served: list[Served] = []
        self._literal: dict[str, dict[str, Served]] = {}
        self._shaped: dict[tuple[int, str], list[tuple[APIRoute, dict[str, Served]]]] = {}
        self._loose: list[tuple[APIRoute, dict[str, Served]]] = []
        for route in routes:
            self._add(service, route)

    def find(self, method: str, path: str) -> tuple[Served, dict[str, Any]]:
        """The route and its path parameters. Raises RouteUnknown or MethodNotAllowed."""
        methods = self._literal.get(path)
        if methods is not None:  # a path that is declared as it stands is no id of another route
            if method not in methods:
                raise MethodNotAllowed(methods)
            return methods[method], {}
        allowed: set[str] = set()
        if UNPRINTABLE.search(path):
            raise RouteUnknown()
        for candidates in (self._shaped.get(_shape(path), ()), self._loose):
            for route, methods in candidates:
                match = route.path_regex.match(path)
                if match is None:
                    continue
                if method in methods:
                    converted = {n: route.param_convertors[n].convert(v) for n, v in match.groupdict().items()}
                    return methods[method], converted
                allowed |= methods.keys()
        raise MethodNotAllowed(allowed) if allowed else RouteUnknown()

    def _add(self, service: str, route: APIRoute) -> None:
        methods = {method: Served(service, route, method) for method in route.methods or ()}
        self.served += methods.values()
        if not route.param_convertors:
            self._literal.setdefault(route.path, {}).update(methods)
        elif "{" in _shape(route.path)[1] or ":path}" in route.path:
            self._loose.append((route, methods))
        else:
            self._shaped.setdefault(_shape(route.path), []).append((route, methods))


def gates_of(route: APIRoute) -> tuple[Gate, ...]:
    """Who may call, as the route or its router declares it."""
    return tuple(gate for gate in given_of(route) if isinstance(gate, Gate))


def given_of(route: APIRoute) -> list[Given]:
    """Everything the route asks of the chassis."""
    return [needed.call for needed in route.dependant.dependencies if isinstance(needed.call, Given)]


def _shape(path: str) -> tuple[int, str]:
    return path.count("/"), path[1:].partition("/")[0]


def _is_plain(route: APIRoute) -> bool:
    """Whether the route uses only what ``_direct`` knows."""
    needs = route.dependant
    extras = (
        needs.response_param_name,
        needs.background_tasks_param_name,
        needs.security_scopes_param_name,
        needs.websocket_param_name,
        needs.http_connection_param_name,
    )
    given = all(isinstance(needed.call, Given) for needed in needs.dependencies)
    one_body = len(needs.body_params) <= 1 and not route._embed_body_fields
    json_body = not any(isinstance(field.field_info, Form) for field in needs.body_params)
    coroutine = iscoroutinefunction(route.endpoint) and not isasyncgenfunction(route.endpoint)
    return given and one_body and json_body and coroutine and not any(extras)


def _direct(route: APIRoute) -> Respond:
    needs, endpoint = route.dependant, route.endpoint
    given = [(needed.name, needed.call) for needed in needs.dependencies if isinstance(needed.call, Given)]
    body = needs.body_params[0] if needs.body_params else None
    read_body = _body_reader(body) if body is not None else None
    in_headers, in_query = needs.header_params, needs.query_params
    in_path = [(field, field._type_adapter.validator.validate_python) for field in needs.path_params]
    status = route.status_code or 200

    async def respond(exchange: Exchange) -> Response:
        values: dict[str, Any] = {}
        for name, source in given:
            value = source.of(exchange)
            if name is not None:
                values[name] = value
        errors: list[Any] = []
        for field, validate in in_path:
            try:
                values[field.name] = validate(exchange.path_params[field.alias])
            except ValidationError as error:
                errors += _located(error, "path", field.alias)
        if in_query:
            asked = QueryParams(exchange.scope["query_string"])
            errors += _take(values, *request_params_to_args(in_query, asked))
        if in_headers or needs.cookie_params:
            request = Request(exchange.scope)
            errors += _take(values, *request_params_to_args(in_headers, request.headers))
            errors += _take(values, *request_params_to_args(needs.cookie_params, request.cookies))
        if read_body is not None and body is not None:
            errors += read_body(exchange, values)
        if errors:
            raise RequestValidationError(errors)
        if needs.request_param_name:
            values[needs.request_param_name] = _request(exchange)
        result = await endpoint(**values)
        return result if isinstance(result, Response) else Answer(_presented(route, result), status)

    return respond


def _take(values: dict[str, Any], found: dict[str, Any], errors: list[Any]) -> list[Any]:
    values.update(found)
    return errors


def _body_reader(field: Any) -> Callable[[Exchange, dict[str, Any]], list[Any]]:
    """Reads and validates the one JSON body of a route."""
    name, validate = field.name, field._type_adapter.validator.validate_python
    storable = _is_storable(field.field_info.annotation)

    def read(exchange: Exchange, values: dict[str, Any]) -> list[Any]:
        if not exchange.body:
            if field.field_info.is_required():
                return [{"type": "missing", "loc": ("body",)}]
            values[name] = field.get_default()
            return []
        sent = _json_of(exchange)
        if not storable:
            _refuse_unstorable(sent)
        try:
            values[name] = validate(sent)
        except ValidationError as error:
            return _located(error, "body")
        return []

    return read


def _located(error: ValidationError, *where: str) -> list[Any]:
    return [{**item, "loc": (*where, *item["loc"])} for item in error.errors(include_url=False, include_input=False)]


def _is_storable(annotation: Any) -> bool:
    """Whether the model itself refuses what no store can hold."""
    return isinstance(annotation, type) and issubclass(annotation, Value)


def _refuse_unstorable(sent: Any) -> None:
    try:
        refuse_unstorable(sent)
    except PydanticCustomError as error:
        raise RequestValidationError([{"type": error.type, "loc": ("body",)}]) from None


def _json_of(exchange: Exchange) -> Any:
    if not is_json(exchange.headers.get(b"content-type", b"")):
        raise UnknownMedia()
    return read_json(exchange.body)


def _presented(route: APIRoute, result: Any) -> Any:
    """What a route returned, in the form that its declared model gives it."""
    field = route.response_field
    if field is None:
        return result
    value, errors = field.validate(result, loc=("response",))
    if errors:
        raise RuntimeError(f"{route.path_format} answers with something else than it declares")
    return field.serialize(
        value, exclude_unset=route.response_model_exclude_unset, exclude_none=route.response_model_exclude_none
    )


class _Reread(Request):
    """A request whose body has been read, and whose JSON is read as strictly as everywhere."""

    async def json(self) -> Any:
        return read_json(await self.body())


def _request(exchange: Exchange) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": exchange.body, "more_body": False}

    return _Reread(exchange.scope, receive)


def _through_fastapi(route: APIRoute) -> Respond:
    handler = route.get_route_handler()
    wants_json = route.body_field is not None and type(route.body_field.field_info) is Body

    async def respond(exchange: Exchange) -> Response:
        if wants_json and exchange.body:
            _refuse_unstorable(_json_of(exchange))
        async with AsyncExitStack() as stack:
            scope = exchange.scope
            for name in ("fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack"):
                scope[name] = stack
            scope["path_params"] = exchange.path_params
            return await handler(_request(exchange))

    return respond


def _declared_names(needs: Dependant) -> Iterable[str]:
    for params in (needs.path_params, needs.query_params, needs.header_params, needs.cookie_params):
        yield from (field.alias for field in params)
    for field in needs.body_params:
        yield field.alias
        yield from _property_names(field._type_adapter.json_schema())
    for needed in needs.dependencies:
        yield from _declared_names(needed)


def _property_names(schema: Any) -> Iterable[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for inner in schema.values():
            yield from _property_names(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _property_names(inner)
