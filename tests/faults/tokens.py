"""Tokens for anybody: signed by the identity provider of a system of our own, for roles and units that a test names."""

import time
from dataclasses import dataclass

from deploy.local.identity import LIFETIME, Account, Provider, signing_key
from deploy.local.system import System

AUDIENCE = "linli"


@dataclass
class Caller:
    """Somebody with a bearer token, good for an hour and made anew in time."""

    sub: str
    roles: tuple[str, ...]
    unit: str
    provider: Provider
    _token: str = ""
    _until: float = 0.0  # monotonic

    @property
    def token(self) -> str:
        """The token of now."""
        if time.monotonic() > self._until:
            self._token, self._until = self.provider.for_account(self.sub, self.sub), time.monotonic() + LIFETIME / 4
        return self._token


class Tokens:
    """Gives out tokens that the services of this system believe."""

    def __init__(self, system: System) -> None:
        self._issuer = system.plan.issuer
        self._key = signing_key(system.secrets)

    def of(self, sub: str, roles: tuple[str, ...], unit: str) -> Caller:
        """A caller of this name, with these roles in this unit."""
        account = Account(sub, sub, sub, list(roles), unit, sub, sub)
        provider = Provider(self._issuer, AUDIENCE, self._key, {}, [account])
        return Caller(sub, roles, unit, provider)
