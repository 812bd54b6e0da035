"""The events of one aggregate in one batch, in order: dropped, applied, or parked."""

from collections.abc import Sequence
from dataclasses import replace

from services.chassis.consuming.applying import Applying
from services.chassis.consuming.breaker import Breaker
from services.chassis.consuming.parked import Parked
from services.chassis.consuming.patience import Hold
from services.chassis.consuming.places import Place
from services.chassis.consuming.records import LASTING, Fault, Item, item_of

GAP = Fault("gap", "earlier-event-missing", "ce_sequence")
BEHIND = Fault("behind", "earlier-event-parked", "ce_sequence")
FORKED = Fault("forked", "another-event-under-this-sequence", "ce_sequence")
BEHIND_FORK = Fault("behind", "history-forked", "ce_sequence")


class Chain:
    """What happens to one aggregate's events, from the place that was read to the place that is to be written.

    Nothing is written here but the effects: ``Rounds`` writes rows and places for all chains together.
    """

    def __init__(
        self, subject: str, items: Sequence[Item], place: Place, applying: Applying, parked: Parked,
        breaker: Breaker, hold: Hold,
    ) -> None:  # fmt: skip
        self.subject = subject
        self.before = place
        self.after = place.copy()
        self.items = items
        self.to_park: dict[str, tuple[Item, Fault]] = {}
        self.settled: list[Item] = []  # what is applied or was before: to be forgotten if it is parked
        self.applied: list[str] = []  # types
        self.repeated = 0
        self.interrupted = False  # the breaker opened before all was done
        self._applying, self._parked, self._breaker, self._hold = applying, parked, breaker, hold

    async def run(self) -> None:
        """Take the events one after the other, then what lies parked directly behind the place."""
        for item in self.items:
            self.interrupted = self.interrupted or self._breaker.open
            if self.interrupted:
                return
            await self._take(item)
        if not (self.items and self._is_blocked()):
            await self._drain()

    async def _drain(self) -> None:
        asked = not self.items  # by a command: the place may not tell yet what has been parked this moment
        while (asked or self.after.waits()) and not self.after.forked and not self._breaker.open:
            item = await self._next_parked()
            if item is None or (self._is_blocked() and not item.discarded) or not await self._proceed(item):
                return

    def _is_blocked(self) -> bool:
        """Whether the next event is here and could not be processed: it is tried again by replay only."""
        return self.after.blocked == self.after.seq + 1

    async def _take(self, item: Item) -> None:
        place = self.after
        if item.seq <= place.seq:
            self._drop(item)
        elif place.forked:
            self._park(item, BEHIND_FORK)
        elif item.seq > place.seq + 1:
            self._park(item, BEHIND if self._is_blocked() else GAP)
        else:
            await self._proceed(item)

    def _drop(self, item: Item) -> None:
        place = self.after
        if item.seq == place.seq and place.last_id not in ("", item.id):
            place.forked = item.seq
            self._park(item, FORKED)
            return
        self.repeated += 1
        self.settled.append(item)

    async def _proceed(self, item: Item) -> bool:
        """Apply the next event and move the place; or park it and say no."""
        reacts = not item.discarded and self._applying.reacts(item)
        fault = await self._applying.apply(item) if reacts else None
        if fault is not None:
            self._fail(item, fault)
            return False
        if reacts:
            self._breaker.passed()
            self.applied.append(item.type)
        self.after.seq = item.seq
        self.after.last_id = "" if item.discarded else item.id
        if self.to_park:
            self.to_park.pop(item.row, None)
        self.settled.append(item)
        return True

    def _fail(self, item: Item, fault: Fault) -> None:
        counts = fault.reason in LASTING or fault.reason == "trouble"
        if counts and self._breaker.open:  # others of the batch opened it meanwhile: not one more is parked
            self.interrupted = True
            return
        self._park(item, fault)
        self.after.blocked = item.seq
        if counts:
            self._breaker.parked(fault.code)

    def _park(self, item: Item, fault: Fault) -> None:
        _, earlier = self.to_park.get(item.row, (item, None))
        if earlier is not None:  # delivered twice in one batch
            fault = replace(fault, tries=fault.tries + earlier.tries)
        self.to_park[item.row] = (item, fault)
        self.after.parked = max(self.after.parked, item.seq)

    async def _next_parked(self) -> Item | None:
        """The event that follows the place, from this batch or from the store."""
        wanted = self.after.seq + 1
        for item, _ in self.to_park.values():
            if item.seq == wanted:
                return item
        rows = await self._hold.through(lambda: self._parked.at(self.subject, wanted))
        return item_of(rows[0]) if rows else None
