"""The consumer guard of a service's worker: the only way events come in.

It makes topics and first offsets before it starts, stands still while MongoDB or Kafka is away, parks what cannot be
processed, stops when too much is parked, and says all of that on the health page. See docs/promises/nothing-stuck.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from kafka.errors import KafkaError
from prometheus_client import Gauge

from services.chassis.consuming.applying import PATIENCE
from services.chassis.consuming.breaker import Breaker, Limits
from services.chassis.consuming.breakers import Breakers
from services.chassis.consuming.complete import Watermark
from services.chassis.consuming.gaps import AGAIN, EVERYTHING, OLDER, Gaps, ask_owners
from services.chassis.consuming.lag import Group, Movement, Partition, Standing
from services.chassis.consuming.patience import Hold, Stopping, is_away, pause_after
from services.chassis.consuming.reactions import Reactions
from services.chassis.consuming.records import Received
from services.chassis.consuming.rounds import Rounds
from services.chassis.consuming.stream import Stream
from services.chassis.contracts.topics import GroupBusy, LostRange, ensure, group_of, republish_topic
from services.chassis.districts.policies import policy_reactions
from services.chassis.districts.units import unit_reactions
from services.chassis.publishing.republish import Request

if TYPE_CHECKING:
    from services.chassis.aggregate import Service
    from services.chassis.runtime import Runtime
    from services.chassis.settings import Settings

LOG = structlog.get_logger()
T = TypeVar("T")
OPEN = Gauge("linli_breaker_open", "1 while the breaker has stopped the stream", ["consumer"])
HELD = Gauge("linli_parked_events", "Events that lie parked", ["consumer"])
LAG = Gauge("linli_consumer_lag", "Events that wait in a partition", ["topic", "partition"])
LOST = Gauge("linli_events_lost", "Offsets that Kafka dropped before they were applied", ["consumer"])


@dataclass(frozen=True)
class Tuning:
    """What tests and operators may want otherwise. Seconds where nothing else is said."""

    limits: Limits = field(default_factory=Limits)
    patience: float = PATIENCE
    stuck_after: float = 120.0
    look_every: float = 5.0
    replay_every: float = 1.0
    gap_older: timedelta = OLDER
    gap_again: timedelta = AGAIN


def reactions_of(service: "Service") -> Reactions:
    """What a service reacts to: its own, and what every service does with the directory's units and policies."""
    reactions = Reactions(service.name)
    reactions.include(unit_reactions(service.name), "units")
    reactions.include(policy_reactions(service.name), "policies")
    if service.reactions is not None:
        reactions.include(service.reactions, service.name)
    return reactions


