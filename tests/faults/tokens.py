"""Tokens for anybody: signed by the identity provider of a system of our own, for roles and units that a test names."""

from dataclasses import dataclass

from deploy.local.identity import Account, Provider, signing_key
from deploy.local.system import System

AUDIENCE = "linli"


@dataclass(frozen=True)
class Caller:
    """Somebody with a bearer token."""

    sub: str
    roles: tuple[str, ...]
    unit: str
    token: str


class Tokens:
    """Gives out tokens that the services of this system believe."""

    def __init__(self, system: System) -> None:
        self._issuer = system.plan.issuer
        self._key = signing_key(system.secrets)

    def of(self, sub: str, roles: tuple[str, ...], unit: str) -> Caller:
        """A caller of this name, with these roles in this unit; the token is good for an hour."""
        account = Account(sub, sub, sub, list(roles), unit, sub, sub)
        provider = Provider(self._issuer, AUDIENCE, self._key, {}, [account])
        return Caller(sub, roles, unit, provider.for_account(sub, sub))
