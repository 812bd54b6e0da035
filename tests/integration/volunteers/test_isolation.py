"""Who is let in at all: nobody without a token, nobody from another district, and never twice by one key."""

from typing import Any
from uuid import uuid4

import pytest

from services.chassis.http import Application
from services.chassis.http.given import Allow
from services.volunteers.access import PERMISSIONS
from services.volunteers.service import SERVICE
from tests.integration.volunteers.conftest import (
    ADDRESS,
    NAME,
    PHONE,
    Callers,
    Desk,
    Town,
    deed,
    person,
    registered,
    requested,
)

SERVED = Application(SERVICE).table.served
GUARDED = sorted(one.signature for one in SERVED if any(isinstance(gate, Allow) for gate in one.gates))
SKILLED = {"lines": ["maintenance"]}
AVAILABLE = {"consent": True}
BODIES: dict[str, Any] = {
    "POST /volunteers/{volunteer}/skills": SKILLED,
    "POST /volunteers/{volunteer}/move": {"unit": "unit_g9"},
    "POST /volunteers/{volunteer}/person": {"name": "别人", "phone": "13900000000"},
    "POST /volunteers/{volunteer}/close": {"reason": "asked"},
    "POST /teams/{team}/join": {"volunteer": "{volunteer}"},
    "POST /teams/{team}/leave": {"volunteer": "{volunteer}"},
    "POST /teams/{team}/lead": {"volunteer": "{volunteer}"},
    "POST /teams/{team}/close": {"reason": "finished"},
    "POST /orders/{order}/task": {"task": "别的事"},
    "POST /orders/{order}/cancel": {"reason": "mistaken"},
    "POST /orders/{order}/accept": {"volunteer": "{volunteer}"},
    "POST /orders/{order}/decline": {"volunteer": "{volunteer}", "reason": "busy"},
    "POST /orders/{order}/done": {"volunteer": "{volunteer}", "minutes": 30},
    "POST /offers/{order}/decline": {"reason": "busy"},
    "POST /offers/{order}/done": {"minutes": 30},
    "POST /hours/{hours}/correct": {"total": 5, "reason": "mistyped"},
    "POST /hours/{hours}/keep": {"reason": "record-is-right"},
    "POST /me/hours/{hours}/ask-correction": {"total": 5, "note": "少了"},
}
OF_A_RECORD = [signature for signature in GUARDED if "{" in signature]
LISTS = ("/volunteers", "/teams", "/orders", "/hours", "/accesses")


async def send(desk: Desk, signature: str, ids: dict[str, str]) -> Any:
    method, _, path = signature.partition(" ")
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    if method == "GET":
        return await desk.get(path + "?because=x")
    body = BODIES.get(signature)
    if isinstance(body, dict):
        body = {name: ids.get(str(value).strip("{}"), value) for name, value in body.items()}
    return await desk.post(path, body)


async def world(coordinator: Desk, town: Town, volunteer: Desk) -> dict[str, str]:
    """A volunteer in a team, with booked hours for a deed."""
    helper = await registered(coordinator, "usr_helper")
    team = await coordinator.does("/teams", {"unit": "unit_c1", "kind": "party", "name": "红马甲", "leader": helper})
    order = (await requested(coordinator, town))["aggregate"]
    await volunteer.does(f"/offers/{order}/accept")
    await volunteer.does(f"/offers/{order}/done", {"minutes": 30})
    await coordinator.does(f"/orders/{order}/confirm")
    await town.settle()
    hours = (await coordinator.sees("/hours"))["items"][0]["id"]
    return {"volunteer": helper, "team": team["aggregate"], "order": order, "hours": hours}


@pytest.fixture
def volunteer(as_: Callers) -> Desk:
    return as_("volunteer", "unit_g1", "usr_helper")


async def test_without_a_token_nobody_is_let_in(bare: Any, anyone: Desk) -> None:
    for signature in GUARDED:
        answer = await send(anyone, signature, {})
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing"), signature


async def test_a_role_without_the_permission_is_sent_away(bare: Any, as_: Callers) -> None:
    for signature in GUARDED:
        needed = {gate.permission for one in SERVED if one.signature == signature for gate in one.gates}  # type: ignore[attr-defined]
        roles = [role for role, held in PERMISSIONS.items() if not needed & held]
        assert roles, f"everybody may {needed}"
        for role in roles:
            answer = await send(as_(role, "unit_c1"), signature, {})
            assert answer.status_code == 403, f"{role}: {signature}"


async def test_another_district_finds_nothing_whatever_it_tries(
    coordinator: Desk, volunteer: Desk, neighbour: Desk, as_: Callers, town: Town
) -> None:
    ids = await world(coordinator, town, volunteer)
    stranger = as_("volunteer", "unit_g9", "usr_stranger")
    await registered(neighbour, "usr_stranger", unit="unit_g9")
    before = await town.database.collection("order").find({})
    for signature in OF_A_RECORD:
        caller = stranger if "/offers/" in signature or "/me/" in signature else neighbour
        answer = await send(caller, signature, ids)
        assert answer.status_code == 404, f"{signature}: {answer.status_code} {answer.text}"
        assert NAME not in answer.text
    assert await town.database.collection("order").find({}) == before


async def test_the_lists_of_another_district_are_its_own(
    coordinator: Desk, volunteer: Desk, neighbour: Desk, town: Town
) -> None:
    await world(coordinator, town, volunteer)
    for path in LISTS:
        assert (await neighbour.sees(path))["items"] == []


