"""Who does something, when and why: the same for a request, a reaction and a clock."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

NAMESPACE = uuid5(NAMESPACE_URL, "linli")


def derived(*parts: str) -> UUID:
    """An id that is the same whenever the same parts are given."""
    return uuid5(NAMESPACE, "\x1f".join(parts))


def digest(*parts: str | bytes) -> str:
    """A short hash (128 bits, hex) of keys and bodies, so that neither is stored."""
    hasher = sha256()
    for part in parts:
        hasher.update(part.encode() if isinstance(part, str) else part)
        hasher.update(b"\x1f")
    return hasher.hexdigest()[:32]


@dataclass(frozen=True)
class Context:
    """The circumstances of one command.

    ``operation`` names the command for ever: a repeat with the same operation on the same aggregate takes no second
    effect and yields the first answer. ``body`` tells a repeat from another request under the same key.
    ``scope`` is the unit whose records may be touched; None is the service itself (reactions, clocks).
    """

    by: str  # sub of the caller, ``service:<name>`` or ``clock``
    at: datetime  # UTC, from the Clock
    operation: str
    body: str = ""
    cause: str | None = None  # id of the causing event
    trace: str | None = None  # W3C traceparent
    scope: str | None = None
