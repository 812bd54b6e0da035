"""What is erased is gone: a marked person goes in by every field that takes text, is erased, and nobody reads it again.

Neither on a page nor by a search, neither in a document nor in an old version of one; and where a backup is restored
after a district's key was destroyed, nothing that was ever sealed for that district can be opened (see "Databases" in
docs/operations.md, which this follows step by step).
"""

import asyncio
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from bson.binary import Binary
from pymongo import MongoClient

from deploy.local.plan import Plan
from deploy.local.system import System
from services.__main__ import CATALOGUE
from services.chassis.errors import NotFound
from services.chassis.personal.sealing import KEYS, Sealing
from services.chassis.settings import Settings
from services.chassis.storage.driver import connect
from tests.faults.district import DISTRICT
from tests.journeys.asking import Asking
from tests.journeys.contract import Filling, Route, routes
from tests.journeys.doors import LITERAL, MARKS, Doors, calm
from tests.journeys.people import Person
from tests.journeys.records import Marks, Records, person, settle, whoever
from tests.journeys.searching import Needles, in_collections

pytestmark = [pytest.mark.timeout(900)]

ERASED = Marks("司马拂尘", "13968051188", "110105198503078897", "拂尘巷一百八十八号", "松风吹雨入空庭")
BEFORE = {
    "volunteers POST /volunteers/{volunteer}/erase": ("/volunteers/{volunteer}/close", {"reason": "asked"}),
    "volunteers POST /orders/{order}/erase": ("/orders/{order}/cancel", {"reason": "mistaken"}),
}
"""What has to be over before it may be erased."""
READS = {"directory GET /access-records", "complaints GET /accesses", "volunteers GET /accesses"}
"""Who read what and why stays, in the readers' words: it is the proof that nobody read in secret."""
SEALED = 6  # the binary subtype of a sealed value


class Erasure:
    """A person's records, before and after they are erased."""

    def __init__(self, system: System, urls: Mapping[str, str]) -> None:
        self.urls = urls
        self.records: Records = settle(system, urls, ERASED)
        self.home = whoever(system, DISTRICT)
        self.routes = routes(urls)
        erasing = [route for route in self.routes if route.path.endswith("/erase")]
        self.erasing = sorted(erasing, key=lambda route: route.path)  # orders while their volunteers are there
        calm(system.plan)
        self.shown_before = self.showing()
        for route in self.erasing:
            self._erase(route)
        calm(system.plan)

    def of(self, route: Route) -> dict[str, str]:
        """The person's records, in the names of a path."""
        ids = self.records.ids | LITERAL | {"code": self.records.code, "purpose": "text"}
        return {name: ids.get(f"{route.service}.{name}") or ids[name] for name in route.in_path}

    def showing(self) -> set[str]:
        """The pages on which something of the person stands."""
        found: set[str] = set()
        for route in self.routes:
            if route.method == "GET" and not route.public and str(route) not in READS:
                known = {"unit": DISTRICT, "because": "核对", "kind": "units", "Linli-Phone": ERASED.phone}
                for token in (self.home.token, self.records.account.token):
                    answer = Asking(self.urls, token).ask(route, Filling(route.named, known), self.of(route))
                    if Needles(ERASED.all()).within(_plain(answer)):
                        found.add(str(route))
        return found

    def _erase(self, route: Route) -> None:
        keeper, path = person(self.urls, self.home), self.of(route)
        if str(route) in BEFORE:
            step, body = BEFORE[str(route)]
            keeper.post(route.service, step.format_map(path), body)
        filling = Filling(route.named, path)
        body = filling.value(route.body) if route.body is not None else None
        if isinstance(body, dict) and "purposes" in body:
            body["purposes"] = _purposes(route)
        keeper.post(route.service, route.path.format_map(path), body, status=200)


def _purposes(route: Route) -> list[str]:
    """Every purpose that may be erased there."""
    schema = Filling(route.named, {})._plain(route.body or {})
    items = schema["properties"]["purposes"]["items"]
    return list(items["enum"])