class Guard:
    """Runs in a worker, once. ``reactions`` are the service's own and the chassis', unless given."""

    def __init__(
        self, runtime: "Runtime", reactions: Reactions | None = None, tuning: Tuning | None = None
    ) -> None:
        self._runtime = runtime
        self._settings: Settings = runtime.settings
        self._tuning = tuning or Tuning()
        reactions = reactions or reactions_of(runtime.service)
        self._topics = reactions.topics(self._settings)
        self._hold = Hold()
        self._breaker = Breaker(self._tuning.limits)
        self._breakers = Breakers(runtime.database, runtime.service.name)
        self.rounds = Rounds(
            runtime, reactions, hold=self._hold, breaker=self._breaker, patience=self._tuning.patience
        )
        self._group = Group(self._settings, self._topics)
        self._watermark = Watermark(runtime, self._topics)
        self._gaps = Gaps(self._settings, self.rounds, self._tuning.gap_older, self._tuning.gap_again)
        self._movement = Movement(self._tuning.stuck_after)
        self._stream: Stream | None = None
        self._standing: Standing | None = None
        self._kafka = "the consumer has not started"
        self._stuck: list[Partition] = []
        self._resume = f"python -m services parked resume --service {runtime.service.name}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until told to stop. Raises what must end the process with code 70."""
        if not self._topics:
            await stopping.wait()
            return
        self._runtime.health.add("events", self.ready)
        self._runtime.health.add("progress", self.live, live=True)
        OPEN.labels(self.rounds.consumer).set(0)
        letting_go = asyncio.create_task(self._let_go(stopping))
        try:
            await self._prepare()
            self._stream = Stream(self._settings, self._topics, self._hold, self._settle)
            await self._run_beside(self._stream, stopping)
        except Stopping:
            LOG.info("stopped_while_waiting")
        finally:
            letting_go.cancel()
            await asyncio.to_thread(self._group.close)

    def ready(self) -> tuple[bool, str]:
        """Whether events are being taken, and if not: why."""
        if self._breaker.open:
            return False, f"{self._breaker.reason}; mend it, then restart or run: {self._resume}"
        for reason in (self._hold.reason, self._kafka):
            if reason:
                return False, reason
        unassigned = self._standing.unassigned if self._standing else []
        if unassigned:
            return False, f"{len(unassigned)} partitions have no worker, the first is {_named(unassigned[0])}"
        return True, ""

    def live(self) -> tuple[bool, str]:
        """Fails when events wait, nothing moves and nobody knows why: a restart is safe and may help."""
        if self._stuck:
            return False, f"{_named(self._stuck[0])} has not moved for {self._tuning.stuck_after:g} s"
        return True, ""

    async def _run_beside(self, stream: Stream, stopping: asyncio.Event) -> None:
        """The stream, and what looks after it; the first that fails ends all."""
        ending = asyncio.Event()
        tasks: list[asyncio.Future[Any]] = [
            asyncio.create_task(stream.run(ending)),
            asyncio.create_task(self._again_and_again(self._look, self._look_pause)),
            asyncio.create_task(self._again_and_again(self._gaps.replay_due, lambda: self._tuning.replay_every)),
        ]
        stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
        done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        stop.cancel()
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks[1:], return_exceptions=True)
        await tasks[0]
        for task in done:
            task.result()

    async def _settle(self, records: Sequence[Received]) -> None:
        while not await self.rounds.take(records):
            await self._stand_still()

    async def _stand_still(self) -> None:
        """The breaker is open: wait until somebody closes it by command, or the process ends."""
        consumer = self.rounds.consumer
        LOG.error("breaker_open", reason=self._breaker.reason)
        OPEN.labels(consumer).set(1)
        with self._hold.waiting(self._breaker.reason):
            await self._hold.through(lambda: self._breakers.opened(self._breaker.reason))
            while not await self._hold.through(self._breakers.closed):
                await self._hold.pause(1.0)
        self._breaker.close()
        OPEN.labels(consumer).set(0)
        LOG.info("breaker_closed")

    async def _prepare(self) -> None:
        """Topics, first offsets, indexes; waits for whatever is away."""
        await self._hold.through(self.rounds.start)
        await self._until_kafka_answers(lambda: ensure(self._settings, [republish_topic(self._settings)]))
        lost = await self._until_kafka_answers(
            lambda: ensure(self._settings, self._topics, group_of(self._settings))
        )
        if lost:
            await self._mourn(lost)
        self._kafka = "the consumer has not been given its partitions yet"

    async def _mourn(self, lost: Sequence[LostRange]) -> None:
        """Kafka dropped what was never applied: say so, ask the owners for all, go on at the log's start."""
        LOST.labels(self.rounds.consumer).set(sum(each.start - each.committed for each in lost))
        for each in lost:
            LOG.error(
                "events_lost", topic=each.topic, partition=each.partition, committed=each.committed, start=each.start
            )
        owners = {tuple(each.topic.removeprefix(f"{self._settings.prefix}.").split(".", 1)) for each in lost}
        requests = [Request(service=owner[0], aggregate=owner[1], subject=EVERYTHING) for owner in sorted(owners)]
        await self._until_kafka_answers(lambda: ask_owners(self._settings, requests))
        await self._until_kafka_answers(lambda: asyncio.to_thread(self._group.move_to_start, lost))

    async def _until_kafka_answers(self, act: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            try:
                return await act()
            except (KafkaError, GroupBusy) as error:
                self._kafka = f"Kafka is away ({type(error).__name__})"
                LOG.warning("waiting_for_kafka", error=type(error).__name__)
            await self._hold.pause(pause_after(attempt))
            attempt += 1

    async def _let_go(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._hold.stop()

    def _look_pause(self) -> float:
        return self._tuning.look_every if self.ready()[0] else min(0.5, self._tuning.look_every)

    async def _again_and_again(self, act: Callable[[], Awaitable[None]], pause: Callable[[], float]) -> None:
        while True:
            try:
                await act()
            except Stopping:
                return
            except KafkaError as error:
                self._kafka = f"Kafka is away ({type(error).__name__})"
            except Exception as error:
                if not is_away(error):
                    raise
                LOG.warning("look_postponed", error=type(error).__name__)
            await asyncio.sleep(pause())

    async def _look(self) -> None:
        """Lag, assignment, movement, completeness, gaps."""
        heard = await self._watermark.heard()
        standing = await asyncio.to_thread(self._group.look)
        self._standing, self._kafka = standing, ""
        for (topic, partition), lag in standing.lag().items():
            LAG.labels(topic, partition).set(lag)
        mine = self._stream.assignment() if self._stream and not self._hold.reason else []
        self._stuck = self._movement.stuck(standing, mine)
        parked = await self.rounds.parked.count()
        HELD.labels(self.rounds.consumer).set(parked)
        await self._watermark.note(heard, standing, parked)
        await self._gaps.look()


def _named(partition: Partition) -> str:
    return f"{partition[0]}/{partition[1]}"
