"""The reconciliation of one service, every few minutes in one of its workers: state, read, compare, tell.

See docs/promises/reconciliation.md.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

import structlog
from kafka.errors import KafkaError
from pydantic import ValidationError

from services.chassis.aggregate import Service
from services.chassis.contracts.topics import ensure, statements_topic, topics_of
from services.chassis.reconciling.comparing import LATER, Comparing
from services.chassis.reconciling.figures import Figures
from services.chassis.reconciling.hours import Hours, server_seconds
from services.chassis.reconciling.log import Offsets, opened
from services.chassis.reconciling.statements import STATEMENT, Page, Part
from services.chassis.reconciling.stating import Interrupted, Stating
from services.chassis.reconciling.stored import MARKS
from services.chassis.settings import Settings
from services.chassis.storage.driver import Client, Database, is_passing
from services.chassis.storage.leading import pause, while_leading
from services.chassis.storage.lease import Held

LOG = structlog.get_logger()
EVERY = 300.0  # seconds between two turns
AGAIN = 30.0  # seconds after a turn that met trouble
STATEMENTS = 20  # read at once: each is under half a megabyte
READ = "read"  # the mark that tells how far statements were read


class Ground(Protocol):
    """What the reconciliation of a service stands on; a Runtime is one."""

    service: Service
    settings: Settings
    client: Client
    database: Database


class Reconciliation:
    """One service as an owner and as a consumer. ``topics``: what it consumes. A lease lets one process work."""

    def __init__(self, ground: Ground, topics: Collection[str], hours: Hours = Hours(), later: int = LATER) -> None:
        self._ground = ground
        self._settings = ground.settings
        self._hours = hours
        own = f"{ground.settings.prefix}."
        self.sources = sorted(topic.removeprefix(own) for topic in topics)
        self._comparing = Comparing(ground.database, ground.service.name, self.sources, later)
        self._marks = ground.database.collection(MARKS)
        self.figures = Figures(ground.database, ground.service.name, self.sources, ground.service.aggregates)

    async def run(self, stopping: asyncio.Event) -> None:
        """A turn every few minutes until told to stop."""
        await self._comparing.ensure_indexes()
        await self.figures.ensure_indexes()
        await while_leading(
            self._ground.database, "reconciliation", stopping, lambda held: self._turns(held, stopping)
        )

    async def _turns(self, held: Held, stopping: asyncio.Event) -> None:
        try:
            while not stopping.is_set():
                await pause(await self._turn(lambda: held.valid() and not stopping.is_set()), stopping)
        finally:
            self.figures.forget()  # whoever holds the lease next tells them

    async def _turn(self, go_on: Callable[[], bool]) -> float:
        """One turn; returns the seconds until the next."""
        try:
            await self.once(go_on)
        except Interrupted:
            return 1.0  # by then the lease has gone, or the process stops
        except Exception as error:
            if not (is_passing(error) or isinstance(error, KafkaError)):
                raise
            LOG.warning("reconciliation_postponed", error=type(error).__name__)
            return AGAIN
        return EVERY

    async def once(self, go_on: Callable[[], bool] = lambda: True, now: int | None = None) -> None:
        """One turn. ``now``: the second up to which hours may be closed; the database's clock unless given.

        Raises Interrupted when ``go_on`` says no, KafkaError and PyMongoError.
        """
        mine = topics_of(self._settings, self._ground.service)
        await ensure(self._settings, [statements_topic(self._settings), *mine])
        now = await server_seconds(self._ground.database) if now is None else now
        await asyncio.to_thread(self._state, now, go_on)
        await self._compare(go_on)
        await self.figures.show()

    def _state(self, now: int, go_on: Callable[[], bool]) -> None:
        names = [aggregate.name for aggregate in self._ground.service.aggregates]
        with self._ground.client.blocking() as mongo:
            database = mongo[self._settings.database]
            Stating(self._settings, names, database, self._hours, go_on).once(now)

    async def _compare(self, go_on: Callable[[], bool]) -> None:
        mark = await self._marks.find_one({"_id": READ}) or {"offsets": {}}
        offsets = {int(partition): int(offset) for partition, offset in mark["offsets"].items()}
        more = True
        while more:
            if not go_on():
                raise Interrupted
            statements, offsets, more = await asyncio.to_thread(self._read, offsets, go_on)
            for statement in statements:
                await self._comparing.take(statement)
            kept = {str(partition): offset for partition, offset in offsets.items()}
            await self._marks.update_one({"_id": READ}, {"$set": {"offsets": kept}}, upsert=True)
        await self._comparing.look_again(await server_seconds(self._ground.database))

    def _read(self, offsets: Offsets, go_on: Callable[[], bool]) -> tuple[list[Part | Page], Offsets, bool]:
        """Some statements of what is consumed here, how far was read, and whether there are more."""
        found: list[Part | Page] = []
        keys = {source.encode() for source in self.sources}
        read_to = dict(offsets)
        with opened(self._settings, statements_topic(self._settings), offsets=offsets) as log:
            for record in log.records(go_on):
                read_to[record.partition] = record.offset + 1
                if record.key in keys:
                    found += self._understood(record.value)
                if len(found) >= STATEMENTS:
                    return found, read_to, True
            return found, {**read_to, **log.read_to()}, not log.at_end()

    def _understood(self, value: bytes | None) -> list[Part | Page]:
        try:
            return [STATEMENT.validate_json(value or b"")]
        except ValidationError as error:  # of a newer release: its hours are compared once this one is replaced
            LOG.error("statement_not_understood", owner=self._settings.service, errors=error.error_count())
            return []
