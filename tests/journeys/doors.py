"""Every way into the system, for a marked person to go in by: all routes of all services, as their contracts tell."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from deploy.local.plan import Plan
from deploy.local.system import System
from tests.faults.checker import unapplied
from tests.faults.district import DISTRICT
from tests.faults.evidence import gather
from tests.journeys.asking import Asking
from tests.journeys.contract import Filling, Route, routes
from tests.journeys.records import COMPOUND, GRID, LINE, Marks, Records, person, settle, whoever
from tests.journeys.searching import Needles

MARKS = Marks()
OPENLY = "明示牌坊九号楼"  # a unit's name is public: searched for as well, to see that searching finds
CALM_WITHIN = 120.0  # seconds until every event has been applied
LITERAL = {
    "queue": "mine", "template": "street-concerns", "indicator": "complaints.recorded", "key": "complaints.categories",
    "purpose": "text", "marker": "partyMember",
}  # fmt: skip
"""Names in paths that stand for no record."""

PUBLISHED = {
    "directory POST /units": ("name", "code"),
    "directory POST /units/{unit}/rename": ("name",),
    "directory POST /places": ("name", "line", "offers", "serves"),
    "directory POST /places/{place}/change": ("name", "line", "offers", "serves"),
    "directory POST /policies": ("key", "value", "source"),
    "complaints POST /cases": ("subject",),
    "complaints POST /public/cases": ("subject",),
    "complaints POST /cases/{case}/wall": ("question", "answer"),
    "volunteers POST /teams": ("name",),
}
"""Fields that everybody may read, by intent: what stands there is nobody's secret. Whoever adds one has thought of it.

A subject is masked: telephones, numbers and doors go, the reporter's own name and forms of address too (see below);
other names are the recorder's to leave out.
"""


class Doors:
    """Every way in, and what came back."""

    def __init__(self, system: System, urls: Mapping[str, str]) -> None:
        self.plan, self.urls = system.plan, urls
        self.records: Records = settle(system, urls, MARKS)
        self.home = whoever(system, DISTRICT)
        self.routes = routes(urls)
        self.errors: dict[str, str] = {}  # request to the answer that told of the person
        self.tried = 0
        building = {"kind": "building", "name": OPENLY, "parent": COMPOUND}
        person(urls, self.home).post("directory", "/units", building)
        self._enter_as_meant()
        self._enter_everywhere()
        self._enter_broken()
        calm(system.plan)

    def _enter_as_meant(self) -> None:
        """Every body, complete, about records that exist; the person in every field that takes text."""
        home = Asking(self.urls, self.home.token)
        for route in self._of(writing=True):
            if route.body is not None:
                known = _codes(self.records, route) | _published(route)
                filling = Filling(route.named, known, MARKS.by_field(), complete=True)
                self._note(route, home.ask(route, filling, self._path(route)))

    def _enter_everywhere(self) -> None:
        """The person in place of ids, codes and whatever else a route asks, in its path, query and headers too."""
        home, anonymous = Asking(self.urls, self.home.token), Asking(self.urls)
        for route in self._of():
            known = {"Linli-Phone": MARKS.phone} | _published(route)
            filling = Filling(route.named, known, MARKS.by_field())
            path = {name: MARKS.name for name in route.in_path}
            query = {name: MARKS.phone for name in route.in_query if name not in ("because", "kind")}
            for who in (home, anonymous):
                self._note(route, who.ask(route, filling, path, query))
            self._note(route, home.ask(route, filling, self._path(route), query))

    def _enter_broken(self) -> None:
        """The person in bodies that are no JSON, of another kind, or under names that nobody knows."""
        said = MARKS.text()
        bodies = (
            (f'{{"name": "{said}", '.encode(), "application/json"),
            (f'{{"{said}": 1, "unit": {{"{said}": ["{said}"]}}}}'.encode(), "application/json"),
            (f'["{said}"]'.encode(), "application/json"),
            (said.encode(), "text/plain"),
            (f"name={said}".encode("gb18030"), "application/x-www-form-urlencoded"),
        )
        for route in self._of(writing=True):
            for number, (content, media) in enumerate(bodies):
                url = self.urls[route.service] + route.path.format_map(self._path(route))
                headers = {"content-type": media, "idempotency-key": f"broken-{self.tried}-{number}-{'0' * 16}"}
                headers["authorization"] = f"Bearer {self.home.token}"
                self._note(route, httpx.post(url, content=content, headers=headers, params={"kind": MARKS.name}))

    def _of(self, writing: bool = False) -> Iterator[Route]:
        return (route for route in self.routes if not writing or route.method != "GET")

    def _path(self, route: Route) -> dict[str, str]:
        ids = self.records.ids | LITERAL | {"code": self.records.code, "purpose": "text"}
        return {name: ids.get(f"{route.service}.{name}") or ids[name] for name in route.in_path}

    def _note(self, route: Route, response: httpx.Response) -> None:
        self.tried += 1
        told = Needles(MARKS.all()).within(response.content + str(response.headers.raw).encode())
        if response.is_error and told:
            self.errors[str(route)] = f"{response.status_code} {sorted(told)}"
        if response.status_code == 500:
            self.errors[str(route)] = "500"


def _published(route: Route) -> dict[str, str]:
    return dict.fromkeys(PUBLISHED.get(str(route), ()), "公开")


def _codes(records: Records, route: Route) -> dict[str, Any]:
    """What ids and codes a body needs, so that it is taken and not only looked at."""
    kinds = {"/units": "building", "/places": "residents-committee", "/teams": "party"}
    kind = next(({"kind": kind} for path, kind in kinds.items() if route.path == path), {})
    ids = {name: value for name, value in records.ids.items() if "." not in name}
    more = {
        "unit": GRID, "parent": COMPOUND, "building": ids["unit"], "leader": ids["volunteer"], "grid": GRID,
        "line": LINE, "lines": [LINE], "category": "welfare", "channel": "visit", "number": MARKS.number,
        "id": None, "code": None, "zone": None, "level": None, "layer": None, "capabilities": [], "windows": [],
        "to": None, "on": None, "start": None, "end": None, "from": "2026-01-05", "post": "grid-worker", "visit": None,
        "repeat_of": None, "supervisor": None, "account": None, "mode": "activity_day", "tail": None,
        "until": None, "available_until": None, "birth": None, "resident": ids["resident"],
    }  # fmt: skip
    return ids | more | kind


def calm(plan: Plan) -> None:
    """Wait until every event has been published and applied."""
    limit = time.monotonic() + CALM_WITHIN
    while left := list(unapplied(gather(plan.mongo, plan.kafka, plan.prefix), [])):
        assert time.monotonic() < limit, left[:5]
        time.sleep(0.5)
