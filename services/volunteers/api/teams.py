"""Volunteer teams."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from services.chassis.access import Caller
from services.chassis.history import id_for
from services.chassis.http import Answer, Operation, Running, allow, answer, listing
from services.chassis.queries import Asked, Scoped
from services.kernel.events import Value
from services.kernel.values import Code
from services.volunteers.domain.team import Form, Join, Leave
from services.volunteers.queries import TEAMS

router = APIRouter()
Id = Annotated[str, Field(max_length=100)]


class TeamBody(Value):
    """A team to be formed; ``leader`` is a volunteer's id."""

    unit: Id
    kind: Code
    name: str = Field(min_length=1, max_length=100)
    leader: Id


class MemberBody(Value):
    """A volunteer's id."""

    volunteer: Id


@router.post("/teams", status_code=201)
async def form_team(
    body: TeamBody, runtime: Running, operation: Operation, caller: Annotated[Caller, Depends(allow("team.form"))]
) -> Answer:
    """Form a team led by a registered volunteer."""
    await Scoped.on(runtime.database, "volunteer").get(caller.unit, body.leader, fields=("unit",))
    command = Form(body.unit, body.kind, body.name, body.leader)
    written = await runtime.histories["team"].create(
        id_for("team", operation.operation), body.unit, command, operation
    )
    return answer(written, status=201, location=f"/teams/{written.id}")


@router.get("/teams")
async def list_teams(
    runtime: Running, asked: Annotated[Asked, Depends(listing(TEAMS))],
    caller: Annotated[Caller, Depends(allow("team.list"))],
) -> Answer:  # fmt: skip
    """The teams of the caller's unit."""
    return Answer(await Scoped.on(runtime.database, "team").page(caller.unit, asked))


@router.post("/teams/{team}/join")
async def join_team(
    team: Id, body: MemberBody, runtime: Running, operation: Operation,
    caller: Annotated[Caller, Depends(allow("team.form"))],
) -> Answer:  # fmt: skip
    """Take a registered volunteer in."""
    await Scoped.on(runtime.database, "volunteer").get(caller.unit, body.volunteer, fields=("unit",))
    return answer(await runtime.histories["team"].change(team, Join(body.volunteer), operation))


@router.post("/teams/{team}/leave")
async def leave_team(
    team: Id, body: MemberBody, runtime: Running, operation: Operation,
    caller: Annotated[Caller, Depends(allow("team.form"))],
) -> Answer:  # fmt: skip
    """Let a member go."""
    return answer(await runtime.histories["team"].change(team, Leave(body.volunteer), operation))
