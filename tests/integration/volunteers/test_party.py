"""Whether a volunteer is of the party: asked of the register of residents, with a purpose, and kept nowhere here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import bson
import httpx
import pytest
from prometheus_client import generate_latest

from services.chassis.callers.clients import Peers
from services.chassis.http import application
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.directory.service import SERVICE as DIRECTORY
from tests.integration.http.served import serving
from tests.integration.volunteers.conftest import NAME, PHONE, Callers, Desk, Town, person, registered
from tests.unit.http.issuer import TestIssuer

TREE: tuple[tuple[str, str, str | None], ...] = (
    ("unit_d1", "district", None), ("unit_s1", "street", "unit_d1"), ("unit_c1", "community", "unit_s1"),
    ("unit_c2", "community", "unit_s1"), ("unit_p2", "compound", "unit_c2"), ("unit_b2", "building", "unit_p2"),
)  # fmt: skip
MARKER = {"code": "partyMember", "source": "街道党工委名册", "since": "2010-07-01"}
BECAUSE = "because=组建党员服务队"


class Register:
    """The directory beside: its own database, its own process' port, and a worker of the district who keeps it."""

    def __init__(self, runtime: Runtime, url: str, keeper: Desk, officer: Desk) -> None:
        self.runtime, self.url, self.keeper, self.officer = runtime, url, keeper, officer

    async def knows(self, *markers: dict[str, str]) -> str:
        """A resident of the second community; the file's id."""
        door = {"building": "unit_b2", "door": uuid4().hex[:6], "tenure": "permanent", "size": 1}
        home = (await self.keeper.does("/households", door))["aggregate"]
        body = {"household": home, "identity": {"name": "王秀英"}, "markers": list(markers)}
        return str((await self.keeper.does("/residents", body))["aggregate"])

    async def reads(self) -> list[dict[str, Any]]:
        """Who read what of residents there."""
        found: list[dict[str, Any]] = (await self.officer.sees("/access-records"))["items"]
        return found


@asynccontextmanager
async def keeping(settings: Settings, issuer: TestIssuer) -> AsyncIterator[Register]:
    """The directory on a port of its own."""
    own = replace(settings, service="directory", prefix=f"test_{uuid4().hex[:12]}", peers={})
    runtime = Runtime(DIRECTORY, own)
    await runtime.start()
    await runtime.access.refresh()
    async with AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(serving(runtime))
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(application(runtime)), base_url="http://directory")
        )

        def desk(role: str) -> Desk:
            return Desk(client, issuer.bearer(sub=f"usr_{role}", roles=[role], unit="unit_d1"))

        for unit, kind, parent in TREE:
            body = {"id": unit, "kind": kind, "name": unit, "parent": parent, "zone": "Asia/Shanghai"}
            given = {name: value for name, value in body.items() if value and (name != "zone" or kind == "district")}
            await desk("operator").does("/units", given)
        yield Register(runtime, url, desk("community-worker"), desk("data-officer"))
    await runtime.database.drop()
    await runtime.stop()


@pytest.fixture
async def register(settings: Settings, issuer: TestIssuer, runtime: Runtime) -> AsyncIterator[Register]:
    issuer.granted = {"sub": "service:volunteers", "roles": ["service"], "unit": ""}
    async with keeping(settings, issuer) as register:
        await asked_at(runtime, register.url)
        yield register


async def asked_at(runtime: Runtime, url: str) -> None:
    """From now on the directory is asked there, under the service's own client."""
    await runtime.peers.stop()
    peers = {"directory": url}
    runtime.peers = Peers(replace(runtime.settings, peers=peers, client_id="volunteers", client_secret="s"))


async def linked(coordinator: Desk, resident: str, account: str | None = None) -> str:
    body = person(account)
    return await registered(coordinator, person=body["person"] | {"resident": resident})


async def asked(desk: Desk, volunteer: str) -> tuple[int, Any]:
    answer = await desk.get(f"/volunteers/{volunteer}/party?{BECAUSE}")
    body = answer.json()
    return answer.status_code, body.get("party", body.get("code"))


async def test_nobody_declares_it(coordinator: Desk, runtime: Runtime) -> None:
    answer = await coordinator.post("/volunteers", person(skills={"lines": ["maintenance"], "party": True}))
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, ["skills.*"])
    helper = await registered(coordinator)
    changed = await coordinator.post(f"/volunteers/{helper}/skills", {"lines": ["maintenance"], "party": True})
    assert changed.status_code == 422
    assert (await coordinator.get("/volunteers?party=true")).status_code == 422


async def test_it_is_told_only_to_who_may_know_with_a_purpose_and_the_volunteers_consent(
    coordinator: Desk, as_: Callers, neighbour: Desk, register: Register
) -> None:
    helper = await linked(coordinator, await register.knows(MARKER), "usr_helper")
    for desk in (as_("grid-worker", "unit_g1"), as_("street-officer", "unit_s1"), as_("volunteer", "unit_g1")):
        assert (await asked(desk, helper))[0] == 403
    assert await asked(neighbour, helper) == (404, "not-found")
    assert (await coordinator.get(f"/volunteers/{helper}/party")).status_code == 422
    await as_("volunteer", "unit_g1", "usr_helper").does("/me/availability", {"consent": False})
    assert await asked(coordinator, helper) == (409, "consent-withdrawn")
    assert await register.reads() == []


