"""Every trouble becomes a problem document (RFC 9457): a stable code and a sentence in the caller's language.

Nothing of the request is ever repeated: of a wrong field only its path and a code. Names that the caller made up
stand as ``*`` in the path, because a name can be a person's. Where one of a list of codes was asked for, ``allowed``
lists them. On routes that are open to all the sentences are those for residents.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.chassis.errors import Invalid, NotFound, Problem, Unauthenticated, Unavailable
from services.chassis.http.answers import dumped
from services.chassis.http.exchange import Exchange, Headers, Malformed
from services.chassis.storage.driver import is_passing
from services.chassis.texts import Language, Texts, sayable, sayable_path
from services.chassis.texts.input import CODES, OTHERWISE
from services.kernel.events import Refused, RefusedAll

if TYPE_CHECKING:
    from services.chassis.files.spreadsheets import CellError

LOG = structlog.get_logger()
LIMITS = ("min_length", "max_length", "gt", "ge", "lt", "le", "multiple_of")
MOST_ERRORS = 50
MOST_ALLOWED = 50
MADE_UP = "*"
_EXPECTED = re.compile(r"'([^']*)'")  # the choices of a declared field, as pydantic tells them
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


@dataclass(frozen=True)
class Fault:
    """One wrong field: its path as it may be told, a code, and figures, ids and codes for the text."""

    field: str
    code: str
    params: Mapping[str, Any]


class InputInvalid(Problem):
    """Fields are wrong: 422 with one entry each."""

    status, code = 422, "input-invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


class FileHasErrors(Problem):
    """Cells of a file are wrong, and nothing of it was taken: 422 with one entry each.

    ``rows``: those without faults; ``more``: there are more faults than are told.
    """

    status, code = 422, "file-has-errors"

    def __init__(self, rows: int, cells: "Sequence[CellError]", more: bool) -> None:
        super().__init__()
        self.rows, self.cells, self.more = rows, cells, more


FRAMEWORK: dict[int, type[Problem]] = {400: Malformed, 404: NotFound}


class Problems:
    """Turns what was raised into status, headers and body."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts

    def of(self, error: BaseException, exchange: Exchange) -> tuple[int, Headers, bytes]:
        """The problem document for whatever was raised; what nobody expected is logged and told as ``internal``."""
        if isinstance(error, Refused):
            status = self.texts.status(error.code)
            return self._document(status, error.code, error.params, _refused(error), {}, None, exchange)
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
        return self._problem(error, exchange)

    def _problem(self, error: Problem, exchange: Exchange) -> tuple[int, Headers, bytes]:
        faults: Sequence[Fault] = []
        members: dict[str, Any] = {}
        if isinstance(error, InputInvalid):
            faults = error.faults
        elif isinstance(error, FileHasErrors):
            members = {"rows": error.rows, "more": error.more, "errors": [_cell(one, exchange) for one in error.cells]}
        elif error.field:
            faults = [Fault(sayable_path(error.field), error.code, error.params)]
        return self._document(error.status, error.code, error.params, faults, members, error, exchange)

    def _input_invalid(self, error: RequestValidationError, exchange: Exchange) -> InputInvalid:
        names = exchange.served.names if exchange.served else frozenset()
        faults = []
        for item in list(error.errors())[:MOST_ERRORS]:
            kind, context = item["type"], item.get("ctx") or {}
            path = field_path(item["loc"], names)
            code = kind if kind in self.texts else CODES.get(kind, OTHERWISE)
            if code == "field-missing" and not path:
                code = "body-missing"
            params = {name: context[name] for name in LIMITS if name in context}
            if code == "not-one-of":
                params["allowed"] = _EXPECTED.findall(str(context.get("expected", "")))
            faults.append(Fault(path, code, params))
        return InputInvalid(faults)

    def _document(
        self,
        status: int,
        code: str,
        params: Mapping[str, Any],
        faults: Sequence[Fault],
        members: Mapping[str, Any],
        error: Problem | None,
        exchange: Exchange,
    ) -> tuple[int, Headers, bytes]:
        language = exchange.language
        document = {
            "type": f"urn:linli:problem:{code}",
            "title": _title(status, language),
            "status": status,
            "code": code,
            "detail": self.texts.detail(code, language, params, public=_is_public(exchange)),
            "instance": exchange.trail.request,
            "errors": [self._entry(fault, exchange) for fault in faults],
            **_allowed(params),
            **members,
        }
        body = dumped(document)
        headers: Headers = [
            (b"content-length", str(len(body)).encode()),
            (b"content-type", b"application/problem+json"),
            (b"content-language", language.encode()),
        ]
        return status, headers + _headers_of(error), body

    def _entry(self, fault: Fault, exchange: Exchange) -> dict[str, Any]:
        detail = self.texts.detail(fault.code, exchange.language, fault.params, public=_is_public(exchange))
        return {"field": fault.field, "code": fault.code, "detail": detail, **_allowed(fault.params)}


def _refused(refused: Refused) -> list[Fault]:
    each = refused.faults[:MOST_ERRORS] if isinstance(refused, RefusedAll) else [refused] if refused.field else []
    return [Fault(sayable_path(one.field), one.code, one.params) for one in each]


def _is_public(exchange: Exchange) -> bool:
    return exchange.served is not None and exchange.served.is_public


def _allowed(params: Mapping[str, Any]) -> dict[str, list[str]]:
    """The codes that would have been taken; what does not look like a code of ours is left out."""
    codes = [code for code in params.get("allowed", ()) if isinstance(code, str) and sayable(code)]
    return {"allowed": codes[:MOST_ALLOWED]} if codes else {}


def _cell(fault: "CellError", exchange: Exchange) -> dict[str, str]:
    told = fault.as_dict()
    return {"field": fault.cell, "detail": told[exchange.language], **told}


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
