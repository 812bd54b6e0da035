"""What one process of a service stands on, put together in one place."""

from typing import Any

from services.chassis.aggregate import Service
from services.chassis.callers.access import Access
from services.chassis.callers.clients import Peers
from services.chassis.clocks.clock import Clock
from services.chassis.districts.policies import Policies
from services.chassis.districts.units import Units
from services.chassis.health import Health
from services.chassis.personal.sealing import Sealing
from services.chassis.publishing.positions import published_to
from services.chassis.settings import Settings
from services.chassis.storage.driver import Backend, Client, Database, PyMongoError, connect
from services.chassis.storage.history import History
from services.chassis.telemetry import measure_skew


class Runtime:
    """The parts of one process, made without touching the network; ``start`` connects them."""

    def __init__(self, service: Service, settings: Settings, backend: Backend = "motor") -> None:
        self.service = service
        self.settings = settings
        self.client: Client = connect(settings.mongo, backend)
        self.database: Database = self.client.database(settings.database)
        self.health = Health(service.name)
        self.clock = Clock(self.client, settings)
        self.sealing = Sealing(self.client, self.database, settings)
        self.units = Units(self.database, tuple(aggregate.name for aggregate in service.aggregates))
        self.policies = Policies(self.database, self.units)
        self.access = Access(settings, service.permissions)
        self.peers = Peers(settings)
        self.histories: dict[str, History[Any]] = {
            aggregate.name: History(aggregate, self.database, self.units, self.sealing)
            for aggregate in service.aggregates
        }

    async def start(self) -> None:
        """Reach MongoDB, make indexes, begin what runs beside the requests."""
        self.health.add("mongodb", self._mongodb)
        if self.service.aggregates:
            self.health.published = lambda: published_to(self.database)
        await self.client.ping()
        await self._ensure_indexes()
        await self.clock.start()
        await self.sealing.start()
        if self.service.prepare:
            await self.service.prepare(self)

    async def stop(self) -> None:
        """Finish what was accepted, then let go."""
        for history in self.histories.values():
            await history.drain()
        await self.access.stop()
        await self.peers.stop()
        await self.sealing.stop()
        await self.clock.stop()
        await self.client.close()

    async def _ensure_indexes(self) -> None:
        for aggregate in self.service.aggregates:
            history = self.histories[aggregate.name]
            scoped = tuple(("scope", *names) for names in aggregate.indexes)
            own = (("next_due",), ("changed",), ("unit",))
            await history.collection.ensure_indexes(*scoped, *aggregate.unscoped_indexes, *own)
            await history.archive.ensure_indexes()
        for name, indexes in self.service.indexes.items():
            await self.database.collection(name).ensure_indexes(*indexes)
        await self.units.ensure_indexes()
        await self.policies.ensure_indexes()

    async def _mongodb(self) -> tuple[bool, str]:
        try:
            await measure_skew(self.database)
        except PyMongoError as error:
            return False, f"MongoDB does not answer ({type(error).__name__})"
        return True, ""
