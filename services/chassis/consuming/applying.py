"""One event to its reactions: what is wrong with it, what is tried again, what stops the process."""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import structlog
from prometheus_client import Counter
from pydantic import ValidationError

from services.chassis.consuming.crashes import MOST, Crashes
from services.chassis.consuming.patience import Hold, is_away, pause_after
from services.chassis.consuming.reactions import Doing, Reaction, Reactions
from services.chassis.consuming.records import Fault, Item
from services.chassis.contracts.wire import Envelope
from services.chassis.errors import Busy, Conflict, Problem, Unavailable
from services.chassis.storage.together import Together
from services.chassis.telemetry import TRAIL, Trail, continued
from services.kernel.events import Refused

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

LOG = structlog.get_logger()
RETRIED = Counter("linli_events_retried_total", "Reactions tried again after passing trouble", ["consumer"])
PATIENCE = 30.0  # seconds of passing trouble until the event is parked
# What another topic, or another aggregate of the same one, has yet to tell: the order of topics is not promised.
EARLY = frozenset({"unit-unknown", "parameter-not-set", "not-found"})
CONTENDED = frozenset({Conflict.code, "contended"})


class Crash(Exception):
    """A reaction raised what nobody expected: the process ends with code 70 and starts again at this event."""


class Applying:
    """Runs the reactions of one service. ``fatal``: what nobody expected ends the process; else it is a fault."""

    def __init__(
        self,
        runtime: "Runtime",
        reactions: Reactions,
        hold: Hold,
        *,
        patience: float = PATIENCE,
        fatal: bool = True,
    ) -> None:
        self._runtime = runtime
        self._reactions = reactions
        self._hold = hold
        self._patience = patience
        self._fatal = fatal
        self._writes = Together(runtime.database)
        self._retried = RETRIED.labels(runtime.service.name)
        self.crashes = Crashes(runtime.database)

    def reacts(self, item: Item) -> bool:
        """Whether the event must go through ``apply``; one that nobody reacts to is passed over."""
        envelope = item.envelope
        return (
            envelope is None
            or bool(self._reactions.of(envelope.type))
            or self._reactions.knows_other_version(envelope.type)
        )

    async def apply(self, item: Item) -> Fault | None:
        """Take every effect of the event; or say why not, for good. Raises Stopping and Crash."""
        if item.envelope is None:
            return item.fault
        if self.crashes.suspects(item.id):
            return await self._apply_suspect(item)
        return await self._apply(item, item.envelope)

    async def _apply(self, item: Item, envelope: Envelope) -> Fault | None:
        reactions = self._reactions.of(envelope.type)
        if not reactions:
            return Fault("unknown-version", "version-unknown", "ce_type")
        try:
            read = [reaction.reader.model_validate(envelope.data) for reaction in reactions]
        except ValidationError as error:
            return _schema_fault(error)
        TRAIL.set(Trail(envelope.id, continued(envelope.trace)))
        for reaction, event in zip(reactions, read, strict=True):
            fault = await self._react(reaction, event, envelope)
            if fault is not None:
                return fault
        return None

    async def _react(self, reaction: Reaction, event: Any, envelope: Envelope) -> Fault | None:
        try:
            await reaction.run(event, Doing(envelope, self._runtime, reaction.name, self._writes))
        except Exception as error:  # noqa: BLE001 - sorted by kind there
            return await self._after(error, reaction, event, envelope)
        return None

    async def _after(self, error: Exception, reaction: Reaction, event: Any, envelope: Envelope) -> Fault | None:
        """The first try failed: hold, try again, or give it up."""
        tries = 1
        limit = asyncio.get_running_loop().time() + self._patience
        while True:
            fault = _fault(error, tries)
            if fault is not None:
                return fault
            if not (is_away(error) or _is_passing(error)):
                return await self._unexpected(error, envelope, tries)
            if not is_away(error) and asyncio.get_running_loop().time() > limit:
                return Fault("trouble", _name(error), tries=tries)
            await self._wait(error, tries)
            tries += 1
            self._retried.inc()
            try:
                await reaction.run(event, Doing(envelope, self._runtime, reaction.name, self._writes))
            except Exception as again:  # noqa: BLE001 - sorted by kind above
                error = again
            else:
                return None

    async def _wait(self, error: Exception, tries: int) -> None:
        if is_away(error):
            with self._hold.waiting(f"MongoDB is away ({type(error).__name__})"):
                await self._hold.pause(pause_after(tries - 1))
        else:
            await self._hold.pause(pause_after(tries - 1))

    async def _unexpected(self, error: Exception, envelope: Envelope, tries: int) -> Fault | None:
        LOG.error("reaction_failed", type=envelope.type, event_id=envelope.id, exc_info=error)
        if not self._fatal:
            return Fault("unexpected", type(error).__name__, tries=tries)
        if not self.crashes.suspects(envelope.id):  # a suspect was counted before it was tried
            await self._hold.through(lambda: self.crashes.count(envelope.id))
        raise Crash(f"a reaction to {envelope.type} raised {type(error).__name__}") from error

    async def _apply_suspect(self, item: Item) -> Fault | None:
        assert item.envelope is not None
        attempts = await self._hold.through(lambda: self.crashes.count(item.id))
        if attempts > MOST:
            fault: Fault | None = Fault("unexpected", "crashed-repeatedly", tries=attempts - 1)
        else:
            fault = await self._apply(item, item.envelope)
        await self._hold.through(lambda: self.crashes.forget(item.id))
        return fault


def _schema_fault(error: ValidationError, tries: int = 1) -> Fault:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return Fault("schema", first["type"], "/".join(["data", *map(str, first["loc"])]), tries)


def _fault(error: Exception, tries: int) -> Fault | None:
    """What makes an event impossible, for good or for now; None for what may pass and for what nobody expected."""
    if isinstance(error, ValidationError):
        return _schema_fault(error, tries)
    if isinstance(error, Refused):
        return Fault("early" if error.code in EARLY else "refused", error.code, error.field, tries)
    if not isinstance(error, Problem) or _is_passing(error) or is_away(error):
        return None
    return Fault("early" if error.code in EARLY else "refused", error.code, error.field, tries)


def _is_passing(error: Exception) -> bool:
    if isinstance(error, Conflict):
        return error.code in CONTENDED
    return isinstance(error, (Busy, Unavailable, httpx.HTTPError, TimeoutError, OSError))


def _name(error: Exception) -> str:
    return error.code if isinstance(error, Problem) else type(error).__name__


__all__ = ["EARLY", "Applying", "Crash"]
