"""Who calls and what they may do: bearer tokens checked by the issuer's published keys.

Algorithms are pinned, keys come from the issuer's own discovery document and from nothing a token says, and a token
that was checked once is remembered by its hash until it expires. See docs/promises/scope.md.
"""

import asyncio
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeGuard

import orjson
import structlog
from joserfc import jws
from joserfc.errors import JoseError

from services.chassis.callers.issuer import Issuer, IssuerAway, Key
from services.chassis.errors import Forbidden, Unauthenticated, Unavailable
from services.chassis.settings import Settings

LOG = structlog.get_logger()
UNIT_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
ALGORITHMS = {"ES256": "EC", "RS256": "RSA"}
SERVICE = "service"  # the role of the services' own tokens
LEEWAY = 30  # seconds by which clocks may differ
LONGEST = 8192  # bytes of an Authorization header
REMEMBERED = 20_000  # tokens
REFRESH = 300.0  # seconds between looks at the issuer's keys
FLOOR = 10.0  # seconds at least between looks that unknown keys ask for
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0


@dataclass(frozen=True)
class Caller:
    """Who calls: ``unit`` is the id of the unit whose records, and those below it, the caller may see.

    Another service's token names no unit: each of its calls names the one it acts for, and sees that one's alone.
    """

    sub: str
    roles: frozenset[str]
    unit: str
    permissions: frozenset[str]

    def acting_for(self, unit: bytes | None) -> "Caller":
        """Another service as the unit that its call names. Raises Forbidden("unit-missing")."""
        if self.unit:
            return self
        if unit is None or not UNIT_ID.fullmatch(unit):
            raise Forbidden("unit-missing")
        return replace(self, unit=unit.decode())


