"""What a route may ask for besides its own parameters: caller, operation, version, a page of a list.

Each is an ordinary FastAPI dependency, and besides knows how to be computed straight from the exchange, which saves
the framework's way through a dependency tree at every request.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from services.chassis.callers.access import Caller
from services.chassis.context import Context, digest
from services.chassis.errors import Busy, Forbidden
from services.chassis.http.exchange import Exchange, Malformed, exchange_of

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

PUBLIC = "public"
KEY = re.compile(rb"[\x21-\x7e]+")
LONGEST_KEY = 200
SHORTEST_PUBLIC_KEY = 16  # strangers share one name: a short key of one would be taken for a repeat of another's
VERSION = re.compile(rb'"(\d{1,18})"')
ADDRESSES = 10_000  # remembered by one limit


class Given:
    """A dependency computed from the exchange alone."""

    parameters: tuple[dict[str, Any], ...] = ()  # as OpenAPI describes them

    def described(self, *, is_public: bool) -> tuple[dict[str, Any], ...]:
        """The parameters of a route that is open to all, or not."""
        return self.parameters

    async def __call__(self, request: Request) -> Any:
        """As FastAPI calls it."""
        return self.of(exchange_of(request.scope))

    def of(self, exchange: Exchange) -> Any:
        """As the chassis' own routes call it."""
        raise NotImplementedError


class Gate(Given):
    """Says who may call. It is asked before the body is read; a route without one admits nobody."""

    async def admit(self, exchange: Exchange) -> None:
        """Let the request in or raise."""
        raise NotImplementedError


class Allow(Gate):
    """Signed-in callers whose roles have a permission."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    async def admit(self, exchange: Exchange) -> None:
        if exchange.caller is None:
            header = exchange.headers.get(b"authorization")
            access = exchange.runtime.access
            known = access.known(header) if header is not None else None
            caller: Caller = known if known is not None else await access.caller(header)
            exchange.caller = caller if caller.unit else caller.acting_for(exchange.headers.get(b"linli-unit"))
        if self.permission not in exchange.caller.permissions:
            raise Forbidden()

    def of(self, exchange: Exchange) -> Caller:
        return exchange.signed_in()


class OpenToAll(Gate):
    """Anybody, so many requests a minute from one address (a token bucket for each)."""

    def __init__(self, per_minute: int, burst: int, now: Callable[[], float] = monotonic) -> None:
        self.per_minute, self.burst = per_minute, burst
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address to what is left, and when

    async def admit(self, exchange: Exchange) -> None:
        wait = self.take(exchange.address)
        if wait > 0:
            refusal = Busy("rate-limited")
            refusal.retry_after = int(wait) + 1
            raise refusal

    def take(self, address: str) -> float:
        """Take one; returns 0, or the seconds until there is one to take."""
        now, rate = self._now(), self.per_minute / 60
        left, since = self._buckets.pop(address, (float(self.burst), now))
        left = min(float(self.burst), left + (now - since) * rate)
        if len(self._buckets) >= ADDRESSES:
            self._buckets.popitem(last=False)
        self._buckets[address] = (left - 1 if left >= 1 else left, now)
        return 0.0 if left >= 1 else (1 - left) / rate

    def of(self, exchange: Exchange) -> None:
        return None


def allow(permission: str) -> Allow:
    """``caller: Annotated[Caller, Depends(allow("case.record"))]``: signed-in callers with this permission."""
    return Allow(permission)


def open_to_all(per_minute: int = 120, burst: int = 60) -> OpenToAll:
    """``dependencies=[Depends(open_to_all())]``: anybody, within a rate for each address."""
    return OpenToAll(per_minute, burst)


class TheOperation(Given):
    """The context of a command: who, when, and which operation, so that a repeat takes no second effect."""

    def described(self, *, is_public: bool) -> tuple[dict[str, Any], ...]:
        """The key, a longer one from the public."""
        least = SHORTEST_PUBLIC_KEY if is_public else 1
        schema = {"type": "string", "minLength": least, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"}
        described = "每次提交一个新的标识,重试时沿用 / new for each submission, kept when repeating"
        key = {"name": "Idempotency-Key", "in": "header", "required": True, "description": described, "schema": schema}
        return (key,)

    def of(self, exchange: Exchange) -> Context:
        caller, served = exchange.caller, exchange.served
        assert served is not None
        by = caller.sub if caller is not None else PUBLIC
        key = _key(exchange, 1 if caller is not None else SHORTEST_PUBLIC_KEY)
        who = f"caller:{by}" if caller is not None else PUBLIC
        query = exchange.scope["query_string"]
        return Context(
            by=by,
            at=exchange.runtime.clock.now(),
            operation=digest(who, served.signature, *exchange.path_params.values(), key),
            body=digest(exchange.body, query) if query else digest(exchange.body),
            trace=exchange.trail.traceparent,
            scope=caller.unit if caller is not None else None,
        )


class IfMatch(Given):
    """The version that the caller has seen, from ``If-Match``; None when it does not matter to them."""

    parameters = (
        {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "description": "所见版本(ETag) / the version seen (its ETag)",
            "schema": {"type": "string", "format": "etag", "pattern": r'^("[0-9]{1,18}"|\*)$'},
        },
    )

    def of(self, exchange: Exchange) -> int | None:
        sent = exchange.headers.get(b"if-match")
        if sent is None or sent == b"*":
            return None
        found = VERSION.fullmatch(sent)
        if found is None:
            raise Malformed("if-match-invalid")
        return int(found[1])


class TheRuntime(Given):
    """What the process stands on."""

    def of(self, exchange: Exchange) -> "Runtime":
        runtime: Runtime = exchange.runtime
        return runtime


def _key(exchange: Exchange, least: int) -> str:
    key = exchange.headers.get(b"idempotency-key")
    if key is None:
        raise Malformed("idempotency-key-missing")
    if not least <= len(key) <= LONGEST_KEY or not KEY.fullmatch(key):
        raise Malformed("idempotency-key-invalid", least=least, most=LONGEST_KEY)
    return key.decode("ascii")


Operation = Annotated[Context, Depends(TheOperation())]
IfVersion = Annotated[int | None, Depends(IfMatch())]
if TYPE_CHECKING:
    Running = Annotated[Runtime, Depends(TheRuntime())]
else:
    Running = Annotated[Any, Depends(TheRuntime())]
