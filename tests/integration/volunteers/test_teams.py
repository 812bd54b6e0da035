"""Teams over HTTP: formed, joined, led, ended."""

import pytest

from tests.integration.volunteers.conftest import Callers, Desk, Town, registered


async def formed(desk: Desk, leader: str, **changes: str) -> str:
    body = {"unit": "unit_c1", "kind": "party", "name": "红马甲服务队", "leader": leader}
    return str((await desk.does("/teams", body | changes))["aggregate"])


async def test_a_team_takes_only_volunteers_whom_the_coordinator_sees(
    coordinator: Desk, as_: Callers, town: Town
) -> None:
    ann = await registered(coordinator)
    elsewhere = await registered(as_("volunteer-coordinator", "unit_c2"), unit="unit_g3")
    body = {"unit": "unit_c1", "kind": "party", "name": "队", "leader": elsewhere}
    assert (await coordinator.post("/teams", body)).status_code == 404
    team = await formed(coordinator, ann)
    assert (await coordinator.post(f"/teams/{team}/join", {"volunteer": elsewhere})).status_code == 404
    await coordinator.does(f"/volunteers/{ann}/close", {"reason": "asked"})
    answer = await coordinator.post("/teams", body | {"leader": ann})
    assert (answer.status_code, answer.json()["code"]) == (409, "volunteer-closed")


async def test_the_leader_stays_until_another_is_named(coordinator: Desk, town: Town) -> None:
    ann, bea = await registered(coordinator), await registered(coordinator)
    team = await formed(coordinator, ann)
    answer = await coordinator.post(f"/teams/{team}/leave", {"volunteer": ann})
    assert (answer.status_code, answer.json()["code"]) == (409, "leader-stays")
    await coordinator.does(f"/teams/{team}/join", {"volunteer": bea})
    await coordinator.does(f"/teams/{team}/lead", {"volunteer": bea})
    await coordinator.does(f"/teams/{team}/leave", {"volunteer": ann})
    shown = await coordinator.sees(f"/teams/{team}")
    assert (shown["leader"], shown["size"], shown["members"]) == (bea, 1, [bea])


@pytest.mark.mechanism("VOL-01")
async def test_teams_are_listed_with_kind_leader_and_size(coordinator: Desk, town: Town) -> None:
    ann, bea = await registered(coordinator), await registered(coordinator)
    team, league = await formed(coordinator, ann), await formed(coordinator, bea, kind="league")
    await coordinator.does(f"/teams/{team}/join", {"volunteer": bea})
    listed = {item["id"]: item for item in (await coordinator.sees("/teams"))["items"]}
    assert {one: (item["kind"], item["leader"], item["size"]) for one, item in listed.items()} == {
        team: ("party", ann, 2),
        league: ("league", bea, 1),
    }
    assert [item["id"] for item in (await coordinator.sees("/teams?kind=league"))["items"]] == [league]
    assert len((await coordinator.sees(f"/teams?member={bea}"))["items"]) == 2
    await coordinator.does(f"/teams/{league}/close", {"reason": "merged"})
    assert [item["id"] for item in (await coordinator.sees("/teams?closed=false"))["items"]] == [team]


async def test_who_leaves_the_register_leaves_every_team_also_as_leader(coordinator: Desk, town: Town) -> None:
    ann, bea = await registered(coordinator), await registered(coordinator)
    led, joined = await formed(coordinator, ann), await formed(coordinator, bea)
    await coordinator.does(f"/teams/{joined}/join", {"volunteer": ann})
    await coordinator.does(f"/volunteers/{ann}/close", {"reason": "moved-away"})
    await town.settle()
    assert (await coordinator.sees(f"/teams/{led}"))["leader"] is None
    assert (await coordinator.sees(f"/teams/{joined}"))["members"] == [bea]
    assert await town.parked() == []
