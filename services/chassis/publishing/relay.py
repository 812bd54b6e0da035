"""From a service's database to Kafka: follows the change stream and publishes what each write put into ``out``.

One relay per service is active, by a lease; others stand by. It starts from the acknowledged position, publishes in the
order of the stream, and keeps a new position only when Kafka has answered for everything before it. Whatever goes
wrong, the outcome is records sent twice, never a record left out. See docs/promises/relay.md.
"""

import asyncio
import threading
import time
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog
from bson.timestamp import Timestamp
from kafka.errors import KafkaError
from prometheus_client import Counter, Gauge
from pymongo import MongoClient

from services.chassis.aggregate import Service
from services.chassis.contracts import topics
from services.chassis.contracts.wire import encode
from services.chassis.health import Health, Verdict
from services.chassis.publishing.changes import Ahead, Idle, TokenLost, following, present_token
from services.chassis.publishing.positions import Fenced, Positions, Token
from services.chassis.publishing.publisher import Publisher
from services.chassis.publishing.republish import Requests
from services.chassis.publishing.resend import Choice, resend
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, PyMongoError, is_passing
from services.chassis.storage.lease import Held, Lease, LeaseLost

LOG = structlog.get_logger()
LAG = Gauge("linli_relay_lag_seconds", "Age of the oldest change that Kafka has not answered for", ["service"])
PUBLISHED = Counter("linli_relay_published", "Events that Kafka has acknowledged", ["service", "aggregate"])
ACTIVE = Gauge("linli_relay_active", "1 where this process publishes the service's events", ["service"])
RESCANS = Counter("linli_relay_rescans", "Times every changed aggregate was read again", ["service"])

WAIT_SECONDS = 1.0  # for a change or the news that there is none
READ_AT_ONCE = 500  # changes between two looks at lease, answers and time
STORE_SECONDS = 1.0  # between two stored positions while there is progress
IDLE_STORE_SECONDS = 5.0  # while there is nothing to publish: an old token falls off the server's log
QUIET_SECONDS = 2.0  # a stream that has not been read for longer counts as lag
STUCK_SECONDS = 90.0
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


class Ground(Protocol):
    """What a relay stands on; a Runtime is one."""

    service: Service
    settings: Settings
    client: Client
    health: Health


class _Stopped(Exception):
    """Asked to stop, in the middle of a long reading."""


