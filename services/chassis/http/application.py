"""The HTTP application of a service: its routers behind the edge, and its contract."""

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from services.chassis.aggregate import Service
from services.chassis.http.answers import JSON
from services.chassis.http.contract import described
from services.chassis.http.edge import MOST_IN_FLIGHT, Edge
from services.chassis.http.problems import Problems
from services.chassis.http.routes import Table
from services.chassis.reconciling import routes as reconciliation
from services.chassis.texts import Texts

CONTRACT = "/openapi.json"


class Application(FastAPI):
    """FastAPI for the declarations and the contract; the edge and the table for the requests."""

    def __init__(self, service: Service) -> None:
        title = f"邻里 Linli · {service.title.zh} {service.title.en}".rstrip(" ·")
        super().__init__(title=title, version="1", docs_url=None, redoc_url=None, openapi_url=None)
        self.service = service
        for router in (*service.routers, reconciliation.router):
            self.router.routes.extend(_routes_of(router.routes))
        self.table = Table(service.name, [route for route in self.router.routes if isinstance(route, APIRoute)])
        self.edge: Edge | None = None
        self._contract = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] == "http":
            scope["app"] = self
            if scope["path"] == CONTRACT and scope["method"] == "GET":
                await self._tell_contract(send)
                return
            assert self.edge is not None
            await self.edge(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.router.lifespan(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    def openapi(self) -> dict[str, Any]:
        """The published contract: with permissions, problem documents and the headers that the chassis reads."""
        if not self.openapi_schema:
            self.openapi_schema = described(super().openapi(), self.table.served)
        return self.openapi_schema

    async def _tell_contract(self, send: Any) -> None:
        self._contract = self._contract or orjson.dumps(self.openapi())
        headers = [JSON, (b"content-length", str(len(self._contract)).encode()), (b"cache-control", b"max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._contract})


def application(runtime: Any, *, most_in_flight: int = MOST_IN_FLIGHT, patience: float | None = None) -> Application:
    """The application of the runtime's service. ``patience``: seconds within which a body must arrive."""
    app = Application(runtime.service)
    app.state.runtime = runtime
    runtime.health.add("issuer", runtime.access.ready)
    problems = Problems(Texts(runtime.service.texts, runtime.service.public_texts))
    app.edge = Edge(runtime, app.table, problems, runtime.health, most_in_flight=most_in_flight, patience=patience)
    return app


def openapi(service: Service) -> dict[str, Any]:
    """The contract of a service, without any server."""
    return Application(service).openapi()


def _routes_of(routes: list[BaseRoute]) -> list[APIRoute]:
    """The routes of a router. Mounts and included routers would escape the gates, so they are refused."""
    strange = [route for route in routes if not isinstance(route, APIRoute)]
    if strange:
        raise TypeError(f"a service's router holds plain routes only, not {type(strange[0]).__name__}")
    return [route for route in routes if isinstance(route, APIRoute)]
