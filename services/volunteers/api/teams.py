"""Volunteer teams (志愿者服务队)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.storage.history import id_for
from services.chassis.storage.queries import Asked, Scoped
from services.volunteers.api.bodies import Ending, Forming, Member
from services.volunteers.api.stepping import Id
from services.volunteers.domain.team import Close, Form, Join, Lead, Leave
from services.volunteers.queries import TEAM, TEAMS, VOLUNTEER, team_shown

router = APIRouter()
Listing = Annotated[Caller, Depends(allow("team.list"))]
Changing = Annotated[Caller, Depends(allow("team.form"))]


@router.post("/teams", status_code=201)
async def form_team(body: Forming, caller: Changing, operation: Operation, running: Running) -> Answer:
    """组建服务队 · Form a team led by a registered volunteer."""
    left = await _has_left(running, caller, body.leader)
    command = Form(body.unit, body.kind, body.name, body.leader, left)
    written = await running.histories[TEAM].create(id_for(TEAM, operation.operation), body.unit, command, operation)
    return answer(written, location=f"/teams/{written.id}", status=201)


@router.get("/teams")
async def list_teams(asked: Annotated[Asked, Depends(listing(TEAMS))], caller: Listing, running: Running) -> Answer:
    """服务队名册 · The teams of the caller's unit with leader and size."""
    return Answer(await Scoped.on(running.database, TEAM).page(caller.unit, asked))


@router.get("/teams/{team}")
async def read_team(team: Id, caller: Listing, running: Running) -> Answer:
    """服务队信息 · One team."""
    found = await Scoped.on(running.database, TEAM).get(caller.unit, team)
    return Answer(team_shown(found), version=found["version"])


@router.post("/teams/{team}/join")
async def join_team(
    team: Id, body: Member, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """入队 · Take a registered volunteer in."""
    left = await _has_left(running, caller, body.volunteer)
    return await _change(running, team, Join(body.volunteer, left), operation, version)


@router.post("/teams/{team}/leave")
async def leave_team(
    team: Id, body: Member, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """离队 · Let a member go; the leader hands over first."""
    return await _change(running, team, Leave(body.volunteer), operation, version)


@router.post("/teams/{team}/lead")
async def name_leader(
    team: Id, body: Member, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """更换队长 · A member leads from now on."""
    return await _change(running, team, Lead(body.volunteer), operation, version)


@router.post("/teams/{team}/close")
async def close_team(
    team: Id, body: Ending, caller: Changing, operation: Operation, version: IfVersion, running: Running
) -> Answer:
    """撤销服务队 · The team ends."""
    return await _change(running, team, Close(body.reason), operation, version)


async def _change(running: Running, team: str, command: Any, operation: Operation, version: int | None) -> Answer:
    return answer(await running.histories[TEAM].change(team, command, operation, if_version=version))


async def _has_left(running: Running, caller: Caller, volunteer: str) -> bool:
    """Raises NotFound for a volunteer whom the caller does not see."""
    found = await Scoped.on(running.database, VOLUNTEER).get(caller.unit, volunteer, fields=("state.closed",))
    return bool(found["state"]["closed"])