class Leading:
    """One holder's time as the active relay: everything here runs in one thread until stopped or shut out."""

    def __init__(self, ground: Ground, held: Held, publisher: Publisher, mongo: MongoClient[dict[str, Any]]) -> None:
        settings, service = ground.settings, ground.service
        self.stop = threading.Event()
        self._service = service.name
        self._topics = {each.name: settings.topic(service.name, each.name) for each in service.aggregates}
        self._held = held
        self._publisher = publisher
        self._database = mongo[settings.database]
        self._positions = Positions(self._database["relay"], held.fence)
        self._window = publisher.window(self._acknowledged)
        self._acked: tuple[Token, Timestamp] | None = None  # newer than what is stored
        self._idle: Idle | None = None  # newer than everything sent
        self._stored_at = self._read_at = self.moved_at = time.monotonic()
        self._count: Tally[str] = Tally()
        self._again = False

    def run(self) -> None:
        """Publish until told to stop. Raises LeaseLost when another has taken over."""
        pause = SHORTEST_PAUSE
        try:
            while self._going():
                began = time.monotonic()
                try:
                    self._lead()
                except TokenLost as lost:
                    LOG.error("relay_token_lost", owner=self._service, code=str(lost))
                    self._again = True
                except PyMongoError as error:
                    if not is_passing(error):
                        raise
                    LOG.warning("relay_waits_for_mongodb", owner=self._service, error=type(error).__name__)
                self.moved_at = time.monotonic()
                pause = min(pause * 2, LONGEST_PAUSE) if self.moved_at - began < LONGEST_PAUSE else SHORTEST_PAUSE
                self.stop.wait(pause)
        except Fenced:
            raise LeaseLost(self._service) from None
        finally:
            self._publisher.forget(self._window)
        self._held.require()

    def lag(self) -> float:
        """Seconds, callable from any thread."""
        quiet = time.monotonic() - self._read_at
        oldest = self._window.oldest()
        waited = 0.0
        if oldest is not None:
            waited, note = oldest
            if isinstance(note, tuple):
                waited = max(waited, time.time() - note[1].time)
        return max(waited, quiet if quiet > QUIET_SECONDS else 0.0)

    def _going(self) -> bool:
        return not self.stop.is_set() and self._held.valid()

    def _require(self) -> None:
        self.moved_at = time.monotonic()
        if not self._going():
            raise _Stopped

    def _lead(self) -> None:
        position = self._positions.claim()
        token = position.token
        try:
            if token is None or self._again:
                token = self._start_over(position.mark)
            self._follow(token)
            if self._held.valid():
                self._window.settle_all()
                self._store()
        except _Stopped:
            LOG.info("relay_stopped_in_rescan", owner=self._service)

    def _start_over(self, mark: datetime | None) -> Token:
        """Note where the stream stands, then send every history that changed after the mark; follow from there."""
        RESCANS.labels(self._service).inc()
        LOG.warning("relay_rescan", owner=self._service, since=mark.isoformat() if mark else "the beginning")
        opened = time.monotonic()
        token = present_token(self._database, list(self._topics))
        sent = resend(self._database, self._service, self._topics, Choice(since=mark), self._window, self._require)
        self._positions.store(token, changed=None, age=time.monotonic() - opened)
        self._again = False
        LOG.info("relay_rescanned", owner=self._service, records=sent)
        return token

    def _follow(self, token: Token) -> None:
        with following(self._database, list(self._topics), token) as changes:
            while self._going():
                self._read(changes)
                self._window.settle()
                if time.monotonic() - self._stored_at >= (STORE_SECONDS if self._acked else IDLE_STORE_SECONDS):
                    self._store()

    def _read(self, changes: Ahead) -> None:
        self.moved_at = time.monotonic()
        for _ in range(READ_AT_ONCE):
            change = changes.take(WAIT_SECONDS)
            if change is None:
                return
            self._read_at = time.monotonic()
            if isinstance(change, Idle):
                self._idle = change
                return
            self._publish(change)

    def _publish(self, change: dict[str, Any]) -> None:
        aggregate, subject, out = change["ns"]["coll"], change["documentKey"]["_id"], change["out"]
        note = (change["_id"], change["clusterTime"], aggregate)
        topic, last = self._topics[aggregate], len(out) - 1
        for index, entry in enumerate(out):
            self._window.send(topic, encode(entry, self._service, subject), note if index == last else aggregate)
        self._idle = None

    def _acknowledged(self, note: Any) -> None:
        if isinstance(note, str):
            self._count[note] += 1
            return
        token, at, aggregate = note
        self._count[aggregate] += 1
        self._acked = (token, at)

    def _store(self) -> None:
        """Keep the newest position that Kafka has answered for, if there is one that is not kept already."""
        if self._idle is not None and len(self._window) == 0:
            token, asked = self._idle
            self._positions.store(token, changed=None, age=time.monotonic() - asked)
        elif self._acked is not None:
            token, at = self._acked
            self._positions.store(token, changed=at.as_datetime(), age=0.0)
        self._acked, self._stored_at = None, time.monotonic()
        for aggregate, count in self._count.items():
            PUBLISHED.labels(self._service, aggregate).inc(count)
        self._count.clear()