def _plain(answer: httpx.Response) -> bytes:
    return answer.content if answer.headers.get("content-type", "").startswith("application/json") else b""


@pytest.fixture(scope="module")
def erasure(system: System, urls: dict[str, str]) -> Erasure:
    return Erasure(system, urls)


def record_pages(erasure: Erasure) -> set[str]:
    """Pages of the records that were erased."""
    erased = {(route.service, route.path.removesuffix("/erase")) for route in erasure.erasing}
    return {
        str(route) for route in erasure.routes
        if any(route.service == service and route.path.startswith(path) for service, path in erased)
    }  # fmt: skip


def test_what_is_to_be_erased_could_be_read_before(erasure: Erasure) -> None:
    """Else the rest would prove nothing."""
    assert {
        "directory GET /residents/{resident}/identity",
        "directory GET /residents/{resident}/contacts",
        "complaints GET /cases/{case}/sealed/{purpose}",
        "volunteers GET /volunteers/{volunteer}/person",
        "volunteers GET /orders/{order}/task",
    } <= erasure.shown_before
    assert len(erasure.erasing) >= 5


def test_no_page_of_an_erased_record_shows_anything_of_the_person(erasure: Erasure) -> None:
    assert erasure.showing() & record_pages(erasure) == set()


def test_nobody_finds_an_erased_record_by_name_telephone_or_code(erasure: Erasure) -> None:
    keeper = person(erasure.urls, erasure.home)
    own = set(erasure.records.ids.values())
    for asked in ({"phone": ERASED.phone}, {"tail": ERASED.phone[-4:]}, {"name": ERASED.name}):
        found = keeper.post("directory", "/residents/search", asked | {"because": "核对"})["items"]
        assert own & {one["id"] for one in found} == set()
    for service, path in (("complaints", "/cases/by-phone"), ("volunteers", "/volunteers/by-phone")):
        page = keeper.get(service, f"{path}?because=x", linli_phone=ERASED.phone)
        assert own & {one["id"] for one in page["items"]} == set()
    resident = Person(erasure.urls)
    resident.get("complaints", f"/public/cases/{erasure.records.code}", 404, linli_phone_tail=ERASED.phone[-4:])


def test_no_sealed_value_and_no_key_made_of_one_is_left_in_state_history_or_archive(
    erasure: Erasure, system: System
) -> None:
    left = {}
    with MongoClient[Any](system.plan.mongo) as client:
        for route in erasure.erasing:
            (name,) = route.in_path
            database, record = client[f"{system.plan.prefix}_{route.service}"], erasure.records.ids[name]
            for document in _of(database, name, record):
                keys = {key for key, hashes in document.get("keys", {}).items() if hashes}
                if any(_blobs(document)) or keys - _of_nobody(route.service, name):
                    left[str(route)] = sorted(document)
    assert left == {}


def _of_nobody(service: str, aggregate: str) -> set[str]:
    """Look-up names that are made of nothing sealed, such as the code of a concern: they may stay."""
    kind = next(one for one in CATALOGUE.load(service).aggregates if one.name == aggregate)
    return {name for name, purposes in kind.keys.items() if not purposes}


def _of(database: Any, name: str, record: str) -> list[dict[str, Any]]:
    """The record, and the older part of its history."""
    found = list(database[name].find({"_id": record})) + list(database[f"{name}.archive"].find({"aggregate": record}))
    assert found, f"{name} {record} is nowhere"
    return found


def _blobs(value: Any) -> Iterator[Binary]:
    """Everything that is sealed in a document, however deep."""
    if isinstance(value, Binary) and value.subtype == SEALED:
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _blobs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _blobs(item)


def test_that_it_was_erased_is_told_and_what_is_not(erasure: Erasure) -> None:
    page = person(erasure.urls, erasure.home).get("complaints", f"/cases/{erasure.records.ids['case']}/history")
    last = page["items"][-1]
    assert last["type"] == "case.redacted.v1"
    assert not Needles(ERASED.all()).within(str(last).encode())


