"""Every route of every service, called as every role on the running system: who may is let in, who may not is not.

What is expected comes from the tables in the code, which ``docs/who-may-what.md`` shows.
"""

from collections.abc import Iterator, Mapping

import httpx
import pytest

from deploy.local.system import System
from services.__main__ import CATALOGUE
from services.chassis.http import Application, permission_table
from tests.faults.district import DISTRICT, GRIDS, STREET
from tests.faults.tokens import Tokens
from tests.journeys.asking import Asking
from tests.journeys.contract import Filling, Route, routes
from tests.journeys.doors import LITERAL
from tests.journeys.records import LINE, Marks, Records, settle

pytestmark = [pytest.mark.timeout(900)]

ROLES = sorted({role for service in CATALOGUE.all() for role in service.permissions})
MAY = {service.name: service.permissions for service in CATALOGUE.all()}
ASKED = {
    f"{service.name} {row.method} {row.path}": row.permission
    for service in CATALOGUE.all()
    for row in permission_table(Application(service))
}
FOUNDING = {"directory POST /units", "directory POST /policies"}
"""Part of what these do is asked of the caller within: what a district founds, operators alone may."""



class District:
    """A district with a record of every kind, and somebody of every role in it."""

    def __init__(self, system: System, urls: Mapping[str, str]) -> None:
        self.urls = urls
        self.records: Records = settle(system, urls, Marks())
        self.routes = routes(urls)
        tokens = Tokens(system)
        self.tokens = {role: tokens.of(f"usr_only-{role}", (role,), DISTRICT).token for role in ROLES}
        self.tokens["nothing"] = tokens.of("usr_nothing", ("of-no-service",), DISTRICT).token

    def ask(self, route: Route, role: str) -> httpx.Response:
        """A request that fits the contract, about records that there are."""
        ids = self.records.ids | LITERAL | {"code": self.records.code}
        path = {name: ids.get(f"{route.service}.{name}") or ids[name] for name in route.in_path}
        return Asking(self.urls, self.tokens.get(role, "")).ask(route, Filling(route.named, self._known(route)), path)

    def _known(self, route: Route) -> dict[str, str]:
        kinds = {"/units": "building", "/places": "residents-committee", "/teams": "party", "/imports": "units"}
        kind = next((kind for path, kind in kinds.items() if route.path.startswith(path)), "")
        ids = {name: value for name, value in self.records.ids.items() if "." not in name}
        more = {"unit": GRIDS[0], "parent": STREET, "line": LINE, "Linli-Phone": Marks().phone, "category": "welfare"}
        return ids | more | ({"kind": kind} if kind else {})


@pytest.fixture(scope="module")
def district(system: System, urls: dict[str, str]) -> District:
    return District(system, urls)


def guarded(district: District) -> Iterator[Route]:
    return (route for route in district.routes if not route.public)


def test_the_contract_and_the_tables_name_the_same_routes(district: District) -> None:
    assert sorted(map(str, district.routes)) == sorted(ASKED)
    assert {str(route) for route in district.routes if route.public} == {r for r, asked in ASKED.items() if not asked}


def test_without_a_token_nobody_is_let_in_anywhere(district: District) -> None:
    wrong = {}
    for route in guarded(district):
        answer = district.ask(route, "nobody")
        if (answer.status_code, answer.json()["code"]) != (401, "token-missing"):
            wrong[str(route)] = answer.text[:200]
    assert wrong == {}


@pytest.mark.parametrize("role", ["nothing", *ROLES])
def test_a_role_may_what_its_table_says_and_nothing_else(district: District, role: str) -> None:
    wrong = {}
    for route in guarded(district):
        may = ASKED[str(route)] in MAY[route.service].get(role, frozenset())
        answer = district.ask(route, role)
        is_let_in = answer.status_code != 403 or (may and str(route) in FOUNDING)
        if answer.status_code in (401, 500) or is_let_in != may:
            wrong[str(route)] = f"{'may' if may else 'may not'}: {answer.status_code} {answer.text[:200]}"
    assert wrong == {}


def test_a_page_that_is_open_to_all_fails_for_nobody(district: District) -> None:
    for route in (one for one in district.routes if one.public):
        for role in ("nobody", "nothing", *ROLES):
            answer = district.ask(route, role)
            assert answer.status_code < 500 and answer.status_code not in (401, 403), f"{route} {role} {answer.text}"


def test_a_service_acts_for_no_unit_unless_its_call_names_one(district: District, system: System) -> None:
    token = Tokens(system).of("service:complaints", ("service",), "").token
    for unit, status in (("", 403), ("*", 403), ("unit_demo-d1,unit_demo-d2", 403), (DISTRICT, 200)):
        headers = {"authorization": f"Bearer {token}"} | ({"linli-unit": unit} if unit else {})
        answer = httpx.get(f"{district.urls['directory']}/units", headers=headers, timeout=30)
        assert answer.status_code == status, f"{unit}: {answer.text}"
