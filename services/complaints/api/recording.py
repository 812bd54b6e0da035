"""Recording a concern: one read of cached units and rules, one sealing, one grouped write."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.chassis.callers.access import Caller
from services.chassis.context import Context
from services.chassis.http import Answer, Operation, Running, allow, answer
from services.chassis.storage.history import id_for
from services.complaints.api.bodies import Recording, Reporter
from services.complaints.api.stepping import CASE
from services.complaints.codes import code_of, hash_of
from services.complaints.domain.commands import Record
from services.complaints.places import ladder_of, rung_of
from services.complaints.rulebook import rules_now
from services.kernel.case.custody import Party

router = APIRouter()


@router.post("/cases", status_code=201)
async def record_case(
    body: Recording, caller: Annotated[Caller, Depends(allow("case.record"))], operation: Operation, running: Running
) -> Answer:
    """记录民情 · Record a concern (CMP-01). The answer holds the code by which the resident follows it."""
    given = {"resident": body.resident, "visit": body.visit, "repeat_of": body.repeat_of, "channel": body.channel}
    return await recorded(running, body, operation, caller, given)


async def recorded(running: Running, body: Any, operation: Context, caller: Caller | None, given: Any) -> Answer:
    """Record for a caller, or for the public when there is none."""
    view = await running.units.get(body.unit)
    rules = await rules_now(running, body.unit, view.zone, operation.at)
    ladder = ladder_of(view, rules)
    case = id_for(CASE, operation.operation)
    code = code_of(running.settings.lookup_key, case)
    command = Record(
        rules=rules,
        unit=body.unit,
        kind=body.kind,
        category=body.category,
        subject=body.subject,
        text=body.text,
        ladder=ladder,
        zone=view.zone,
        by=await _receiver(running, caller, ladder),
        reporter=body.reporter.model_dump(exclude_none=True) if body.reporter else {},
        keys={"code": [hash_of(running.settings.lookup_key, code)]} | phone_keys(running, view.scope[0], body.reporter),
        **given,
    )
    written = await running.histories[CASE].create(case, body.unit, command, operation)
    return answer(written, location=f"/cases/{case}", status=201, code=code)


async def _receiver(running: Running, caller: Caller | None, ladder: tuple[tuple[str, str], ...]) -> Party | None:
    if caller is None:
        return None
    rungs = tuple(unit for _, unit in ladder)
    return Party(id=caller.sub, unit=await rung_of(running, caller.unit, rungs))


def phone_keys(running: Running, district: str, reporter: Reporter | None) -> dict[str, list[str]]:
    """The hashes by which a telephone, and its last four digits, are found again."""
    if reporter is None or reporter.phone is None:
        return {}
    sealing = running.sealing
    return {
        "phone": [sealing.lookup(district, "phone", reporter.phone)],
        "tail": [sealing.tail(district, _last_digits(reporter.phone))],
    }


def _last_digits(phone: str) -> str:
    """The last four digits of a plainly written telephone, which saves parsing it again; any other as it is."""
    plain = phone.replace(" ", "").replace("-", "").removeprefix("+")
    return plain[-4:] if plain.isascii() and plain.isdigit() and len(plain) >= 8 else phone
