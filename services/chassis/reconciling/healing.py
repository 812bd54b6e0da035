"""What can be mended of the differences: sent again from the histories, drained, replayed. Nothing is made up, nothing
is passed over: what is refused again stays parked, and what a person must decide is left alone."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from services.chassis.catalogue import Catalogue
from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.places import Places
from services.chassis.consuming.records import WAITING
from services.chassis.consuming.rounds import Rounds
from services.chassis.health import Health
from services.chassis.publishing.relays import Ground
from services.chassis.publishing.republish import republish_from
from services.chassis.reconciling.differences import PARKED, SENT_AGAIN, Difference
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client

LOOK_EVERY = 0.2  # seconds between two looks at whether what was sent has been applied


@dataclass
class Healed:
    """What was done. ``replayed``: outcomes; ``in_time``: all that was sent again has been applied or parked."""

    sent: int = 0
    in_time: bool = True
    replayed: Counter[str] = field(default_factory=Counter)


class Healing:
    """Mends what one look has found. Raises KafkaError and PyMongoError."""

    def __init__(self, settings: Settings, catalogue: Catalogue, client: Client, patience: float) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._client = client
        self._patience = patience

    async def heal(self, differences: Sequence[Difference]) -> Healed:
        """Send again what topics or consumers lack, wait for the workers, then take again what lies parked."""
        healed = Healed()
        lost = [each for each in differences if each.where in SENT_AGAIN]
        healed.sent = await self._send_again(lost)
        healed.in_time = await self._applied([each for each in lost if each.consumer])
        by_consumer: defaultdict[str, list[Difference]] = defaultdict(list)
        for each in differences:
            if each.where == PARKED:
                by_consumer[each.consumer].append(each)
        for consumer, parked in by_consumer.items():
            healed.replayed += await self._take_again(consumer, parked)
        return healed

    async def _send_again(self, lost: Iterable[Difference]) -> int:
        firsts: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for each in lost:
            first = firsts[each.service, each.aggregate]
            first[each.subject] = min(each.sequence, first.get(each.subject, each.sequence))
        sent = 0
        for (service, aggregate), from_seqs in firsts.items():
            own = replace(self._settings, service=service)
            ground = Ground(self._catalogue.load(service), own, self._client, Health(service))
            sent += await republish_from(ground, aggregate, from_seqs)
        return sent

    async def _applied(self, lost: Iterable[Difference]) -> bool:
        """Wait until the workers have applied these; False when they have not within the patience."""
        wanted: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for each in lost:
            own = wanted[each.consumer]
            own[each.subject] = max(each.sequence, own.get(each.subject, 0))
        limit = time.monotonic() + self._patience
        while wanted:
            for consumer in list(wanted):
                wanted[consumer] = await self._still(consumer, wanted[consumer])
                if not wanted[consumer]:
                    del wanted[consumer]
            if wanted and time.monotonic() > limit:
                return False
            await asyncio.sleep(LOOK_EVERY if wanted else 0)
        return True

    async def _still(self, consumer: str, wanted: dict[str, int]) -> dict[str, int]:
        database = self._client.database(replace(self._settings, service=consumer).database)
        places = await Places(database, consumer).read(wanted)
        # What was parked instead needs no more waiting: it is told with its reason.
        return {
            subject: seq
            for subject, seq in wanted.items()
            if places[subject].seq < seq and places[subject].blocked != places[subject].seq + 1
        }

    async def _take_again(self, consumer: str, parked: Sequence[Difference]) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        runtime = Runtime(self._catalogue.load(consumer), replace(self._settings, service=consumer))
        await runtime.start()
        try:
            rounds = Rounds(runtime, reactions_of(runtime.service), fatal=False)
            for each in sorted(parked, key=lambda one: (one.subject, one.sequence)):
                if each.reason in WAITING:
                    await rounds.drain(each.subject)
                else:
                    outcome = await rounds.replay(each.row)
                    outcomes["applied" if outcome == "absent" else outcome] += 1  # absent: what was sent again did it
        finally:
            await runtime.stop()
        return outcomes
