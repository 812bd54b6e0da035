"""One request on its way: what every part of the chassis may ask about it."""

import asyncio
import re
from typing import TYPE_CHECKING, Any

from services.chassis.errors import Problem, Unauthenticated
from services.chassis.telemetry import Trail, continued
from services.chassis.texts import Language, language_of

if TYPE_CHECKING:
    from services.chassis.callers.access import Caller
    from services.chassis.http.routes import Served

Headers = list[tuple[bytes, bytes]]
# A caller's own request id is taken over when it is a UUID, or a token without a run of digits like a phone number's.
REQUEST_ID = re.compile(
    rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?!.*\d{7})[A-Za-z0-9][A-Za-z0-9._-]{7,63}"
)
ONCE = (b"authorization", b"idempotency-key", b"content-length", b"content-type", b"if-match", b"linli-unit")


class Malformed(Problem):
    """The request cannot be read: 400."""

    status, code = 400, "request-malformed"


class Exchange:
    """A request being answered. ``headers`` have lower-case names; of a repeated one the last counts."""

    __slots__ = ("body", "caller", "headers", "late", "path_params", "runtime", "scope", "served", "task", "trail")

    def __init__(self, scope: Any, runtime: Any) -> None:
        self.scope = scope
        self.runtime = runtime
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body = b""
        self.caller: Caller | None = None
        self.served: Served | None = None
        self.path_params: dict[str, str] = {}
        self.late = False
        self.task: asyncio.Task[Any] | None = None
        sent = self.headers.get(b"traceparent")
        trace = continued(sent.decode("latin-1") if sent else None)
        wanted = self.headers.get(b"x-request-id")
        own = wanted is None or not REQUEST_ID.fullmatch(wanted)
        self.trail = Trail(trace[3:35] if own else wanted.decode(), trace)  # type: ignore[union-attr]

    @property
    def language(self) -> Language:
        """The language of the answer's texts."""
        return language_of(self.headers.get(b"accept-language", b""))

    @property
    def address(self) -> str:
        """The caller's address; of an IPv6 address the network that one household has."""
        client = self.scope.get("client")
        host: str = client[0] if client else ""
        return ":".join(host.split(":")[:4]) if ":" in host else host

    def signed_in(self) -> "Caller":
        """The caller of a route that declares a permission."""
        if self.caller is None:
            raise Unauthenticated()
        return self.caller

    def refuse_repeated_headers(self) -> None:
        """Two values of a header that decides something: two readers could each believe another one."""
        raw = self.scope["headers"]
        if len(raw) == len(self.headers):
            return
        names = [name for name, _ in raw]
        if any(names.count(name) > 1 for name in ONCE):
            raise Malformed("header-repeated")


def exchange_of(scope: Any) -> Exchange:
    """The exchange that the edge put into an ASGI scope."""
    found: Exchange = scope["linli.exchange"]
    return found
