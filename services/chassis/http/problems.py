"""Every trouble becomes a problem document (RFC 9457): a stable code and a sentence in the caller's language.

Nothing of the request is ever repeated: of a wrong field only its path and a code. Names that the caller made up
stand as ``*`` in the path, because a name can be a person's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.chassis.errors import Invalid, NotFound, Problem, Unauthenticated, Unavailable
from services.chassis.http.answers import dumped
from services.chassis.http.exchange import Exchange, Headers, Malformed
from services.chassis.storage.driver import is_passing
from services.chassis.texts import Language, Texts, sayable_path
from services.chassis.texts.input import CODES, OTHERWISE
from services.kernel.events import Refused

LOG = structlog.get_logger()
LIMITS = ("min_length", "max_length", "gt", "ge", "lt", "le", "multiple_of")
MOST_ERRORS = 50
MADE_UP = "*"
TITLES: dict[int, tuple[str, str]] = {
    400: ("请求无法读取", "Malformed request"),
    401: ("未登录", "Not signed in"),
    403: ("无权限", "Not permitted"),
    404: ("未找到", "Not found"),
    405: ("方法不适用", "Method not allowed"),
    408: ("请求超时", "Request too slow"),
    409: ("状态冲突", "Conflict"),
    412: ("版本已变", "Version has moved"),
    413: ("内容过大", "Too large"),
    415: ("格式不支持", "Unsupported format"),
    422: ("内容有误", "Invalid input"),
    429: ("请求过多", "Too many requests"),
    431: ("请求头过大", "Head too large"),
    500: ("系统出错", "Internal error"),
    503: ("暂不可用", "Unavailable"),
}


class RouteUnknown(Problem):
    """There is no such route: 404."""

    status, code = 404, "route-unknown"


class MethodNotAllowed(Problem):
    """The path is known, the method is not: 405. ``allowed`` names those that are."""

    status, code = 405, "method-not-allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.allowed = ", ".join(sorted(allowed))


class InputInvalid(Problem):
    """Fields are wrong: 422 with one entry each. ``faults``: field path, code, limits for the text."""

    status, code = 422, "input-invalid"

    def __init__(self, faults: list[tuple[str, str, dict[str, Any]]]) -> None:
        super().__init__()
        self.faults = faults


FRAMEWORK: dict[int, type[Problem]] = {400: Malformed, 404: NotFound}


class Problems:
    """Turns what was raised into status, headers and body."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts

    def of(self, error: BaseException, exchange: Exchange) -> tuple[int, Headers, bytes]:
        """The problem document for whatever was raised; what nobody expected is logged and told as ``internal``."""
        if isinstance(error, Refused):
            status = self.texts.status(error.code)
            return self._document(status, error.code, error.field, error.params, [], None, exchange)
        if isinstance(error, RequestValidationError):
            error = self._input_invalid(error, exchange)
        elif isinstance(error, HTTPException):
            error = _framework_problem(error)
        if not isinstance(error, Problem) and isinstance(error, Exception) and is_passing(error):
            LOG.warning("database_away", error=type(error).__name__)
            error = Unavailable()
        if not isinstance(error, Problem):
            LOG.error("unexpected", exc_info=error, route=exchange.served.template if exchange.served else "")
            error = Problem("internal")
        elif error.status >= 500 and error.__cause__ is not None:
            LOG.warning("trouble", code=error.code, cause=type(error.__cause__).__name__)
        faults = error.faults if isinstance(error, InputInvalid) else []
        return self._document(error.status, error.code, error.field, error.params, faults, error, exchange)

    def _input_invalid(self, error: RequestValidationError, exchange: Exchange) -> InputInvalid:
        names = exchange.served.names if exchange.served else frozenset()
        faults = []
        for item in list(error.errors())[:MOST_ERRORS]:
            kind, context = item["type"], item.get("ctx") or {}
            path = field_path(item["loc"], names)
            code = kind if kind in self.texts else CODES.get(kind, OTHERWISE)
            if code == "field-missing" and not path:
                code = "body-missing"
            faults.append((path, code, {name: context[name] for name in LIMITS if name in context}))
        return InputInvalid(faults)

    def _document(
        self,
        status: int,
        code: str,
        field: str,
        params: Mapping[str, Any],
        faults: list[tuple[str, str, dict[str, Any]]],
        error: Problem | None,
        exchange: Exchange,
    ) -> tuple[int, Headers, bytes]:
        language = exchange.language
        detail = self.texts.detail(code, language, params)
        if field and not faults:
            faults = [(sayable_path(field), code, dict(params))]
        document = {
            "type": f"urn:linli:problem:{code}",
            "title": _title(status, language),
            "status": status,
            "code": code,
            "detail": detail,
            "instance": exchange.trail.request,
            "errors": [
                {"field": path, "code": fault, "detail": self.texts.detail(fault, language, limits)}
                for path, fault, limits in faults
            ],
        }
        body = dumped(document)
        headers: Headers = [
            (b"content-length", str(len(body)).encode()),
            (b"content-type", b"application/problem+json"),
            (b"content-language", language.encode()),
        ]
        return status, headers + _headers_of(error), body


def field_path(location: Iterable[Any], names: frozenset[str]) -> str:
    """``("body", "phones", 0, "number")`` as ``phones.0.number``; made-up names as ``*``."""
    where, *steps = location
    shown = [str(step) if isinstance(step, int) or step in names else MADE_UP for step in steps]
    return ".".join(shown if where == "body" else [str(where), *shown])


def _title(status: int, language: Language) -> str:
    zh, en = TITLES.get(status, ("请求未成", "Request failed"))
    return en if language == "en" else zh


def _headers_of(error: Problem | None) -> Headers:
    headers: Headers = []
    if error is None:
        return headers
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if isinstance(error, Unauthenticated):
        doubt = b"" if error.code == "token-missing" else b' error="invalid_token"'
        headers.append((b"www-authenticate", b"Bearer" + doubt))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", error.allowed.encode()))
    return headers


def _framework_problem(error: HTTPException) -> Problem:
    """What FastAPI itself raises. A problem of ours that it wrapped comes out again."""
    if isinstance(error.__cause__, Problem):
        return error.__cause__
    return FRAMEWORK.get(error.status_code, Invalid if error.status_code < 500 else Problem)()