@pytest.mark.mechanism("DIR-01")
async def test_a_unit_in_a_list_means_what_lies_under_it_and_nothing_of_a_neighbours(
    coordinator: Desk, volunteer: Desk, as_: Callers, neighbour: Desk, town: Town
) -> None:
    ids = await world(coordinator, town, volunteer)
    street = as_("street-officer", "unit_s1")
    for path, name in (("/volunteers", "volunteer"), ("/teams", "team"), ("/orders", "order"), ("/hours", "hours")):
        for unit in ("unit_s1", "unit_c1"):
            listed = [item["id"] for item in (await street.sees(f"{path}?unit={unit}"))["items"]]
            assert ids[name] in listed, f"{path} under {unit}"
        for caller, unit in ((street, "unit_c2"), (street, "unit_c9"), (neighbour, "unit_c1")):
            assert (await caller.sees(f"{path}?unit={unit}"))["items"] == [], f"{path} under {unit}"


async def test_nothing_is_made_in_a_unit_of_another_district(coordinator: Desk, neighbour: Desk, town: Town) -> None:
    helper = await registered(coordinator)
    for path, body, status in (
        ("/volunteers", person(), 422),
        ("/orders", deed(), 422),
        ("/teams", {"unit": "unit_c1", "kind": "party", "name": "红马甲", "leader": helper}, 404),
    ):
        answer = await neighbour.post(path, body)
        assert answer.status_code == status, answer.text
    own = deed(unit="unit_g9", mode="by_name", volunteer=helper)
    assert (await neighbour.post("/orders", own)).json()["code"] == "volunteer-unknown"


async def test_an_account_of_another_district_is_not_the_volunteer_of_that_name(
    coordinator: Desk, as_: Callers, town: Town
) -> None:
    await registered(coordinator, "usr_helper")
    elsewhere = as_("volunteer", "unit_g9", "usr_helper")
    answer = await elsewhere.get("/me")
    assert (answer.status_code, answer.json()["code"]) == (404, "account-not-a-volunteer")


async def test_the_same_key_gives_the_first_answer_and_another_body_is_refused(coordinator: Desk, town: Town) -> None:
    for path, body, other in (("/volunteers", person("usr_x"), person("usr_y")), ("/orders", deed(), deed(line="x"))):
        key = uuid4().hex
        first = await coordinator.post(path, body, key=key)
        again = await coordinator.post(path, body, key=key)
        assert first.status_code == 201
        assert (again.status_code, again.json(), again.headers["etag"], again.headers["location"]) == (
            first.status_code, first.json(), first.headers["etag"], first.headers["location"]
        )  # fmt: skip
        refused = await coordinator.post(path, other, key=key)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert await town.database.collection("volunteer").count({}) == 1


async def test_a_repeated_step_gives_the_first_answer_though_the_order_has_gone_on(
    coordinator: Desk, volunteer: Desk, town: Town
) -> None:
    await registered(coordinator, "usr_helper")
    order = (await requested(coordinator, town))["aggregate"]
    keys = {step: uuid4().hex for step in ("accept", "done")}
    first = await volunteer.post(f"/offers/{order}/accept", key=keys["accept"])
    done = await volunteer.post(f"/offers/{order}/done", {"minutes": 30}, key=keys["done"])
    assert (first.status_code, done.status_code) == (200, 200)
    await coordinator.does(f"/orders/{order}/confirm")
    again = await volunteer.post(f"/offers/{order}/accept", key=keys["accept"])
    assert (again.status_code, again.json()) == (200, first.json())
    again = await volunteer.post(f"/offers/{order}/done", {"minutes": 30}, key=keys["done"])
    assert again.json() == done.json()


@pytest.mark.mechanism("LAW-36", "LAW-39")
async def test_name_phone_and_address_stand_in_no_document_and_no_event(
    coordinator: Desk, volunteer: Desk, town: Town
) -> None:
    ids = await world(coordinator, town, volunteer)
    await volunteer.does(f"/me/hours/{ids['hours']}/ask-correction", {"total": 45, "note": f"{NAME}可以作证"})
    await coordinator.does(f"/hours/{ids['hours']}/correct", {"total": 45, "reason": "asked", "note": f"问过{NAME}"})
    await coordinator.does(
        f"/volunteers/{ids['volunteer']}/person", {"name": NAME, "phone": PHONE, "account": "usr_helper"}
    )
    other = (await requested(coordinator, town))["aggregate"]
    await volunteer.does(f"/offers/{other}/decline", {"reason": "other", "note": f"不认识{NAME},电话{PHONE}"})
    await town.settle()
    for name in ("volunteer", "team", "order", "hours", "places", "parked", "access"):
        for document in await town.database.collection(name).find({}):
            for secret in (NAME, PHONE, ADDRESS, "usr_helper" if name != "access" else NAME):
                published = str([document.get("out"), [entry["data"] for entry in document.get("history", [])]])
                assert secret not in published
                without_actor = {key: value for key, value in document.items() if key != "history"}
                assert secret not in str(without_actor)
                assert secret.encode() not in b"".join(document.get("sealed", {}).values())


async def test_a_volunteer_sees_neither_lists_nor_persons(volunteer: Desk, coordinator: Desk, town: Town) -> None:
    helper = await registered(coordinator, "usr_helper")
    for path in ("/volunteers", f"/volunteers/{helper}", "/orders", "/teams", "/hours"):
        assert (await volunteer.get(path)).status_code == 403
