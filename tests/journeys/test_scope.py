"""Nobody sees another district: every route of every service, walked by a caller of the neighbouring district.

The routes come from the services' own contracts, so a new one is walked by itself; when it names a record of a new kind
or a public page, the walk stops and asks to be told of it.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping

import httpx
import pytest

from deploy.local.system import System
from services.__main__ import CATALOGUE
from tests.faults.district import COMMUNITIES, DISTRICT, GRIDS, NEIGHBOUR, NEIGHBOUR_COMMUNITY, STREET
from tests.faults.tokens import Caller, Tokens
from tests.journeys.asking import Asking
from tests.journeys.contract import Filling, Route, routes
from tests.journeys.records import Marks, Records, enlist, person, settle, whoever

pytestmark = [pytest.mark.timeout(900)]

PUBLIC = {
    "complaints GET /echo-wall",
    "complaints POST /public/cases",
    "complaints GET /public/cases/{code}",
    "complaints POST /public/cases/{code}/confirm",
    "complaints POST /public/cases/{code}/reopen",
    "volunteers GET /public/orders/{code}",
    "volunteers POST /public/orders/{code}/confirm",
    "volunteers POST /public/orders/{code}/redo",
}
"""Open to all, by intent. Whoever adds one here has thought about what strangers see."""

OPERATORS = {f"{service} GET /reconciliation" for service in CATALOGUE.names}
"""Of the whole installation and for those who run it: numbers that name no record, no unit and no person."""

LITERAL = {
    "queue": "mine",
    "template": "street-concerns",
    "indicator": "complaints.recorded",
    "key": "complaints.categories",
    "purpose": "text",
    "marker": "partyMember",
    "code": "0" * 12,
}
"""Names in paths that stand for no record of a district."""

STRANGERS_OWN = dict.fromkeys(("unit", "parent", "grid", "building", "community", "to"), NEIGHBOUR_COMMUNITY)
"""What a stranger's request says besides the record that it is about."""

REFUSED_AS_INPUT = {"input-invalid", "body-missing", "body-not-json", "media-type-unknown", "filter-invalid"}
REFUSED_AS_UNKNOWN = {"unit-unknown", "not-found"}
OWN = {"volunteers POST /me/availability"}  # changes the caller's own record, whoever calls


class Walk:
    """What the walk needs: the records that must stay hidden, the stranger, and who is at home there."""

    def __init__(self, system: System, urls: Mapping[str, str]) -> None:
        self.urls = urls
        self.marks = Marks(name="慕容隐棠", phone="13968057499")
        self.records: Records = settle(system, urls, self.marks)
        self.home: Caller = self.records.account
        self.stranger: Caller = whoever(system, NEIGHBOUR)
        # Who is no volunteer is refused offers before any is looked for.
        enlist(person(urls, self.stranger), self.stranger, NEIGHBOUR_COMMUNITY, Marks())
        everywhere = routes(urls)
        self.operators = [route for route in everywhere if str(route) in OPERATORS]
        self.operator: Caller = Tokens(system).of("usr_operator-elsewhere", ("operator",), NEIGHBOUR)
        self.routes = [route for route in everywhere if str(route) not in OPERATORS]

    def path(self, route: Route, of: Mapping[str, str]) -> dict[str, str]:
        """Values for the names in a route's path. Raises KeyError for a kind of record that the walk does not know."""
        return {name: of.get(f"{route.service}.{name}") or of.get(name) or LITERAL[name] for name in route.in_path}

    def names_a_record(self, route: Route) -> bool:
        """Whether its path, or a parameter that it needs, says which record."""
        needed = (*route.in_path, *(name for name in route.in_query if name in route.needed))
        return any(name in self.references or f"{route.service}.{name}" in self.references for name in needed)

    @property
    def references(self) -> dict[str, str]:
        """Every name under which a record of the first district may be given, with one."""
        ids = self.records.ids
        more = {
            "building": ids["unit"], "parent": STREET, "grid": GRIDS[0], "community": COMMUNITIES[0],
            "record": ids["case"], "leader": ids["volunteer"], "worker": self.home.sub, "by": self.home.sub,
            "person": self.home.sub, "to": ids["unit"], "supervisor": ids["place"], "into": ids["resident"],
            "repeat_of": ids["case"], "Linli-Phone": self.marks.phone,
        }  # fmt: skip
        return ids | more

    def filling(self, route: Route, **more: str) -> Filling:
        """Requests about the first district's records; ``more`` stand in for some of them."""
        codes = {"kind": _kind(route), "line": "hardship_help", "key": "verifyEveryDays", "value": 90}
        known = self.references | self.marks.by_field() | codes | more
        known = {name: value for name, value in known.items() if value and name != ""}
        if route.path == "/residents/search":
            return Filling(route.named, known | {"name": None, "number": None, "tail": None}, complete=True)
        return Filling(route.named, known, {"": "说明"}, also=frozenset({"unit", "parent"}))

    def needs(self, route: Route, of: Mapping[str, str]) -> dict[str, str]:
        """The records that its query must name."""
        return {name: of[name] for name in route.in_query if name in route.needed and name in of}

    def told_of_home(self, response: httpx.Response, besides: tuple[str, ...] = ()) -> list[str]:
        """What the answer tells of the first district's records and people."""
        hidden = {DISTRICT, STREET, *COMMUNITIES, *GRIDS, *self.records.ids.values(), *self.marks.all()}
        text = _readable(response)
        return sorted(one for one in hidden - set(besides) if f'"{one}"' in text or (one in text and one[:4] != "unit"))


