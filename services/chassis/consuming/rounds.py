"""Applied once, in order: what the consumer guard does with a batch of records, and with a parked one.

The order of writes is: effects, parked rows, places, forgotten rows; the caller acknowledges last. A process that ends
anywhere in between does the same again. Places are written guarded by what was read, so a worker, a second worker that
still holds the partition for a moment, and a replay by command may all work at once: whoever comes second reads again
and takes its events once more, which then are repeats. See docs/promises/applied-once.md.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter as Metric

from services.chassis.consuming.applying import PATIENCE, Applying
from services.chassis.consuming.breaker import Breaker
from services.chassis.consuming.chain import Chain
from services.chassis.consuming.parked import Parked
from services.chassis.consuming.patience import Hold
from services.chassis.consuming.places import Move, Place, Places
from services.chassis.consuming.reactions import Reactions
from services.chassis.consuming.records import WAITING, Fault, Item, Received, item_of

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

LOG = structlog.get_logger()
CONCURRENT = 256  # aggregates at once
APPLIED = Metric("linli_events_applied_total", "Events that took effect", ["consumer", "type"])
REPEATED = Metric("linli_events_repeated_total", "Events dropped because they were applied before", ["consumer"])
PARKED = Metric("linli_events_parked_total", "Events parked", ["consumer", "reason"])


class Rounds:
    """Applies batches of one consumer. ``fatal=False`` is for commands: what nobody expected parks the event."""

    def __init__(
        self,
        runtime: "Runtime",
        reactions: Reactions,
        *,
        hold: Hold | None = None,
        breaker: Breaker | None = None,
        patience: float = PATIENCE,
        fatal: bool = True,
    ) -> None:
        self.consumer = runtime.service.name
        self.hold = hold or Hold()
        self.breaker = breaker or Breaker()
        self.places = Places(runtime.database, self.consumer)
        self.parked = Parked(runtime.database)
        self.applying = Applying(runtime, reactions, self.hold, patience=patience, fatal=fatal)

    async def start(self) -> None:
        """Indexes, and what earlier processes died on."""
        await self.parked.ensure_indexes()
        await self.applying.crashes.load()

    async def take(self, records: Sequence[Received]) -> bool:
        """Settle every record; False when the breaker opened before that. Raises Stopping and Crash."""
        chains: dict[str, list[Item]] = {}
        loose: list[Item] = []
        for record in records:
            item = Item(record)
            if item.subject:
                chains.setdefault(item.subject, []).append(item)
            else:
                loose.append(item)
        if loose:
            await self._park_loose(loose)
        return await self._settle_all(chains)

    async def replay(self, row: str) -> str:
        """Take a parked record again, and what waits behind it.

        Returns ``applied``, ``parked`` (again), ``waiting`` (an earlier event is missing or parked) or ``absent``.
        """
        document = await self.parked.get(row)
        if document is None:
            return "absent"
        item = item_of(document)
        if not item.subject:
            await self._park_loose([item])
            return "parked"
        await self._settle_all({item.subject: [item]})
        if item.row != row:  # a newer release reads more of it than the one that parked it
            await self.parked.forget([row])
        now = await self.parked.get(item.row)
        if now is None:
            return "applied"
        return "waiting" if now["reason"] in WAITING else "parked"

    async def discard(self, row: str, by: str, why: str) -> str:
        """Pass a parked record over for good, recorded with who and why; what waits behind it goes on.

        Returns ``discarded``, ``waiting`` (it will be passed over when its turn comes) or ``absent``.
        """
        document = await self.parked.get(row)
        if document is None or not await self.parked.mark_discarded(row, by, why):
            return "absent"
        subject = document["subject"]
        if not subject or document["seq"] <= (await self.places.of(subject)).seq:
            if subject and document["reason"] == "forked":
                await self._end_fork(subject)
            await self.parked.forget([row])
        if subject:
            await self.drain(subject)
        return "waiting" if await self.parked.get(row) else "discarded"

    async def drain(self, subject: str) -> None:
        """Take what lies parked directly behind the place of an aggregate."""
        await self._settle_all({subject: []})

    async def _end_fork(self, subject: str) -> None:
        while True:
            before = await self.places.of(subject)
            after = before.copy()
            after.forked = 0
            if not await self.places.move([Move(subject, before, after)]):
                return

    async def _park_loose(self, items: list[Item]) -> None:
        """Records that name no aggregate: kept under their coordinates; nothing waits behind them."""
        faults = [(item, item.fault or Fault("undecodable")) for item in items]
        await self.hold.through(lambda: self.parked.keep(faults))
        for _, fault in faults:
            self.breaker.parked(fault.code)
        self._count_parked(faults)

    async def _settle_all(self, chains: dict[str, list[Item]]) -> bool:
        again = False
        complete = True
        while chains:
            places = await self.hold.through(partial(self.places.read, list(chains)))
            round_ = [self._chain(subject, items, places[subject]) for subject, items in chains.items()]
            await self._run(round_)
            lost = await self._write(round_, again)
            complete = complete and not any(chain.interrupted for chain in round_)
            chains = {subject: items for subject, items in chains.items() if subject in lost}
            again = True
        return complete

    def _chain(self, subject: str, items: Sequence[Item], place: Place) -> Chain:
        return Chain(subject, items, place, self.applying, self.parked, self.breaker, self.hold)

    async def _run(self, chains: list[Chain]) -> None:
        remaining = iter(chains)

        async def runner() -> None:
            for chain in remaining:
                await chain.run()

        tasks = [asyncio.create_task(runner()) for _ in range(min(len(chains), CONCURRENT))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()

    async def _write(self, chains: list[Chain], again: bool) -> set[str]:
        """Rows, places, forgotten rows. Returns the aggregates to take again: somebody else moved their place."""
        to_park = [each for chain in chains for each in chain.to_park.values()]
        await self.hold.through(lambda: self.parked.keep(to_park))
        # A row parked on an outdated place would lie there for ever: whoever parks makes sure of the place.
        moves = [Move(chain.subject, chain.before, chain.after, certain=bool(chain.to_park)) for chain in chains]
        lost = await self.hold.through(lambda: self.places.move(moves))
        kept = [chain for chain in chains if chain.subject not in lost]
        forget = [item.row for chain in kept if again or chain.before.parked for item in chain.settled]
        await self.hold.through(lambda: self.parked.forget(forget))
        self._count(kept)
        return lost

    def _count(self, chains: list[Chain]) -> None:
        applied = Counter(kind for chain in chains for kind in chain.applied)
        for kind, number in applied.items():
            APPLIED.labels(self.consumer, kind).inc(number)
        repeated = sum(chain.repeated for chain in chains)
        if repeated:
            REPEATED.labels(self.consumer).inc(repeated)
        for chain in chains:
            if chain.to_park:
                self._count_parked(list(chain.to_park.values()))

    def _count_parked(self, parked: list[tuple[Item, Fault]]) -> None:
        for item, fault in parked:
            PARKED.labels(self.consumer, fault.reason).inc()
            if fault.reason not in WAITING:
                tell = LOG.error if fault.reason == "forked" else LOG.warning
                tell("event_parked", reason=fault.reason, code=fault.code, field=fault.field, row=item.row)
