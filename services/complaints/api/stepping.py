"""What every step shares: the concern as the caller may see it, the rules of its day, the caller as a party."""

from collections.abc import Callable
from typing import Any

from services.chassis.callers.access import Caller
from services.chassis.context import Context
from services.chassis.http import Answer, Running, answer
from services.chassis.storage.history import Stored
from services.complaints.domain.rules import Rules
from services.complaints.domain.state import Case
from services.complaints.places import party_of
from services.complaints.rulebook import rules_for
from services.kernel.case.custody import Party

CASE = "case"
Make = Callable[[Rules, Party], Any]


async def take(
    running: Running, caller: Caller, case: str, operation: Context, version: int | None, make: Make, **extra: Any
) -> Answer:
    """Give the command that ``make`` builds. Raises NotFound for a concern outside the caller's unit."""
    stored = await found(running, caller, case)
    rules = await rules_for(running, stored.unit, stored.state.opened_on)
    by = await party_of(running, caller, stored.state.units)
    written = await running.histories[CASE].change(case, make(rules, by), operation, if_version=version)
    return answer(written, **extra)


async def found(running: Running, caller: Caller, case: str) -> Stored[Case]:
    """The concern, when it lies in the caller's unit."""
    stored: Stored[Case] = await running.histories[CASE].get(case, scope=caller.unit)
    return stored