class Access:
    """Turns Authorization headers into callers. Uses real time, not the domain's Clock."""

    def __init__(
        self,
        settings: Settings,
        permissions: Mapping[str, frozenset[str]],
        *,
        issuer: Issuer | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer or Issuer(settings.issuer)
        self._audience = settings.audience
        self._permissions = permissions
        self._now = now
        self._keys: dict[str, Key] = {}
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self._reason = "the issuer's keys have not been fetched yet"
        self._looked = float("-inf")
        self._looking = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to fetch keys in the background; until they are here, callers get 503."""
        self._refreshing = asyncio.create_task(self._refresh_for_ever())

    async def stop(self) -> None:
        """End the refreshing and close the connections."""
        if self._refreshing:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})
        await self._issuer.close()

    def ready(self) -> tuple[bool, str]:
        """Whether tokens can be checked, and if not, why. Old keys stay good while the issuer is away."""
        return bool(self._keys), "" if self._keys else self._reason

    def known(self, header: bytes) -> Caller | None:
        """The caller of an Authorization header that was checked before and has not expired."""
        entry = self._known.get(sha256(header).digest())
        return entry[0] if entry is not None and entry[1] > self._now() else None

    async def caller(self, header: bytes | None) -> Caller:
        """The caller of an Authorization header.

        Raises Unauthenticated, Forbidden("unit-missing") for a token that names no unit, and Unavailable while the
        issuer's keys are not here.
        """
        if header is None:
            raise Unauthenticated("token-missing")
        caller = self.known(header)
        if caller is not None:
            return caller
        token = _bearer(header)
        key, algorithm = await self._key_of(token)
        claims = _verified(token, key, algorithm)
        expires = self._check(claims)
        caller = self._caller_of(claims)
        self._remember(header, caller, expires)
        return caller

    async def refresh(self) -> None:
        """Fetch the keys now. Raises IssuerAway and keeps the old ones."""
        self._looked = self._now()
        try:
            keys = await self._issuer.keys()
        except IssuerAway as error:
            self._reason = str(error)
            raise
        if {kid: key.thumbprint() for kid, key in keys.items()} != {k: v.thumbprint() for k, v in self._keys.items()}:
            self._known.clear()  # what a withdrawn key signed is no longer believed
        self._keys = keys

    async def _refresh_for_ever(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self.refresh()
                pause = FIRST_PAUSE
                await asyncio.sleep(REFRESH)
            except IssuerAway as error:
                LOG.warning("issuer_away", reason=str(error), keys=len(self._keys))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _key_of(self, token: bytes) -> tuple[Key, str]:
        kid, algorithm = _header(token)
        if not self._keys:
            raise Unavailable("issuer-away")
        if kid not in self._keys:
            await self._look_again(kid)
        key = self._keys.get(kid)
        if key is None or key.key_type != ALGORITHMS[algorithm]:
            raise Unauthenticated("token-invalid")
        return key, algorithm

    async def _look_again(self, kid: str) -> None:
        """The issuer may have turned its keys; strangers with made-up key ids must not make us ask at every request."""
        async with self._looking:
            if kid in self._keys or self._now() - self._looked < FLOOR:
                return
            try:
                await self.refresh()
            except IssuerAway as error:
                LOG.warning("issuer_away", reason=str(error), keys=len(self._keys))

    def _check(self, claims: dict[str, Any]) -> float:
        """Issuer, audience and time; returns the expiry."""
        now = self._now()
        expires, begins = claims.get("exp"), claims.get("nbf", 0)
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self._issuer.url or self._audience not in audiences:
            raise Unauthenticated("token-invalid")
        if not _is_instant(expires) or not _is_instant(begins) or begins > now + LEEWAY:
            raise Unauthenticated("token-invalid")
        if expires + LEEWAY <= now:
            raise Unauthenticated("token-expired")
        return float(expires)

    def _caller_of(self, claims: dict[str, Any]) -> Caller:
        sub, unit, roles = claims.get("sub"), claims.get("unit"), claims.get("roles", [])
        if not _is_name(sub) or not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise Unauthenticated("token-invalid")
        if SERVICE in roles and unit in (None, ""):
            unit = ""
        elif not _is_name(unit):  # without a unit there is no scope, and no scope must never mean every scope
            raise Forbidden("unit-missing")
        granted = (self._permissions.get(role, frozenset()) for role in roles)
        return Caller(sub, frozenset(roles), unit, frozenset().union(*granted))

    def _remember(self, header: bytes, caller: Caller, expires: float) -> None:
        if len(self._known) >= REMEMBERED:
            now = self._now()
            self._known = {hashed: entry for hashed, entry in self._known.items() if entry[1] > now}
            for hashed in list(self._known)[: max(0, len(self._known) - REMEMBERED // 2)]:
                del self._known[hashed]
        self._known[sha256(header).digest()] = (caller, expires)


def _bearer(header: bytes) -> bytes:
    scheme, _, token = header.partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token or len(header) > LONGEST or not token.isascii():
        raise Unauthenticated("token-invalid")
    return token


def _header(token: bytes) -> tuple[str, str]:
    """``kid`` and ``alg``. Everything else a header may carry (jku, x5u, jwk, x5c) is not looked at."""
    first = token.partition(b".")[0]
    try:
        header = orjson.loads(urlsafe_b64decode(first + b"=" * (-len(first) % 4)))
    except ValueError:
        raise Unauthenticated("token-invalid") from None
    if not isinstance(header, dict) or "crit" in header:
        raise Unauthenticated("token-invalid")
    kid, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(kid, str) or not kid or not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Unauthenticated("token-invalid")
    return kid, algorithm


def _verified(token: bytes, key: Key, algorithm: str) -> dict[str, Any]:
    try:
        payload = jws.deserialize_compact(token, key, algorithms=[algorithm]).payload
        claims = orjson.loads(payload or b"")
    except (JoseError, ValueError):
        raise Unauthenticated("token-invalid") from None
    if not isinstance(claims, dict):
        raise Unauthenticated("token-invalid")
    return claims


def _is_instant(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()
