"""A consumer that keeps, per aggregate of a foreign service, the sequences it applied, in the order it applied them.

Each effect is one guarded write: sequence n is appended only behind n-1, so an event taken twice or out of order shows.
What it does besides is told by the event: refuse, raise, wait. Run as a process of its own it is a worker to be killed.
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from services.chassis.aggregate import AggregateType, Service
from services.chassis.consuming import stream
from services.chassis.consuming.guard import Guard, Tuning
from services.chassis.consuming.reactions import Doing, Reactions
from services.chassis.contracts.wire import Reader
from services.chassis.errors import Conflict
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.kernel.events import Event, Happened, Refused, State

NOTED = "linli.source.thing.noted.v1"
OTHER = "linli.source.other.noted.v1"
BOOK = "book"  # {_id: aggregate, last: sequence, seqs: [sequences]}
MOOD = "mood"  # {_id: "mood", patient: bool}: whether what is marked to be refused is refused still

reactions = Reactions("sample")


class Echo(State):
    """What the sample keeps of its own for an event: how often it was heard."""

    unit: str
    heard: int = 0


class Heard(Event):
    """One event was heard."""

    TYPE = "echo.heard"
    number: int


@dataclass(frozen=True)
class Hear:
    """The command."""

    unit: str
    number: int


def decide(state: Echo | None, command: Hear, now: datetime) -> list[Happened]:
    """Every command is heard."""
    return [Happened(Heard(number=command.number))]


def evolve(state: Echo | None, event: Event, now: datetime) -> Echo:
    """Count."""
    return Echo(unit="unit_1", heard=(state.heard if state else 0) + 1)


ECHO: AggregateType[Any] = AggregateType("echo", Echo, (Heard,), decide, evolve)


class Noted(Reader):
    """``number`` is required; ``how`` says what the reaction is to do."""

    number: int
    how: str = "keep"


@reactions.on(NOTED)
async def note(event: Noted, do: Doing) -> None:
    """Append the sequence behind the one before."""
    await behave(event, do)
    await do.write(BOOK, appended(do.envelope.subject, do.envelope.sequence))


@reactions.on(OTHER)
async def note_other(event: Noted, do: Doing) -> None:
    """The same for the second topic."""
    await do.write(BOOK, appended(do.envelope.subject, do.envelope.sequence))


def appended(subject: str, seq: int) -> UpdateOne:
    """The guarded write of one effect; a repeat matches nothing."""
    if seq == 1:
        return UpdateOne({"_id": subject}, {"$setOnInsert": {"last": 1, "seqs": [1]}}, upsert=True)
    return UpdateOne({"_id": subject, "last": seq - 1}, {"$set": {"last": seq}, "$push": {"seqs": seq}})


async def behave(event: Noted, do: Doing) -> None:
    """What the event asks for."""
    if event.how == "keep":
        return
    if event.how == "echo":
        command = Hear(do.envelope.unit, event.number)
        created = await do.create("echo", do.envelope.unit, command)
        await do.change("echo", created.id, command, ordinal=1)
        return
    await do.collection("tries").update_one({"_id": do.envelope.id}, {"$inc": {"count": 1}}, upsert=True)
    mood = await do.collection(MOOD).find_one({"_id": "mood"})
    if mood and mood["patient"]:
        return
    if event.how == "refuse":
        raise Refused("not-today", field="number")
    if event.how == "raise":
        raise RuntimeError("nobody expected this")
    if event.how == "contend":
        raise Conflict("contended")
    if event.how == "early":
        raise Refused("unit-unknown", field="unit")
    if event.how == "slow":
        await asyncio.sleep(2)


SERVICE = Service("sample", aggregates=(ECHO,), routers=(), permissions={}, texts={}, reactions=reactions)


def settings_of(kafka: str, mongo: str, prefix: str, partitions: int = 3) -> Settings:
    """Settings of the sample service; nothing of a person is sealed here."""
    return Settings(
        "sample", kafka, mongo, prefix, master_key=bytes(96), lookup_key=bytes(32), partitions=partitions
    )


async def work(settings: Settings) -> None:
    """A worker until it is killed."""
    stream.SESSION_SECONDS = 6.0  # the least a broker allows: the group forgets a killed worker sooner
    runtime = Runtime(SERVICE, settings)
    await runtime.client.ping()
    await Guard(runtime, reactions, Tuning(look_every=0.5)).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(settings_of(*sys.argv[1:4])))
