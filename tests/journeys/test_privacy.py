"""Personal data stays home: a marked person goes in at every door of every service and is then found nowhere.

Nowhere: no topic, no log, no metric, no error, no parked event, no file of the database. Sealed, it is still there, and
whoever reads it leaves a record of that.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from deploy.local.plan import Plan
from deploy.local.system import System
from tests.faults.checker import unapplied
from tests.faults.district import COMMUNITIES, DISTRICT, STREET
from tests.faults.evidence import gather
from tests.journeys.asking import Asking
from tests.journeys.contract import Filling, Route, routes
from tests.journeys.people import Person
from tests.journeys.records import COMPOUND, GRID, LINE, Marks, Records, person, settle, whoever
from tests.journeys.searching import Needles, database_files, in_collections, in_files, in_metrics, in_topics

pytestmark = [pytest.mark.timeout(900)]

MARKS = Marks()
OPENLY = "明示牌坊九号楼"  # a unit's name is public: searched for as well, to see that searching finds
CALM_WITHIN = 120.0  # seconds until every event has been applied
LITERAL = {"queue": "mine", "template": "street-concerns", "indicator": "complaints.recorded", "key": "a.b"}

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


READS = {"directory GET /access-records", "complaints GET /accesses", "volunteers GET /accesses"}
"""The records of reads themselves, for the data officer: with the reasons that readers gave, in their words."""


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
        _calm(system.plan)

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


def _calm(plan: Plan) -> None:
    """Wait until every event has been published and applied."""
    limit = time.monotonic() + CALM_WITHIN
    while left := list(unapplied(gather(plan.mongo, plan.kafka, plan.prefix), [])):
        assert time.monotonic() < limit, left[:5]
        time.sleep(0.5)


@pytest.fixture(scope="module")
def doors(system: System, urls: dict[str, str]) -> Doors:
    return Doors(system, urls)


def test_no_error_repeats_what_was_sent(doors: Doors) -> None:
    assert doors.errors == {}
    assert doors.tried > 500


def test_no_topic_carries_the_person(doors: Doors) -> None:
    assert in_topics(doors.plan, Needles([OPENLY])) == {f"{doors.plan.prefix}.directory.unit": {OPENLY}}
    assert in_topics(doors.plan, Needles(MARKS.all())) == {}


def test_no_log_and_no_metric_names_the_person(doors: Doors, system: System) -> None:
    logs = sorted(doors.plan.data.glob("log/*"))
    assert len(logs) > len(system.programs)
    assert in_files(logs, Needles(MARKS.all())) == {}
    assert in_metrics(system, Needles(MARKS.all())) == {}


def test_nothing_of_the_person_is_legible_in_the_database_or_among_parked_events(doors: Doors) -> None:
    assert f"{doors.plan.prefix}_directory.unit" in in_collections(doors.plan, Needles([OPENLY]))
    assert in_collections(doors.plan, Needles(MARKS.all())) == {}


def test_nothing_of_the_person_is_legible_in_the_databases_files(doors: Doors) -> None:
    files = list(database_files(doors.plan))
    assert doors.plan.given_mongo or in_files(files, Needles([OPENLY])), "a name that is public must be found"
    assert in_files(files, Needles(MARKS.all())) == {}


@pytest.mark.mechanism("CMP-36")
def test_the_reporter_in_a_subject_is_masked_where_it_is_listed(doors: Doors) -> None:
    worker = person(doors.urls, doors.home)
    subject = f"漏水,请联系{MARKS.name}{MARKS.phone}"
    told = {"kind": "condition", "category": "welfare", "channel": "visit", "subject": subject}
    told |= {"unit": GRID, "text": MARKS.text(), "reporter": {"name": MARKS.name}}
    case = worker.post("complaints", "/cases", told)["aggregate"]
    subject = worker.get("complaints", f"/cases/{case}")["subject"]
    assert "请联系" in subject and not Needles((MARKS.name, MARKS.name[2:], MARKS.phone)).within(subject.encode())


def test_every_read_that_shows_the_person_is_recorded_before_it_answers(
    doors: Doors, system: System, urls: dict[str, str]
) -> None:
    """Found by walking: whatever page shows a mark must have left a record with who read it."""
    records = settle(system, urls, MARKS)
    reader = whoever(system, DISTRICT)
    showing, silent = set(), []
    with MongoClient[Any](doors.plan.mongo) as client:
        for route in (one for one in doors.routes if one.method == "GET" and not one.public and str(one) not in READS):
            accesses = client[f"{doors.plan.prefix}_{route.service}"]["access"]
            before = accesses.count_documents({"by": reader.sub})
            response = _read(doors, route, reader.token, records)
            if Needles(MARKS.all()).within(response.content):
                showing.add(str(route))
                if accesses.count_documents({"by": reader.sub}) == before:
                    silent.append(str(route))
    assert silent == []
    assert {
        "directory GET /households/{household}/address",
        "directory GET /residents/{resident}/identity",
        "directory GET /residents/{resident}/contacts",
        "directory GET /staff/{member}/identity",
        "directory GET /places/{place}/contact",
        "directory GET /visits/{visit}/note",
        "complaints GET /cases/{case}/sealed/{purpose}",
        "volunteers GET /volunteers/{volunteer}/person",
        "volunteers GET /orders/{order}/task",
    } <= showing


def test_the_data_officer_sees_who_read_what_and_why(doors: Doors, system: System, urls: dict[str, str]) -> None:
    case = settle(system, urls, MARKS).ids["case"]
    reader = person(urls, whoever(system, STREET))
    told = reader.get("complaints", f"/cases/{case}/sealed/reporter?because=回访核对")
    assert told["phone"] == MARKS.phone
    page = Person(urls, "data-d1").get("complaints", f"/accesses?case={case}")
    assert [(row["by"], row["purpose"], row["because"]) for row in page["items"]] == [
        (reader.account, "reporter", "回访核对")
    ]
    assert Person(urls, "data-d2").get("complaints", f"/accesses?case={case}")["items"] == []


def _read(doors: Doors, route: Route, token: str, records: Records) -> httpx.Response:
    known = {"unit": COMMUNITIES[0], "because": "核对", "kind": "units", "Linli-Phone": MARKS.phone}
    ids = records.ids | LITERAL | {"purpose": "text"}
    path = {name: ids.get(f"{route.service}.{name}") or ids[name] for name in route.in_path}
    return Asking(doors.urls, token).ask(route, Filling(route.named, known), path)