def test_nothing_of_either_person_is_legible_in_any_database(erasure: Erasure, doors: Doors, system: System) -> None:
    """Of the other, everything is still there, sealed, after it went in by every field of every contract."""
    assert in_collections(system.plan, Needles([*ERASED.all(), *MARKS.all()])) == {}


class Backup:
    """A copy of a service's data, and one of its keys, which are kept apart."""

    def __init__(self, plan: Plan, service: str) -> None:
        self._plan, self._service = plan, service
        with MongoClient[Any](plan.mongo) as client:
            database = client[f"{plan.prefix}_{service}"]
            names = [name for name in database.list_collection_names() if name != KEYS]
            self.data: dict[str, list[Any]] = {name: list(database[name].find()) for name in names}
            self.keys: list[Any] = list(database[KEYS].find())

    @property
    def blobs(self) -> list[bytes]:
        """Everything that is sealed."""
        return [bytes(blob) for documents in self.data.values() for one in documents for blob in _blobs(one)]

    def of(self, district: str) -> list[bytes]:
        """What was sealed under a district's key, which each blob names."""
        keys = {bytes(key["_id"]) for key in self.keys if district in key["keyAltNames"]}
        return [blob for blob in self.blobs if blob[1:17] in keys]

    def without_key_of(self, district: str) -> list[Any]:
        """The keys after one was destroyed."""
        return [key for key in self.keys if district not in key["keyAltNames"]]

    def restore(self, prefix: str, keys: list[Any]) -> Settings:
        """Into a database of another name; the settings of a process on it."""
        with MongoClient[Any](self._plan.mongo) as client:
            database = client[f"{prefix}_{self._service}"]
            for name, documents in (self.data | {KEYS: keys}).items():
                if documents:
                    database[name].insert_many(documents)
        return Settings(self._service, self._plan.kafka, self._plan.mongo, prefix)


async def opened(own: Settings, blobs: list[bytes]) -> tuple[int, int]:
    """How many of the blobs a process on these data opens, and of how many it says that their key is gone."""
    client = connect(own.mongo)
    sealing = Sealing(client, client.database(own.database), own)
    await sealing.start()
    told = [await _is_opened(sealing, blob) for blob in blobs]
    await sealing.stop()
    await client.close()
    return told.count(True), told.count(False)


async def _is_opened(sealing: Sealing, blob: bytes) -> bool:
    try:
        await sealing.unseal(blob)
    except NotFound as gone:
        assert gone.code == "personal-data-shredded"
        return False
    return True


@pytest.fixture
def prefixes(system: System) -> Iterator[tuple[str, str]]:
    """For two restored copies, removed afterwards."""
    made = f"restored_{uuid4().hex[:8]}", f"restored_{uuid4().hex[:8]}"
    yield made
    with MongoClient[Any](system.plan.mongo) as client:
        for name in made:
            for service in system.plan.services:
                client.drop_database(f"{name}_{service}")


@pytest.mark.parametrize("service", ["directory", "complaints", "volunteers"])
def test_a_backup_restored_without_the_districts_key_opens_nothing_of_it(
    doors: Doors, system: System, prefixes: tuple[str, str], service: str
) -> None:
    master, lookup = b64decode(system.secrets.master_key), b64decode(system.secrets.lookup_key)
    backup = Backup(system.plan, service)
    district = backup.of(DISTRICT)
    others = [blob for blob in backup.blobs if blob not in set(district)]
    assert len(district) > 10
    whole = replace(backup.restore(prefixes[0], backup.keys), master_key=master, lookup_key=lookup)
    assert asyncio.run(opened(whole, backup.blobs)) == (len(backup.blobs), 0)
    shredded = backup.restore(prefixes[1], backup.without_key_of(DISTRICT))
    shredded = replace(shredded, master_key=master, lookup_key=lookup)
    assert asyncio.run(opened(shredded, district)) == (0, len(district))
    assert asyncio.run(opened(shredded, others)) == (len(others), 0)
