"""What somebody sends who means harm, to every route of every running service: operators for the database, bodies that
are large, deep, packed or broken, pages without end, and connections that only sit there."""

import gzip
import json
import resource
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx
import pytest

from deploy.local.system import System
from tests.faults.district import DISTRICT, GRIDS, STREET
from tests.journeys.asking import Asking
from tests.journeys.contract import Filling, Route, routes
from tests.journeys.doors import LITERAL
from tests.journeys.records import LINE, Marks, Records, settle, whoever

pytestmark = [pytest.mark.timeout(900)]

OPERATORS: tuple[Any, ...] = ({"$ne": None}, [{"$where": "sleep(9000) || true"}])
WRITTEN = ('{"$ne":""}', "$where", "' || 1==1 //", "a\x00b", "..%2f..%2f", "*")
ANY_VALUE = {"directory POST /policies value"}
"""Takes any JSON and keeps it as a value: what is decided, a district says."""
IDLE = 2_000  # connections at once
JSON = {"content-type": "application/json"}


class Harm:
    """Somebody who may do much, and where they try it."""

    def __init__(self, system: System, urls: Mapping[str, str]) -> None:
        self.urls = urls
        self.records: Records = settle(system, urls, Marks())
        self.token = whoever(system, DISTRICT).token
        self.routes = routes(urls)
        self.asking = Asking(urls, self.token)
        self.http = httpx.Client(timeout=60)

    def path(self, route: Route, **instead: str) -> dict[str, str]:
        """Records that there are, but for those named."""
        ids = self.records.ids | LITERAL | {"code": self.records.code}
        return {name: ids.get(f"{route.service}.{name}") or ids[name] for name in route.in_path} | instead

    def filling(self, route: Route) -> Filling:
        """Bodies that fit."""
        kinds = {"/units": "building", "/places": "residents-committee", "/teams": "party", "/imports": "units"}
        kind = next(({"kind": kind} for path, kind in kinds.items() if route.path.startswith(path)), {})
        ids = {name: value for name, value in self.records.ids.items() if "." not in name}
        more = {"unit": GRIDS[0], "parent": STREET, "line": LINE, "category": "welfare", "Linli-Phone": Marks().phone}
        return Filling(route.named, ids | more | kind, complete=True)

    def send(self, route: Route, content: Any, **headers: str) -> httpx.Response:
        """Any bytes as the body."""
        own = {"authorization": f"Bearer {self.token}", "idempotency-key": uuid4().hex, "linli-phone-tail": "0000"}
        url = self.urls[route.service] + route.path.format_map(self.path(route))
        return self.http.request(route.method, url, content=content, headers=own | JSON | headers)


@pytest.fixture(scope="module")
def harm(system: System, urls: dict[str, str]) -> Harm:
    return Harm(system, urls)


def spoken(harm: Harm) -> list[Route]:
    """Routes that take JSON."""
    return [route for route in harm.routes if route.body is not None and not route.upload]


