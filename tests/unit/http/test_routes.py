"""The short way through a route and FastAPI's own give the same values."""

import json
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from services.chassis.aggregate import Service
from services.chassis.errors import Problem
from services.chassis.http import Application, openapi
from services.chassis.http.problems import MethodNotAllowed, RouteUnknown
from services.chassis.http.routes import Table
from tests.unit.http.sample import SERVICE

KEY = {"idempotency-key": "k"}
CASE: dict[str, Any] = {"kind": "complaint", "subject": "楼道堆物"}
FULL = CASE | {
    "minutes": 5,
    "on": "2026-03-01T08:00:00+08:00",
    "phones": [{"number": "13800001234"}],
    "marks": {"a": -(2**63)},
}


@pytest.mark.parametrize("query", ["", "?limit=7", "?limit=x", "?limit=7&limit=8", "?other=1"])
@pytest.mark.parametrize(
    "body", [CASE, FULL, {"kind": "complaint"}, {**CASE, "extra": 1}, {**CASE, "minutes": "7"}, [], None], ids=str
)
async def test_both_ways_agree(recorder: httpx.AsyncClient, body: Any, query: str) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    headers = KEY | {"content-type": "application/json"}
    direct = await recorder.post(f"/echo/case_1{query}", content=content, headers=headers)
    framework = await recorder.post(f"/framework/case_1{query}", content=content, headers=headers)
    assert direct.status_code == framework.status_code
    ours, theirs = direct.json(), framework.json()
    if direct.status_code == 200:
        assert theirs.pop("extra") == 2
        for different in ("operation", "path"):
            ours.pop(different), theirs.pop(different)
    else:
        ours.pop("instance"), theirs.pop("instance")
    assert ours == theirs


def route(path: str, method: str = "GET") -> Any:
    router = APIRouter()

    async def endpoint() -> None: ...

    router.add_api_route(path, endpoint, methods=[method])
    return router.routes[0]


def table(*routes: Any) -> Table:
    return Table("sample", routes)


@pytest.mark.parametrize(
    ("path", "template", "params"),
    [
        ("/cases", "/cases", {}),
        ("/cases/export", "/cases/export", {}),
        ("/cases/c1", "/cases/{id}", {"id": "c1"}),
        ("/cases/c1/notes/n2", "/cases/{id}/notes/{note}", {"id": "c1", "note": "n2"}),
        ("/d1/wall", "/{district}/wall", {"district": "d1"}),
        ("/files/a/b/c", "/files/{name:path}", {"name": "a/b/c"}),
        ("/days/12", "/days/{number:int}", {"number": 12}),
    ],
)
def test_a_path_finds_its_route(path: str, template: str, params: dict[str, Any]) -> None:
    routes = table(
        route("/cases/{id}"),
        route("/cases"),
        route("/cases/export"),
        route("/cases/{id}/notes/{note}"),
        route("/{district}/wall"),
        route("/files/{name:path}"),
        route("/days/{number:int}"),
    )
    served, found = routes.find("GET", path)
    assert served.route.path == template
    assert found == params


@pytest.mark.parametrize(
    "path", ["", "/", "/case", "/cases/", "/cases/a/b", "/cases/a/notes", "/days/x", "/cases/a\x00"]
)
def test_other_paths_find_none(path: str) -> None:
    routes = table(route("/cases/{id}"), route("/cases/{id}/notes/{note}"), route("/days/{number:int}"))
    with pytest.raises(RouteUnknown):
        routes.find("GET", path)


def test_a_known_path_names_the_methods_of_all_its_routes() -> None:
    routes = table(route("/cases/{id}"), route("/cases/{id}", "DELETE"), route("/cases/export", "POST"))
    with pytest.raises(MethodNotAllowed) as caught:
        routes.find("PATCH", "/cases/c1")
    assert caught.value.allowed == "DELETE, GET"


def test_a_path_declared_as_it_stands_is_no_id_of_another_route() -> None:
    routes = table(route("/cases/{id}"), route("/cases/export", "POST"))
    with pytest.raises(MethodNotAllowed) as caught:
        routes.find("GET", "/cases/export")
    assert caught.value.allowed == "POST"


def test_what_would_escape_the_gates_is_not_mounted() -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.add_api_route("/x", lambda: None)
    outer.include_router(inner)
    outer.mount("/files", lambda scope, receive, send: None)  # type: ignore[arg-type]
    service = Service(name="odd", aggregates=(), routers=(outer,), permissions={}, texts={})
    with pytest.raises(TypeError):
        Application(service)


def test_the_contract_tells_permissions_headers_and_problems() -> None:
    document = openapi(SERVICE)
    record = document["paths"]["/cases"]["post"]
    assert record["x-permission"] == "case.record"
    assert record["security"] == [{"bearer": []}]
    assert [p["name"] for p in record["parameters"] if p["required"]] == ["Idempotency-Key"]
    assert sorted(record["responses"]) == [
        "201", "400", "401", "403", "404", "408", "409", "413", "415", "422", "429", "500", "503",
    ]  # fmt: skip
    assert record["responses"]["422"] == {"$ref": "#/components/responses/422"}
    assert "application/problem+json" in document["components"]["responses"]["422"]["content"]
    wish = document["paths"]["/wishes"]["post"]
    assert "401" not in wish["responses"]
    assert [p["schema"]["minLength"] for p in wish["parameters"]] == [16]
    assert {p["name"] for p in document["paths"]["/cases"]["get"]["parameters"]} == {
        "unit",
        "stage",
        "minutes",
        "open",
        "limit",
        "cursor",
    }
    assert document["paths"]["/wall"]["get"]["security"] == []
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "/undeclared" in document["paths"]


async def test_the_contract_is_served(recorder: httpx.AsyncClient) -> None:
    answer = await recorder.get("/openapi.json")
    assert answer.json() == json.loads(json.dumps(openapi(SERVICE)))


def test_every_problem_of_the_chassis_has_a_status_of_its_kind() -> None:
    assert all(400 <= kind.status < 600 for kind in Problem.__subclasses__())
