"""The district's decisions, fetched and parsed once for many requests."""

import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from services.chassis.districts.policies import InForce, read_as
from services.complaints.domain.rules import POLICIES, Rules
from services.kernel.values import day_at

if TYPE_CHECKING:
    from services.chassis.districts.policies import Policies
    from services.chassis.runtime import Runtime

FRESH = 1.0  # seconds for which an answer is used again; the policies themselves may be some seconds old
MOST = 256  # parsed rules and answers that are remembered


class Rulebook:
    """Parsed rules by unit and day. Parsing takes milliseconds, so equal policies are parsed once."""

    def __init__(self, policies: "Policies") -> None:
        self._policies = policies
        self._fresh: dict[tuple[str, date], tuple[float, Rules]] = {}
        self._parsed: list[tuple[list[Any], Rules]] = []

    async def of(self, unit: str, day: date) -> Rules:
        """The rules in force for the unit on that day.

        Raises Refused("parameter-not-set") when the district has not decided, and Refused("policy-unsound") when what
        it decided does not make sense to this version.
        """
        found = self._fresh.get((unit, day))
        if found is not None:
            if found[0] > time.monotonic():
                return found[1]
            self._fresh[(unit, day)] = (time.monotonic() + FRESH, found[1])  # the others need not wait while one looks
        rules = self._rules([await self._policies.in_force(f"complaints.{name}", unit, day) for name in POLICIES])
        if len(self._fresh) >= MOST:
            self._fresh.clear()
        self._fresh[(unit, day)] = (time.monotonic() + FRESH, rules)
        return rules

    def _rules(self, decided: list[InForce]) -> Rules:
        values = [one.value for one in decided]
        for known, rules in self._parsed:
            if known == values:
                return rules
        named = zip(POLICIES.items(), decided, strict=True)
        rules = Rules.of({name: read_as(shape, f"complaints.{name}", one) for (name, shape), one in named})
        self._parsed = [(values, rules), *self._parsed[: MOST - 1]]
        return rules


_BOOKS: "WeakKeyDictionary[Runtime, Rulebook]" = WeakKeyDictionary()


async def rules_for(runtime: "Runtime", unit: str, day: date) -> Rules:
    """The rules for a concern of ``unit`` opened on ``day``."""
    book = _BOOKS.get(runtime)
    if book is None:
        book = _BOOKS[runtime] = Rulebook(runtime.policies)
    return await book.of(unit, day)


async def rules_now(runtime: "Runtime", unit: str, zone: str, now: datetime) -> Rules:
    """The rules for a concern that is opened at ``now``, in the unit's time zone."""
    return await rules_for(runtime, unit, day_at(now, zone))
