"""Requests as a stranger's program sends them: any route, any caller, and the answer as it comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.journeys.contract import Filling, Route


@dataclass
class Asking:
    """One caller; ``token`` is empty for the anonymous."""

    urls: Mapping[str, str]
    token: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def ask(
        self,
        route: Route,
        filling: Filling,
        path: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> httpx.Response:
        """Send a request that fits the route. ``path`` fills the names in its path, ``query`` what else is asked."""
        asked = {name: filling.value(route.in_query[name], name) for name in route.in_query if name in route.needed}
        given = {name: str(filling.value(schema, name)) for name, schema in route.in_header.items()}
        headers = [(name.encode(), value.encode()) for name, value in (given | self._standing()).items()]
        body = {"json": filling.value(route.body)} if route.body is not None and not route.upload else {}
        sent: dict[str, Any] = {"content": content} if route.upload else body
        return self.http.request(
            route.method,
            self.urls[route.service] + route.path.format_map(path),
            params=asked | dict(query or {}),
            headers=headers,
            **sent,
        )

    def upload(self, service: str, path: str, content: bytes) -> Any:
        """The JSON of the answer to a file; AssertionError when it is not taken."""
        response = self.http.post(self.urls[service] + path, content=content, headers=self._standing())
        assert response.is_success, response.text
        return response.json()

    def _standing(self) -> dict[str, str]:
        key = {"Idempotency-Key": uuid4().hex}
        return key | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
