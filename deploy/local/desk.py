"""One of the demonstration's people at work over HTTP: what the loader and the tests use to set up a district."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.local.trouble import Trouble

PASSWORD = "linli-demo"
PATIENCE = 120.0  # seconds until a service has heard of what another one published
NOT_YET = {"unit-unknown", "parameter-not-set"}  # may be on its way over Kafka
LATER = {429, 503}


@dataclass
class Desk:
    """An account of the embedded identity provider. Every POST carries a key of its own that is the same next time."""

    urls: Mapping[str, str]  # service to base URL, "identity" among them
    account: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    _token: str = ""
    _until: float = 0.0

    def get(self, service: str, path: str) -> Any:
        """The JSON of a page. Raises Trouble for anything but 200."""
        response = self.http.get(self.urls[service] + path, headers=self._headers())
        return self._told(response)

    def post(self, service: str, path: str, body: Any = None, *, key: str, content: bytes | None = None) -> Any:
        """The JSON of the answer, once the service knows what it needs to. Raises Trouble for a refusal."""
        limit = time.monotonic() + PATIENCE
        while True:
            headers = self._headers() | {"Idempotency-Key": key}
            if content is None:
                response = self.http.post(self.urls[service] + path, json=body, headers=headers)
            else:
                headers["Content-Type"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
                response = self.http.post(self.urls[service] + path, content=content, headers=headers)
            if time.monotonic() > limit or not self._is_early(response):
                return self._told(response)
            time.sleep(0.2)

    @staticmethod
    def _is_early(response: httpx.Response) -> bool:
        if response.status_code in LATER:
            return True
        return response.status_code in (404, 409, 422) and response.json().get("code") in NOT_YET

    def _headers(self) -> dict[str, str]:
        if time.monotonic() > self._until:
            form = {"grant_type": "password", "username": self.account, "password": PASSWORD}
            answer = self._told(self.http.post(self.urls["identity"] + "/token", data=form))
            self._token = answer["access_token"]
            self._until = time.monotonic() + answer["expires_in"] / 2
        return {"Authorization": f"Bearer {self._token}"}

    def _told(self, response: httpx.Response) -> Any:
        if response.is_success:
            return response.json()
        asked = f"{response.request.method} {response.request.url}"
        raise Trouble(
            f"演示数据载入失败:{asked} 答复 {response.status_code}:{response.text[:400]}",
            f"The demonstration could not be loaded: {asked} answered {response.status_code}.",
        )
