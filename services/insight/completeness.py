"""What an answer says of the facts behind it: up to when they are complete, and whether some are known to wait."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from services.chassis.consuming.complete import Completeness, completeness
from services.chassis.consuming.places import Places
from services.insight.rows import ROWS
from services.insight.texts import FACTS

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

AFTER = r"^[A-Za-z0-9_-]{1,100}:[1-9][0-9]{0,17}$"
WITHIN = 2.0  # seconds that an answer waits for the caller's own write
PAUSE = 0.05  # seconds between two looks
LATE = timedelta(minutes=1)  # facts that are complete up to less than this ago are current


async def still_to_come(runtime: "Runtime", unit: str, after: str | None) -> bool:
    """Wait for the write that ``after`` names (``<aggregate>:<seq>`` of its answer); True when it has not come in time.

    A record that ``unit`` does not see never comes, the same as one that never was.
    """
    if after is None:
        return False
    subject, _, seq = after.partition(":")
    places = Places(runtime.database, runtime.service.name)
    loop = asyncio.get_running_loop()
    limit = loop.time() + WITHIN
    while (await places.of(subject)).seq < int(seq) or not await _seen(runtime, unit, subject):
        if loop.time() > limit:
            return True
        await asyncio.sleep(PAUSE)
    return False


async def _seen(runtime: "Runtime", unit: str, subject: str) -> bool:
    """Whether the caller sees the subject's row, if there is one: not everything that happens has one."""
    row = await runtime.database.collection(ROWS).find_one({"_id": subject}, {"scope": 1})
    return row is None or not unit or unit in row.get("scope", ())


async def of_facts(runtime: "Runtime", as_of: datetime, *, updating: bool) -> dict[str, Any]:
    """``complete_to`` and ``facts``, to be put beside a figure."""
    known = await completeness(runtime)
    state = _state(known, as_of, runtime.clock.now())
    to = known.complete_to.isoformat() if known.complete_to else None
    said = {"to": to or "?", "waiting": known.waiting or 0, "parked": known.parked or 0}
    zh, en = (text.format(**said) for text in FACTS["updating" if updating else state])
    return {
        "complete_to": to,
        "facts": {
            "state": state,
            "waiting": known.waiting,
            "parked": known.parked,
            "silent": list(known.silent),
            "seen_at": known.seen_at.isoformat() if known.seen_at else None,
            "updating": updating,
            "note": {"zh": zh, "en": en},
        },
    }


def _state(known: Completeness, as_of: datetime, now: datetime) -> str:
    """``current``, ``behind`` or ``unknown`` (nobody has looked lately, or never when all had been taken)."""
    if not known.fresh or known.complete_to is None:
        return "unknown"
    late = known.complete_to < min(as_of, now - LATE)
    return "behind" if late or known.waiting or known.parked else "current"
