"""What can go wrong, each with a stable code; the HTTP layer turns it into a problem document (RFC 9457)."""

from typing import Any


class Problem(Exception):
    """Base of what a caller may be told. ``params`` holds ids, codes and figures, never what somebody typed."""

    status = 500
    code = "internal"
    retry_after: int | None = None  # seconds

    def __init__(self, code: str | None = None, field: str = "", **params: Any) -> None:
        super().__init__(code or self.code)
        self.code = code or self.code
        self.field = field
        self.params = params


class Invalid(Problem):
    """The request itself is wrong: 422."""

    status, code = 422, "invalid"


class Unauthenticated(Problem):
    """No token, or one that does not hold: 401."""

    status, code = 401, "unauthenticated"


class Forbidden(Problem):
    """The caller's roles lack the permission: 403."""

    status, code = 403, "forbidden"


class NotFound(Problem):
    """Not there, or in a scope the caller may not see: the same 404 for both."""

    status, code = 404, "not-found"


class Conflict(Problem):
    """The state does not allow it, or changed meanwhile: 409."""

    status, code = 409, "conflict"


class PreconditionFailed(Problem):
    """``If-Match`` names another version than the stored one: 412. ``params['version']`` is the present one."""

    status, code = 412, "version-moved"


class KeyReused(Problem):
    """The same ``Idempotency-Key`` with another body: 422."""

    status, code = 422, "idempotency-key-reused"


class Busy(Problem):
    """The queue is full; nothing was begun: 429."""

    status, code, retry_after = 429, "busy", 1


class Unavailable(Problem):
    """Not known to be stored before the deadline; repeat with the same key: 503."""

    status, code, retry_after = 503, "unavailable", 2
