"""The district's decisions about volunteers, fetched and parsed."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from services.kernel.values import day_at
from services.volunteers.domain.rules import POLICIES, Rules

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime


async def rules_for(runtime: "Runtime", unit: str, day: date) -> Rules:
    """The rules in force for the unit on that day.

    Raises Refused("parameter-not-set") when the district has not decided, and Refused("policy-unsound") when what it
    decided does not make sense to this version.
    """
    policies = runtime.policies
    read = {name: await policies.read(f"volunteers.{name}", unit, day, shape) for name, shape in POLICIES.items()}
    return Rules(**read)


async def rules_now(runtime: "Runtime", unit: str, zone: str, now: datetime) -> Rules:
    """The rules in force at ``now``, in the unit's time zone."""
    return await rules_for(runtime, unit, day_at(now, zone))
