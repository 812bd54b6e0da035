"""The district's decisions about volunteers, fetched and parsed."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from services.kernel.events import Refused
from services.kernel.values import day_at
from services.volunteers.domain.rules import Rules

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

NAMES = ("lines", "limits", "matching")


async def rules_for(runtime: "Runtime", unit: str, day: date) -> Rules:
    """The rules in force for the unit on that day.

    Raises Refused("parameter-not-set") when the district has not decided, and Refused("policy-unsound") when what it
    decided does not make sense to this version.
    """
    values = {name: await runtime.policies.value(f"volunteers.{name}", unit, day) for name in NAMES}
    try:
        return Rules.read(values)
    except (ValidationError, TypeError) as error:
        raise Refused("policy-unsound", key=_at_fault(error)) from None


async def rules_now(runtime: "Runtime", unit: str, zone: str, now: datetime) -> Rules:
    """The rules in force at ``now``, in the unit's time zone."""
    return await rules_for(runtime, unit, day_at(now, zone))


def _at_fault(error: ValidationError | TypeError) -> str:
    """The policy that is wrong; what is no list of lines at all fails before its name is known."""
    named = error.errors()[0]["loc"][0] if isinstance(error, ValidationError) else "lines"
    return f"volunteers.{named if named in NAMES else 'lines'}"
