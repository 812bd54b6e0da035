"""What a resident does without an account: tell a concern, follow it, confirm, object.

The code finds the concern and the last four digits of the telephone prove that it is theirs; both travel outside the
query string. Tries are counted for each code, and every look is recorded like any other read of sealed data.
"""

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path

from services.chassis.callers.access import Caller
from services.chassis.errors import NotFound
from services.chassis.http import Answer, Operation, Running, answer, open_to_all
from services.chassis.storage.history import Stored
from services.chassis.storage.queries import Scoped
from services.complaints.api.bodies import CallingBack, Objecting, PublicRecording
from services.complaints.api.recording import recorded
from services.complaints.api.stepping import CASE
from services.complaints.codes import hash_of
from services.complaints.domain import commands as c
from services.complaints.domain.state import Case
from services.complaints.domain.steps import may
from services.complaints.rulebook import rules_for
from services.complaints.texts import OUTCOMES, STAGES
from services.kernel.events import Refused
from services.kernel.phone import Tail

router = APIRouter()
ONLINE = "online"
RESIDENT = frozenset({"resident"})
Code = Annotated[str, Path(max_length=200)]
PhoneTail = Annotated[Tail, Header(alias="Linli-Phone-Tail")]
TELLING, LOOKING = open_to_all(per_minute=20, burst=10), open_to_all(per_minute=60, burst=30)


@router.post("/public/cases", status_code=201, dependencies=[Depends(TELLING)])
async def tell_case(body: PublicRecording, operation: Operation, running: Running) -> Answer:
    """我要反映 · Tell a concern. Keep the code of the answer: it and your telephone's last digits let you follow it."""
    try:
        return await recorded(running, body, operation, None, {"channel": ONLINE})
    except Refused as refused:
        if refused.code != "channel-unknown":
            raise
        raise Refused("online-not-open") from None  # the district has no such channel; the resident chose none


@router.get("/public/cases/{code}", dependencies=[Depends(LOOKING)])
async def follow_case(code: Code, tail: PhoneTail, running: Running) -> Answer:
    """查询进度 · How far it is, what was promised, and the reply once there is one."""
    stored = await _own(running, code, tail)
    state = stored.state
    rules = await rules_for(running, stored.unit, state.opened_on)
    promised = next((one.at for one in state.due if not one.name.startswith("reply")), None)
    page: dict[str, Any] = {
        "subject": state.subject,
        "recorded_at": state.recorded_at,
        "stage": state.stage,
        "stage_text": _both(STAGES, state.stage),
        "outcome": state.outcome,
        "outcome_text": _both(OUTCOMES, state.outcome) if state.outcome else None,
        "promised_until": promised,
        "may_confirm": may(state, c.Confirm(rules, RESIDENT), running.clock.now()),
    }
    if state.outcome and "reply" in stored.sealed:
        revealed = await running.sealing.reveal(_resident(stored), stored, "reply", because="resident follows")
        page["reply"] = revealed["text"]
    return Answer(page)


@router.post("/public/cases/{code}/confirm", dependencies=[Depends(LOOKING)])
async def agree(code: Code, body: CallingBack, tail: PhoneTail, operation: Operation, running: Running) -> Answer:
    """确认办结 · It is done."""
    stored = await _own(running, code, tail)
    rules = await rules_for(running, stored.unit, stored.state.opened_on)
    command = c.Confirm(rules, RESIDENT, satisfied=body.satisfied)
    return answer(await running.histories[CASE].change(stored.id, command, operation))


@router.post("/public/cases/{code}/reopen", dependencies=[Depends(LOOKING)])
async def object_to(code: Code, body: Objecting, tail: PhoneTail, operation: Operation, running: Running) -> Answer:
    """不认可 · It is not done; ``note`` says what is missing."""
    stored = await _own(running, code, tail)
    rules = await rules_for(running, stored.unit, stored.state.opened_on)
    command = c.Reopen(rules, RESIDENT, body.reason, note=body.note)
    return answer(await running.histories[CASE].change(stored.id, command, operation))


async def _own(running: Running, code: str, tail: str) -> Stored[Case]:
    """The resident's own concern. Raises NotFound("code-or-tail-wrong"), the same for a wrong code and wrong digits."""
    try:
        found = await Scoped.on(running.database, CASE).held("code", hash_of(running.settings.lookup_key, code))
    except NotFound:
        raise NotFound("code-or-tail-wrong") from None
    stored: Stored[Case] = await running.histories[CASE].get(found["_id"], scope=found["unit"])
    resident = _resident(stored)
    given = await running.sealing.search(resident, stored.scope, "phone-tail", tail, because="resident follows")
    if not any(hmac.compare_digest(given, kept) for kept in stored.keys.get("tail", [])):
        raise NotFound("code-or-tail-wrong")
    return stored


def _resident(stored: Stored[Case]) -> Caller:
    """Named by the concern, so that tries are counted for it and reads are found with it."""
    return Caller(f"resident:{stored.id}", RESIDENT, stored.unit, frozenset())


def _both(texts: dict[str, tuple[str, str]], code: str) -> dict[str, str]:
    zh, en = texts.get(code, (code, code))
    return {"zh": zh, "en": en}
