"""The register of volunteers."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.chassis.access import Caller
from services.chassis.errors import NotFound
from services.chassis.history import id_for
from services.chassis.http import Answer, IfVersion, Operation, Running, allow, answer, listing
from services.chassis.queries import Asked, Scoped
from services.chassis.runtime import Runtime
from services.kernel.events import Refused, Value
from services.kernel.matching import Window
from services.kernel.values import Code
from services.volunteers.domain.volunteer import Change, Close, Register, Skills, VolunteerRedacted
from services.volunteers.queries import VOLUNTEERS, volunteer_shown
from services.volunteers.rules import decided

router = APIRouter()
Id = Annotated[str, Field(max_length=100)]


class SkillsBody(Value):
    """What a volunteer offers, and when."""

    lines: tuple[Code, ...] = Field(max_length=50)
    trained: tuple[Code, ...] = Field(default=(), max_length=50)
    capacity: int = Field(default=2, ge=0, le=50)
    windows: tuple[Window, ...] = Field(default=(), max_length=50)
    after_hours: bool = False
    available_until: date | None = None
    consent: bool

    def skills(self) -> Skills:
        """As the domain takes it."""
        return Skills(**{name: getattr(self, name) for name in SkillsBody.model_fields})


class VolunteerBody(SkillsBody):
    """A volunteer to be registered. ``account``: the ``sub`` under which the volunteer signs in."""

    unit: Id
    name: str = Field(min_length=1, max_length=100)
    phone: str = Field(min_length=1, max_length=40)
    account: str | None = Field(default=None, max_length=200)
    party: bool = False


class ReasonBody(Value):
    """Why."""

    reason: Code


@router.post("/volunteers", status_code=201)
async def register_volunteer(
    body: VolunteerBody, runtime: Running, operation: Operation,
    caller: Annotated[Caller, Depends(allow("volunteer.register"))],
) -> Answer:  # fmt: skip
    """Register a volunteer. Name and phone are sealed; nobody is asked without consent."""
    district = await runtime.units.district_of(body.unit)
    await _refuse_unknown_lines(runtime, body)
    keys = {"phone": [runtime.sealing.lookup(district, "phone", body.phone)]}
    if body.account:
        keys["account"] = [runtime.sealing.lookup("", "text", body.account)]
    person = {"name": body.name, "phone": body.phone}
    command = Register(body.unit, body.skills(), body.party, person, keys)
    volunteer = id_for("volunteer", operation.operation)
    written = await runtime.histories["volunteer"].create(volunteer, body.unit, command, operation)
    return answer(written, status=201, location=f"/volunteers/{written.id}")


async def _refuse_unknown_lines(runtime: Runtime, body: VolunteerBody) -> None:
    district = await decided(runtime, body.unit, runtime.clock.now().date())
    for line in body.lines:
        district.line(line)


@router.get("/volunteers")
async def list_volunteers(
    runtime: Running, asked: Annotated[Asked, Depends(listing(VOLUNTEERS))],
    caller: Annotated[Caller, Depends(allow("volunteer.list"))],
) -> Answer:  # fmt: skip
    """The volunteers of the caller's unit, without names."""
    return Answer(await Scoped.on(runtime.database, "volunteer").page(caller.unit, asked))


@router.get("/me")
async def read_self(runtime: Running, caller: Annotated[Caller, Depends(allow("self.read"))]) -> Answer:
    """The caller's own entry in the register."""
    found = await own_entry(runtime, caller)
    return Answer(volunteer_shown(found), version=found["version"])


@router.get("/volunteers/{volunteer}")
async def read_volunteer(
    volunteer: Id, runtime: Running, caller: Annotated[Caller, Depends(allow("volunteer.list"))]
) -> Answer:
    """One volunteer, without the name."""
    found = await Scoped.on(runtime.database, "volunteer").get(caller.unit, volunteer)
    return Answer(volunteer_shown(found), version=found["version"])


@router.get("/volunteers/{volunteer}/person")
async def read_person(
    volunteer: Id, runtime: Running, because: Annotated[str, Query(min_length=1, max_length=500)],
    caller: Annotated[Caller, Depends(allow("volunteer.person"))],
) -> Answer:  # fmt: skip
    """Name and phone. The read is recorded with its purpose."""
    stored = await runtime.histories["volunteer"].get(volunteer, scope=caller.unit)
    return Answer(await runtime.sealing.reveal(caller, stored, "person", because=because))


@router.post("/volunteers/{volunteer}/skills")
async def change_skills(
    volunteer: Id, body: SkillsBody, runtime: Running, operation: Operation, version: IfVersion,
    caller: Annotated[Caller, Depends(allow("volunteer.change"))],
) -> Answer:  # fmt: skip
    """Other skills, times or consent from now on."""
    history = runtime.histories["volunteer"]
    return answer(await history.change(volunteer, Change(body.skills()), operation, if_version=version))


@router.post("/volunteers/{volunteer}/close")
async def close_volunteer(
    volunteer: Id, body: ReasonBody, runtime: Running, operation: Operation, version: IfVersion,
    caller: Annotated[Caller, Depends(allow("volunteer.close"))],
) -> Answer:  # fmt: skip
    """The volunteer leaves and is asked no more."""
    history = runtime.histories["volunteer"]
    return answer(await history.change(volunteer, Close(body.reason), operation, if_version=version))


@router.post("/volunteers/{volunteer}/erase")
async def erase_volunteer(
    volunteer: Id, runtime: Running, operation: Operation,
    caller: Annotated[Caller, Depends(allow("volunteer.erase"))],
) -> Answer:  # fmt: skip
    """Erase name, phone and look-up hashes from state and history."""
    event = VolunteerRedacted(purposes=("person",))
    return answer(await runtime.histories["volunteer"].erase(volunteer, ["person"], event, operation))


async def own_entry(runtime: Runtime, caller: Caller) -> dict[str, Any]:
    """The volunteer behind an account. Refused: ``account-not-a-volunteer``."""
    key = runtime.sealing.lookup("", "text", caller.sub)
    try:
        return await Scoped.on(runtime.database, "volunteer").held("account", key)
    except NotFound:
        raise Refused("account-not-a-volunteer") from None