def test_no_query_parameter_is_an_operator(harm: Harm) -> None:
    wrong = {}
    for route in (one for one in harm.routes if one.method == "GET"):
        plain = harm.asking.ask(route, harm.filling(route), harm.path(route))
        for name in route.in_query:
            for query in (*({name: written} for written in WRITTEN), {f"{name}[$ne]": "x"}, {f"{name}[]": "x"}):
                answer = harm.asking.ask(route, harm.filling(route), harm.path(route), query)
                if answer.status_code >= 500 or _wider(answer, plain):
                    wrong[f"{route} {query}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}


def _wider(answer: httpx.Response, plain: httpx.Response) -> bool:
    """Whether more is shown than without the parameter."""
    return answer.status_code == 200 and _shown(answer) > _shown(plain)


def _shown(answer: httpx.Response) -> int:
    is_json = answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    told = answer.json() if is_json else None
    return len(told["items"]) if isinstance(told, dict) and isinstance(told.get("items"), list) else 0


def test_no_id_in_a_path_is_an_operator(harm: Harm) -> None:
    wrong = {}
    for route in harm.routes:
        for name in route.in_path:
            for written in WRITTEN:
                path = harm.path(route, **{name: quote(written, safe="")})
                answer = harm.asking.ask(route, harm.filling(route), path)
                if answer.status_code not in (400, 404, 409, 422, 429):
                    wrong[f"{route} {name}={written}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}


def test_no_field_of_a_body_is_an_operator(harm: Harm) -> None:
    wrong, tried = {}, 0
    for route in spoken(harm):
        body = harm.filling(route).value(route.body)
        for place in _places(body):
            for operator in OPERATORS:
                answer = harm.send(route, json.dumps(_with(body, place, operator)).encode())
                tried += 1
                refused = answer.status_code in (404, 409, 422, 429) or f"{route} {place[0]}" in ANY_VALUE
                if not refused or answer.status_code >= 500:
                    wrong[f"{route} {place} {operator}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}
    assert tried > 500


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field of a body, however deep."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield (*above, name)
        yield from _places(item, (*above, name))


def _with(value: Any, place: tuple[Any, ...], operator: Any) -> Any:
    if not place:
        return operator
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _with(value[place[0]], place[1:], operator)
    return copy


def pieces(content: bytes) -> Iterator[bytes]:
    """As a body in pieces, each of a byte or a few."""
    for start in range(0, len(content), 7):
        yield content[start : start + 7]


BROKEN: list[tuple[str, Any, dict[str, str], tuple[int, str]]] = [
    ("packed", gzip.compress(b"{}"), {"content-encoding": "gzip"}, (415, "content-encoding-unknown")),
    ("packed as said nowhere", gzip.compress(b"{}"), {}, (400, "json-malformed")),
    ("deep", b'{"a":' * 40 + b"1" + b"}" * 40, {}, (400, "json-too-deep")),
    ("deeper", b"[" * 100_000, {}, (400, "json-too-deep")),
    ("NaN", b'{"a": NaN}', {}, (400, "json-malformed")),
    ("infinite", b'{"a": 1e999}', {}, (400, "json-malformed")),
    ("endless digits", b'{"a": ' + b"9" * 5000 + b"}", {}, (400, "json-malformed")),
    ("bad UTF-8", b'{"a": "\xff\xfe"}', {}, (400, "json-malformed")),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), {}, (400, "json-malformed")),
    ("twice", b'{"a": 1, "a": 2}', {}, (400, "json-key-repeated")),
    ("large", b" " * 300_000, {}, (413, "body-too-large")),
    ("in pieces, large", lambda: pieces(b" " * 300_000), {}, (413, "body-too-large")),
    ("in pieces, broken", lambda: pieces(b'{"a": '), {}, (400, "json-malformed")),
    ("a form", b"a=1", {"content-type": "application/x-www-form-urlencoded"}, (415, "media-type-unknown")),
    ("another charset", b"{}", {"content-type": "application/json; charset=gbk"}, (415, "media-type-unknown")),
]


def test_a_body_that_is_broken_is_told_so_on_every_route(harm: Harm) -> None:
    """Each route gets three of the broken bodies, so that every route meets some and every body many."""
    wrong, met = {}, 0
    for number, route in enumerate(one for one in spoken(harm) if not one.public):
        for name, content, headers, expected in (BROKEN[(3 * number + turn) % len(BROKEN)] for turn in range(3)):
            answer = harm.send(route, content() if callable(content) else content, **headers)
            met += 1
            if (answer.status_code, answer.json()["code"]) != expected:
                wrong[f"{route} {name}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}
    assert met > 10 * len(BROKEN)


@pytest.mark.parametrize("value", ['"\\ud800"', '"a\\u0000b"', str(2**63)])
def test_what_no_store_holds_is_refused_in_every_field(harm: Harm, value: str) -> None:
    wrong = {}
    for route in (one for one in spoken(harm) if not one.public):
        body = harm.filling(route).value(route.body)
        for place in _places(body):
            text = json.dumps(_with(body, place, "⌂")).replace('"\\u2302"', value)
            answer = harm.send(route, text.encode())
            if answer.status_code not in (404, 409, 422):
                wrong[f"{route} {place}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}


def test_a_body_in_pieces_is_the_same_body(harm: Harm) -> None:
    for route in (one for one in spoken(harm) if one.path.endswith("/search")):
        body = json.dumps({"phone": Marks().phone, "because": "核对"}).encode()
        whole, parts = harm.send(route, body), harm.send(route, pieces(body))
        assert whole.status_code == parts.status_code == 200
        assert whole.json() == parts.json()


@pytest.mark.parametrize(
    "name", ["authorization", "idempotency-key", "content-type", "if-match", "linli-unit", "content-length"]
)
def test_a_header_that_decides_something_stands_once(harm: Harm, name: str) -> None:
    for service in ("directory", "complaints", "volunteers"):
        parts = urlsplit(harm.urls[service])
        head = [
            f"POST /{'visits' if service == 'directory' else 'me/availability'} HTTP/1.1", f"host: {parts.netloc}",
            f"authorization: Bearer {harm.token}", "idempotency-key: once", "content-type: application/json",
            'if-match: "1"', "linli-unit: x", "content-length: 2", "connection: close",
        ]  # fmt: skip
        if service == "complaints":
            head[0] = "POST /cases HTTP/1.1"
        again = next(line for line in head if line.startswith(name))
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as caller:
            caller.sendall(("\r\n".join([*head, again]) + "\r\n\r\n{}").encode())
            assert caller.makefile("rb").readline().split()[1] == b"400", f"{service} {name}"


LIMITS = ["0", "-1", "1000000000000000000000", "1.0", "1e2", "١", "", " 5", "0x10", "NaN"]


def test_no_list_gives_a_page_larger_than_is_allowed(harm: Harm) -> None:
    wrong = {}
    listed = [route for route in harm.routes if {"limit", "cursor"} <= route.in_query.keys()]
    for route in listed:
        most = route.in_query["limit"]["maximum"]
        for limit in (*LIMITS, str(most + 1)):
            answer = harm.asking.ask(route, harm.filling(route), harm.path(route), {"limit": limit})
            if answer.status_code != 422 and not (route.public and answer.status_code == 429):
                wrong[f"{route} {limit!r}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}
    assert len(listed) > 15


def test_a_cursor_that_was_tampered_with_opens_nothing(harm: Harm) -> None:
    wrong = {}
    listed = [route for route in harm.routes if {"limit", "cursor"} <= route.in_query.keys() and not route.public]
    cursors = {str(route): _cursor(harm, route) for route in listed}
    real = [cursor for cursor in cursors.values() if cursor]
    assert real
    for route in listed:
        own = cursors[str(route)]
        changed = [f"{own or 'x'}{end}" for end in ("A", "==", "%00")]
        others = [cursor for cursor in real if cursor != own]
        for bad in (*others, *changed, "翻页", "x" * 3000, "W10", "bnVsbA"):
            answer = harm.asking.ask(route, harm.filling(route), harm.path(route), {"cursor": bad})
            if answer.status_code not in (400, 404, 422) and not _same_list(harm, route, own, bad):
                wrong[f"{route} {bad[:40]}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}


def _cursor(harm: Harm, route: Route) -> str | None:
    answer = harm.asking.ask(route, harm.filling(route), harm.path(route), {"limit": "1"})
    told = answer.json().get("next") if answer.status_code == 200 else None
    return str(told) if told else None


def _same_list(harm: Harm, route: Route, own: str | None, bad: str) -> bool:
    """Two addresses of one list, for one scope, share their cursors; and padding says nothing."""
    return own is not None and (bad.rstrip("=") == own or bad[:16] == own[:16])


def test_thousands_of_idle_connections_keep_nobody_out(harm: Harm) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard > IDLE + 200, "this machine lets a process open too few files for this test"
    parts = urlsplit(harm.urls["complaints"])
    heads = (b"", b"GET /cases HTTP/1.1\r\nhost: x\r\n", b"POST /public/cases HTTP/1.1\r\ncontent-length: 9\r\n\r\n{")
    with ExitStack() as opened:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for number in range(IDLE):
            caller = opened.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=30))
            caller.sendall(heads[number % len(heads)])
        for path in ("/live", "/ready", "/cases"):
            headers = {"authorization": f"Bearer {harm.token}"}
            answer = httpx.get(harm.urls["complaints"] + path, headers=headers, timeout=30)
            assert answer.status_code == 200, f"{path}: {answer.text[:200]}"