def _kind(route: Route) -> str:
    """What the field ``kind`` may hold depends on what is created."""
    kinds = {"/units": "community", "/places": "residents-committee", "/teams": "party", "/imports": "units"}
    return next((kind for path, kind in kinds.items() if route.path.startswith(path)), "")


def _readable(response: httpx.Response) -> str:
    if not response.content.startswith(b"PK"):
        return response.text
    with zipfile.ZipFile(io.BytesIO(response.content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist())


@pytest.fixture(scope="module")
def walk(system: System, urls: dict[str, str]) -> Walk:
    return Walk(system, urls)


def test_only_pages_meant_for_all_are_open_to_all(walk: Walk) -> None:
    assert {str(route) for route in walk.routes if route.public} == PUBLIC


def test_without_a_token_every_other_route_answers_401(walk: Walk) -> None:
    anonymous = Asking(walk.urls)
    let_in = {}
    for route in (*walk.routes, *walk.operators):
        response = anonymous.ask(route, walk.filling(route), walk.path(route, walk.records.ids))
        if not route.public and response.status_code != 401:
            let_in[str(route)] = response.status_code
    assert let_in == {}


def test_pages_for_operators_are_closed_to_people_and_name_no_record(walk: Walk) -> None:
    assert len(walk.operators) == len(OPERATORS)
    people, operator = Asking(walk.urls, walk.home.token), Asking(walk.urls, walk.operator.token)
    for route in walk.operators:
        assert people.ask(route, walk.filling(route), {}).status_code == 403
        answer = operator.ask(route, walk.filling(route), {})
        assert (answer.status_code, walk.told_of_home(answer)) == (200, [])


def test_a_strangers_district_hides_every_record_whatever_is_done_with_it(walk: Walk) -> None:
    """404, and the same as for a record that never was: not even that it exists is told."""
    stranger, wrong = Asking(walk.urls, walk.stranger.token), {}
    walked = [route for route in walk.routes if not route.public and walk.names_a_record(route)]
    nowhere = {name: f"{value[:-6]}000000" for name, value in walk.records.ids.items()}
    for route in walked:
        filling = walk.filling(route, **STRANGERS_OWN)
        there = stranger.ask(
            route, filling, walk.path(route, walk.records.ids), walk.needs(route, walk.records.ids)
        )
        never = stranger.ask(route, filling, walk.path(route, nowhere), walk.needs(route, nowhere))
        if there.status_code != 404 or _said(there) != _said(never) or walk.told_of_home(there):
            wrong[str(route)] = f"{_said(there)}; never was: {_said(never)}"
    assert wrong == {}
    assert len(walked) > 80


def test_a_strangers_lists_and_figures_hold_nothing_of_the_district_even_when_asked_for_it(walk: Walk) -> None:
    stranger, wrong = Asking(walk.urls, walk.stranger.token), {}
    walked = [r for r in walk.routes if r.method == "GET" and not r.public and not walk.names_a_record(r)]
    for route in walked:
        for query in _questions(route, walk.references):
            response = stranger.ask(route, walk.filling(route), walk.path(route, {}), query)
            empty = response.status_code != 200 or not query or not _items(response)
            told = walk.told_of_home(response, besides=tuple(query.values()) if empty else ())
            if response.status_code not in (200, 404, 422) or told or not empty:
                wrong[f"{route} {query}"] = f"{response.status_code} {told} {response.text[:200]}"
    assert wrong == {}
    assert len(walked) > 20


def test_a_stranger_creates_nothing_in_the_district_and_finds_nobody_there(walk: Walk) -> None:
    stranger, wrong = Asking(walk.urls, walk.stranger.token), {}
    walked = [r for r in walk.routes if r.method != "GET" and not r.public and not walk.names_a_record(r)]
    for route in walked:
        query = {"unit": STREET} if "unit" in route.in_query else {}
        response = stranger.ask(route, walk.filling(route), walk.path(route, {}), query)
        found_nothing = response.status_code == 200 and _items(response) == [] and "/search" in route.path
        refused = response.status_code in (404, 422) and _said(response)[1] in REFUSED_AS_UNKNOWN
        if not (found_nothing or refused or str(route) in OWN) or walk.told_of_home(response):
            wrong[str(route)] = f"{_said(response)} {response.text[:200]}"
    assert wrong == {}
    assert len(walked) > 10


def test_who_is_at_home_finds_each_of_those_records_with_the_same_requests(walk: Walk) -> None:
    """Else the walk above would prove nothing. Last, because it changes and closes them."""
    home, wrong = Asking(walk.urls, walk.home.token), {}
    # What a volunteer does comes before somebody closes the volunteer's entry.
    order = sorted(walk.routes, key=lambda one: (one.method != "GET", not one.path.startswith(("/me", "/offers"))))
    for route in (one for one in order if not one.public):
        query = {"unit": STREET} if "unit" in route.in_query and "{unit}" not in route.path else {}
        response = home.ask(route, walk.filling(route), walk.path(route, walk.records.ids), query)
        refused = REFUSED_AS_INPUT | REFUSED_AS_UNKNOWN
        if response.status_code in (401, 403, 404, 500) or _said(response)[1] in refused:
            wrong[str(route)] = f"{_said(response)} {response.text[:300]}"
    assert wrong == {}


def _questions(route: Route, references: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The plain list, and the list narrowed to a record of the first district in each way that it offers."""
    yield {}
    yield from ({name: references[name]} for name in route.in_query if name in references)


def _items(response: httpx.Response) -> list[object]:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return list(response.json().get("items", [])) if is_json else []


def _said(response: httpx.Response) -> tuple[int, str]:
    is_problem = response.headers.get("content-type", "").endswith("json") and response.status_code >= 400
    return response.status_code, response.json().get("code", "") if is_problem else ""