async def test_who_is_linked_to_no_file_or_to_none_of_the_district_has_a_clear_answer(
    coordinator: Desk, register: Register
) -> None:
    assert await asked(coordinator, await registered(coordinator)) == (409, "resident-not-linked")
    for wrong in ("resident_none", "../staff", "a/b?c=d#e", "王秀英"):
        assert await asked(coordinator, await linked(coordinator, wrong)) == (409, "resident-unknown")
    helper = await linked(coordinator, await register.knows(MARKER))
    await coordinator.does(f"/volunteers/{helper}/person", {"name": NAME, "phone": PHONE})
    assert await asked(coordinator, helper) == (409, "resident-not-linked")


async def test_while_the_directory_is_away_it_is_said_and_nothing_is_lost(
    coordinator: Desk, register: Register, runtime: Runtime
) -> None:
    resident = await register.knows(MARKER)
    await asked_at(runtime, "http://127.0.0.1:9")
    helper = await linked(coordinator, resident)  # the register of volunteers goes on
    answer = await coordinator.get(f"/volunteers/{helper}/party?{BECAUSE}")
    assert (answer.status_code, answer.json()["code"]) == (503, "peer-away")
    assert int(answer.headers["retry-after"]) >= 1 and "联系不上" in answer.json()["detail"]
    await asked_at(runtime, register.url)
    assert await asked(coordinator, helper) == (200, True)


async def test_a_client_that_the_directory_does_not_let_in_is_told_apart_from_one_that_is_away(
    coordinator: Desk, register: Register, issuer: TestIssuer
) -> None:
    helper = await linked(coordinator, await register.knows(MARKER))
    issuer.granted = {"sub": "service:volunteers", "roles": ["stranger"], "unit": "unit_d1"}
    assert await asked(coordinator, helper) == (403, "peer-forbids")


@pytest.mark.mechanism("VOL-02", "DIR-16")
async def test_what_the_register_says_today_is_what_is_told(coordinator: Desk, register: Register) -> None:
    resident = await register.knows(MARKER)
    helper, other = await linked(coordinator, resident), await linked(coordinator, await register.knows())
    assert await asked(coordinator, helper) == (200, True)
    assert await asked(coordinator, other) == (200, False)
    await register.keeper.does(f"/residents/{resident}/unmark", {"end": "partyMember", "on": "2024-01-01"})
    assert await asked(coordinator, helper) == (200, False)
    disabled = {"code": "disabled", "source": "残联", "since": "2020-01-01"}
    assert await asked(coordinator, await linked(coordinator, await register.knows(disabled))) == (200, False)


@pytest.mark.mechanism("VOL-02", "INF-20")
async def test_the_reading_is_recorded_on_both_sides_under_one_trace(
    coordinator: Desk, as_: Callers, register: Register
) -> None:
    resident = await register.knows(MARKER)
    helper = await linked(coordinator, resident)
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = await coordinator.get(f"/volunteers/{helper}/party?{BECAUSE}", traceparent=trace)
    assert answer.json()["party"] is True
    (here,) = (await as_("data-officer", "unit_d1").sees(f"/accesses?record={helper}"))["items"]
    (there,) = await register.reads()
    assert (here["by"], here["purpose"], here["because"]) == (
        "usr_volunteer-coordinator-unit_c1", "resident", "组建党员服务队"
    )  # fmt: skip
    assert (there["by"], there["aggregate"], there["purpose"]) == ("service:volunteers", resident, "markers")
    assert here["trace"][:35] == there["trace"][:35] == trace[:35]


@pytest.mark.mechanism("VOL-02", "LAW-39")
async def test_it_stands_in_no_document_event_log_or_metric_of_the_volunteers(
    coordinator: Desk, as_: Callers, register: Register, town: Town, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    resident = await register.knows(MARKER)
    helper = await linked(coordinator, resident)
    assert await asked(coordinator, helper) == (200, True)
    await town.settle()
    for name in await town.database.collection_names():
        for document in await town.database.collection(name).find({}):
            at_rest = bson.encode(document)
            assert b"partyMember" not in at_rest and resident.encode() not in at_rest, name
    told = generate_latest().decode() + caplog.text + "".join(capsys.readouterr())
    assert "partyMember" not in told and resident not in told
    events = await register.runtime.histories["resident"].entries(resident, scope=None)
    assert "partyMember" not in str([entry["data"] for entry in events])
    await coordinator.does(f"/volunteers/{helper}/close", {"reason": "asked"})
    await as_("data-officer", "unit_d1").does(f"/volunteers/{helper}/erase")
    document = await town.database.collection("volunteer").find_one({"_id": helper})
    assert document is not None and (document["sealed"], document["keys"]) == ({}, {})
