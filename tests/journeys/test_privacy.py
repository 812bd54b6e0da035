"""Personal data stays home: a marked person goes in at every door of every service and is then found nowhere.

Nowhere: no topic, no log, no metric, no error, no parked event, no file of the database. Sealed, it is still there, and
whoever reads it leaves a record of that.
"""

from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from deploy.local.system import System
from tests.faults.district import COMMUNITIES, DISTRICT, STREET
from tests.journeys.asking import Asking
from tests.journeys.contract import Filling, Route
from tests.journeys.doors import LITERAL, MARKS, OPENLY, Doors
from tests.journeys.people import Person
from tests.journeys.records import GRID, Records, person, settle, whoever
from tests.journeys.searching import Needles, database_files, in_collections, in_files, in_metrics, in_topics

pytestmark = [pytest.mark.timeout(900)]

READS = {"directory GET /access-records", "complaints GET /accesses", "volunteers GET /accesses"}
"""The records of reads themselves, for the data officer: with the reasons that readers gave, in their words."""


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
