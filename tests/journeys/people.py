"""Who acts in a journey: people with an account (or none), who speak HTTP and nothing else."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

PASSWORD = "linli-demo"  # of the demonstration accounts
PATIENCE = 60.0  # seconds until what follows from an event is seen


class Unexpected(AssertionError):
    """An answer other than the one that was to come."""


@dataclass
class Person:
    """Somebody with an account, or a resident without one (``account`` empty)."""

    urls: Mapping[str, str]  # service to base URL, "identity" among them
    account: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    _token: str = ""

    def get(self, service: str, path: str, status: int = 200, **headers: str) -> Any:
        """The JSON of a page. Raises Unexpected for another status."""
        return self._checked(self.http.get(self.urls[service] + path, headers=self._headers(headers)), status)

    def post(
        self, service: str, path: str, body: Any = None, *, key: str = "", status: int | None = None, **headers: str
    ) -> Any:
        """The JSON of an answer to a POST; a new Idempotency-Key unless one is given."""
        sent = self._headers(headers) | {"Idempotency-Key": key or uuid4().hex}
        response = self.http.post(self.urls[service] + path, json=body, headers=sent)
        return self._checked(response, status)

    def wait_for(self, service: str, path: str, seen: Callable[[Any], Any], seconds: float = PATIENCE) -> Any:
        """Ask until ``seen`` finds in the page what it looks for, and return that."""
        limit = time.monotonic() + seconds
        while True:
            response = self.http.get(self.urls[service] + path, headers=self._headers({}))
            page = response.json()
            if response.status_code == 200 and (found := seen(page)):
                return found
            if time.monotonic() > limit:
                raise Unexpected(f"{path} did not come to show it within {seconds:.0f} s: {page}")
            time.sleep(0.1)

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        return headers | ({"Authorization": f"Bearer {self.token}"} if self.account else {})

    @property
    def token(self) -> str:
        """A bearer token of the demonstration's identity provider."""
        if not self._token:
            form = {"grant_type": "password", "username": self.account, "password": PASSWORD}
            answer = self.http.post(self.urls["identity"] + "/token", data=form)
            self._token = self._checked(answer, 200)["access_token"]
        return self._token

    @staticmethod
    def _checked(response: httpx.Response, status: int | None) -> Any:
        if response.status_code != status and (status is not None or not response.is_success):
            request = response.request
            raise Unexpected(f"{request.method} {request.url.path}: {response.status_code} {response.text[:500]}")
        return response.json() if response.content else None
