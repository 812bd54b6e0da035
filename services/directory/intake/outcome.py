"""What became of the records of a portion."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from services.chassis.context import Context
from services.chassis.errors import Busy, Problem, Unavailable
from services.chassis.http.imports import Counts
from services.directory.domain.imports import Advance, Failure
from services.kernel.events import Refused

AT_ONCE = 128  # writes under way; the next group leaves as soon as one has returned


@dataclass
class Outcome:
    """Counts of records, and the rows that the register refused."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failures: list[Failure] = field(default_factory=list)

    def count(self, what: str) -> None:
        """One more of ``created``, ``changed`` or ``unchanged``."""
        setattr(self, what, getattr(self, what) + 1)

    def counts(self) -> Counts:
        """The figures alone."""
        return Counts(
            created=self.created, changed=self.changed, unchanged=self.unchanged, refused=len(self.failures)
        )

    def advance(self, portion: int, rows: int) -> Advance:
        """The command that counts the portion."""
        return Advance(
            portion, rows, self.created, self.changed, self.unchanged,
            tuple(sorted(self.failures, key=lambda failure: failure.row)),
        )  # fmt: skip


@dataclass(frozen=True)
class Steps:
    """The circumstances of an import's commands: each has a name of its own, so that a repeat takes no effect."""

    import_id: str
    context: Context
    unit: str

    def of(self, record: str, step: str) -> Context:
        """The context of one step for one record."""
        return replace(self.context, operation=f"{self.import_id}|{record}|{step}", body="", scope=None)


async def each(
    items: Iterable[Any], apply: Callable[[Any], Awaitable[None]], outcome: Outcome
) -> None:
    """Apply to every item, many at once. What the register refuses is a failure of that row; passing trouble is
    raised, so that the whole portion is tried again."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(item: Any) -> None:
        async with free:
            try:
                await apply(item)
            except (Busy, Unavailable):
                raise
            except (Refused, Problem) as refusal:
                outcome.failures.append(Failure(row=item["row"], code=refusal.code))

    done = await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
    for trouble in done:
        if trouble is not None:
            raise trouble