class Relay:
    """One service's relay in this process: active or standing by. Several may share a process and a publisher."""

    def __init__(self, ground: Ground, publisher: Publisher | None = None) -> None:
        self._ground = ground
        self._service = ground.service.name
        self._lease = Lease(ground.client.database(ground.settings.database), "relay")
        self._publisher = publisher
        self._leading: Leading | None = None
        self._waiting_for = "the first look at Kafka and MongoDB"
        LAG.labels(self._service).set_function(self._lag)
        ACTIVE.labels(self._service).set_function(lambda: float(self._leading is not None))
        ground.health.add(f"relay {self._service}", self.ready)
        ground.health.add(f"relay {self._service} moves", self.alive, live=True)

    def ready(self) -> Verdict:
        """Whether it publishes or could take over at once, and if not: what it waits for."""
        leading = self._leading
        if not self._waiting_for and leading is not None and leading.lag() > STUCK_SECONDS:
            return False, f"the oldest change has waited for {leading.lag():.0f} s"
        return not self._waiting_for, self._waiting_for

    def alive(self) -> Verdict:
        """False when the active relay's thread has not moved for so long that only a restart can help."""
        leading = self._leading
        still = time.monotonic() - leading.moved_at if leading is not None else 0.0
        return still < STUCK_SECONDS, f"the stream has not moved for {still:.0f} s" if still >= STUCK_SECONDS else ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Stand by and publish until ``stopping`` is set. Raises what nobody expected."""
        if not self._ground.service.aggregates:
            self._waiting_for = ""
            await stopping.wait()
            return
        serving = asyncio.create_task(self._serve(stopping))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._leading is not None:
            self._leading.stop.set()  # the thread keeps its position, then _serve ends by itself
        elif not serving.done():
            serving.cancel()
        try:
            await serving
        except asyncio.CancelledError:
            if not stopping.is_set():
                raise

    async def _serve(self, stopping: asyncio.Event) -> None:
        publisher = await self._prepare()
        while not stopping.is_set():
            try:
                async with self._lease.held() as held:
                    await self._lead(held, publisher)
            except LeaseLost:
                LOG.warning("relay_stands_by", owner=self._service)
        if self._publisher is None:
            await asyncio.to_thread(publisher.close)

    async def _prepare(self) -> Publisher:
        settings = self._ground.settings
        own = topics.topics_of(settings, self._ground.service)

        async def made() -> Publisher:
            await topics.ensure(settings, own)
            await topics.ensure(settings, [topics.republish_topic(settings)], topics.relay_group_of(settings))
            if self._publisher is not None:
                return self._publisher
            return await asyncio.to_thread(Publisher, settings)

        publisher = await self._patiently(made)
        self._waiting_for = ""
        return publisher

    async def _patiently(self, made: Callable[[], Awaitable[Publisher]]) -> Publisher:
        pause = 0.2
        while True:
            try:
                return await made()
            except (KafkaError, topics.GroupBusy) as error:
                self._waiting_for = f"Kafka ({type(error).__name__})"
                LOG.warning("relay_waits_for_kafka", owner=self._service, error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _lead(self, held: Held, publisher: Publisher) -> None:
        mongo = self._ground.client.blocking()
        leading = Leading(self._ground, held, publisher, mongo)
        requests = Requests(self._ground.settings, self._ground.service, mongo, publisher, leading.stop, held)
        self._leading = leading
        threads = [asyncio.ensure_future(asyncio.to_thread(each)) for each in (leading.run, requests.run)]
        try:
            await asyncio.wait(threads, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leading.stop.set()
            try:
                await _ended(threads)
            finally:
                self._leading = None
                mongo.close()
        for thread in threads:
            thread.result()

    def _lag(self) -> float:
        leading = self._leading
        return leading.lag() if leading is not None else 0.0


async def _ended(threads: Sequence[asyncio.Future[None]]) -> None:
    """Wait for threads that were told to stop, also when cancelled meanwhile: this process must not lead twice."""
    waiting = asyncio.gather(*threads, return_exceptions=True)
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await waiting
        raise
