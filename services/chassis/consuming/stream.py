"""The one faust agent of a worker: every topic of the service, raw bytes, nothing acknowledged that was not done.

faust-streaming 0.15.3 loses messages in its documented use: when a handler raises, when an agent is cancelled, with
``concurrency`` above 1 or with typed topics and an undecodable value, what was not done is acknowledged and committed.
Here the stream acknowledges nothing by itself (``enable_acks``), the handler never lets go of a batch that is not
settled, and every record is acknowledged in order after it. See docs/promises/applied-once.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import faust
import structlog
from faust.exceptions import ConsumerNotStarted
from prometheus_client import Histogram

from services.chassis.consuming.lag import Partition
from services.chassis.consuming.patience import Hold, Stopping
from services.chassis.consuming.records import Received
from services.chassis.contracts.topics import group_of
from services.chassis.settings import Settings

LOG = structlog.get_logger()
BATCH = Histogram(
    "linli_batch_events", "Events of one batch", ["consumer"], buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
MOST = 256  # records of a batch: whatever came while the one before was settled, at once
COMMIT_SECONDS = 0.5
SESSION_SECONDS, HEARTBEAT_SECONDS = 10.0, 2.0
LET_GO_SECONDS = 10.0  # to finish the batch in hand when the process is told to stop
CLOSE_SECONDS = 10.0

Settle = Callable[[Sequence[Received]], Awaitable[None]]


class ConsumerFailed(Exception):
    """faust's consumer ended by itself; the process ends with it and starts again at the first undone event."""


class _App(faust.App):
    """faust without its folders on disk, and without waiting for a batch that is being held."""

    held: asyncio.Event
    closing = False  # what is buffered was not begun: nobody waits for it

    def _create_directories(self) -> None:
        """Nothing is stored locally."""

    async def _consumer_wait_empty(self, consumer: Any, logger: Any) -> None:
        """At a rebalance, let the batch in hand be settled, so that the next owner need not take it again.

        Not while it is held: the others of the group must not wait for our MongoDB. What is taken twice is dropped.
        """
        if self.closing:
            return
        waiting = asyncio.ensure_future(super()._consumer_wait_empty(consumer, logger))
        held = asyncio.ensure_future(self.held.wait())
        await asyncio.wait({waiting, held}, return_when=asyncio.FIRST_COMPLETED)
        held.cancel()
        if waiting.done():
            waiting.result()
        else:
            waiting.cancel()


class Stream:
    """Hands batches of records to ``settle`` and acknowledges them when it returns."""

    def __init__(
        self,
        settings: Settings,
        topics: Sequence[str],
        hold: Hold,
        settle: Settle,
        let_go: float = LET_GO_SECONDS,
    ) -> None:
        self._settle = settle
        self._let_go = let_go
        self._hold = hold
        self._batches = BATCH.labels(settings.service)
        self._idle = asyncio.Event()
        self._idle.set()
        self._waiting: list[Any] = []  # faust's events that were not begun
        self._came, self._taken = asyncio.Event(), asyncio.Event()
        self.ended = asyncio.Event()  # no batch follows
        self._app = _app(settings)
        self._app.held = hold.began
        topic = self._app.topic(
            *topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        self._app.agent(topic, name="guard", concurrency=1)(self._guard)

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until told to stop. Raises ConsumerFailed and what ``settle`` raises."""
        await self._app.start()
        settling = asyncio.ensure_future(self._settling())
        ends = [
            asyncio.ensure_future(stopping.wait()),
            asyncio.ensure_future(self._app._crashed.wait()),
            settling,
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._close()
            for end in ends:
                end.cancel()
        if settling.done() and not settling.cancelled():
            settling.result()
        if self._app.crashed:
            raise ConsumerFailed(type(self._app.crash_reason).__name__) from self._app.crash_reason

    def assignment(self) -> list[Partition]:
        """The partitions this worker has now."""
        try:
            return sorted((each.topic, each.partition) for each in self._app.consumer.assignment())
        except ConsumerNotStarted:
            return []

    async def _guard(self, stream: Any) -> None:
        stream.enable_acks = False  # whatever ends this loop: only what we acknowledge is committed
        async for event in stream.events():
            self._waiting.append(event)
            self._came.set()
            if len(self._waiting) >= MOST:
                self._taken.clear()
                await self._taken.wait()

    async def _settling(self) -> None:
        """Batch after batch, each settled and acknowledged before the next. Raises what ``settle`` raises."""
        try:
            while not self._hold.stopped:
                await self._came.wait()
                self._came.clear()
                while self._waiting and not self._hold.stopped:
                    events, self._waiting = self._waiting, []
                    self._taken.set()
                    await self._settled(events)
        except Stopping:
            return
        finally:
            self.ended.set()

    async def _settled(self, events: Sequence[Any]) -> None:
        self._idle.clear()
        try:
            self._batches.observe(len(events))
            await self._settle([event.message for event in events])
            for event in events:
                event.ack()
        finally:
            self._idle.set()

    async def _close(self) -> None:
        """Finish the batch in hand, commit, leave the group; or give it up, which is always safe."""
        self._hold.stop()
        try:
            await asyncio.wait_for(self._idle.wait(), self._let_go)
        except TimeoutError:
            LOG.warning("batch_given_up")
        self._app.closing = True
        try:
            await asyncio.wait_for(self._app.stop(), CLOSE_SECONDS)
        except TimeoutError:
            LOG.warning("consumer_left_open")


def _app(settings: Settings) -> _App:
    return _App(
        group_of(settings),
        broker=[f"kafka://{server}" for server in settings.kafka.split(",")],
        broker_client_id=f"{settings.prefix}.{settings.service}.worker",
        broker_commit_interval=COMMIT_SECONDS,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        broker_request_timeout=SESSION_SECONDS * 2,
        consumer_auto_offset_reset="none",
        processing_guarantee="at_least_once",
        stream_wait_empty=True,
        table_standby_replicas=0,  # no tables: with 0 the group has an assignment that any client can read
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
    )
