"""Figures come from facts: any order, any number of times, and each opens down to exactly its subjects."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.consuming.reactions import Doing
from services.chassis.contracts.wire import Envelope
from services.chassis.storage.driver import Collection, Database, connect
from services.insight.catalogue import catalogue
from services.insight.domain.indicators import outcome_at
from services.insight.queries import Span, count, grouped, subjects
from services.insight.reactions import REACTIONS
from services.insight.rows import INDEXES, ROWS

START = datetime(2026, 1, 1, tzinfo=UTC)
UNITS = {f"unit_g{n}": ("unit_d", "unit_s", f"unit_c{n % 3}", f"unit_g{n}") for n in range(6)}


class AtOnce:
    """Writes each change by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, collection: str, operation: Any) -> None:
        await self._database.collection(collection).bulk_write([operation])


@pytest.fixture
async def database(servers: Any) -> AsyncIterator[Database]:
    client = connect(servers.mongo)
    database = client.database(f"test_{uuid4().hex[:12]}")
    await database.collection(ROWS).ensure_indexes(*INDEXES[ROWS])
    yield database
    await database.drop()
    await client.close()


def event(kind: str, subject: str, seq: int, unit: str, data: dict[str, Any], day: int = 0) -> Envelope:
    service, _, name = kind.partition(".")
    return Envelope(
        id=f"{subject}-{seq}", type=f"linli.{kind}.v1", service=service, aggregate=name.partition(".")[0], name=name,
        version=1, subject=subject, sequence=seq, time=START + timedelta(days=day), district="unit_d", unit=unit,
        causation=None, trace=None, data=data, scope=UNITS[unit],
    )  # fmt: skip


def life_of_concerns(chance: random.Random, concerns: int) -> list[Envelope]:
    events = []
    for n in range(concerns):
        subject, unit, day = f"case_{n:04}", chance.choice(list(UNITS)), chance.randrange(100)
        category = chance.choice(["property", "property.lift", "dispute", "other"])
        data = {"kind": "condition", "category": category, "channel": "hotline"}
        recorded = (START + timedelta(days=day)).isoformat()
        events.append(event("complaints.case.registered", subject, 1, unit, data | {"recorded_at": recorded}, day))
        for seq in range(2, 2 + chance.randrange(5)):
            day += chance.randrange(5)
            verb = chance.choice(["solved", "answered", "reopened", "escalated", "overdue"])
            on = {"on": (START + timedelta(days=day)).isoformat()}
            events.append(event(f"complaints.case.{verb}", subject, seq, unit, on, day))
    return events


async def apply(database: Database, envelopes: list[Envelope]) -> None:
    runtime: Any = SimpleNamespace(database=database)
    for envelope in envelopes:
        for reaction in REACTIONS.of(envelope.type):
            doing = Doing(envelope, runtime, reaction.name, AtOnce(database))
            await reaction.run(reaction.reader.model_validate(envelope.data), doing)


def span(unit: str = "unit_s", day: int = 200, scope: str | None = None, **more: Any) -> Span:
    return Span(unit=unit, as_of=START + timedelta(days=day), scope=scope, **more)


async def figures(rows: Collection, **more: Any) -> dict[str, int]:
    known = [i for i in catalogue().indicators if i.subject == "case"]
    return {indicator.key: await count(rows, indicator, span(**more)) for indicator in known}


@pytest.mark.mechanism("INF-07")
async def test_the_same_events_in_any_order_and_twice_give_the_same_figures(database: Database) -> None:
    chance = random.Random(4)
    events = life_of_concerns(chance, 60)
    await apply(database, events)
    rows = database.collection(ROWS)
    first = await figures(rows, day=60)
    stored = await rows.find({}, sort=[("_id", 1)])
    await rows.delete_many({})
    again = events + events[::3]
    chance.shuffle(again)
    await apply(database, again)
    assert await figures(rows, day=60) == first
    assert await rows.find({}, sort=[("_id", 1)]) == stored


@pytest.mark.mechanism("INF-07", "CMP-02", "CMP-19")
async def test_figures_equal_a_plain_recount_at_every_as_of(database: Database) -> None:
    await apply(database, life_of_concerns(random.Random(8), 80))
    rows = database.collection(ROWS)
    for day in (0, 30, 77, 120):
        as_of = START + timedelta(days=day)
        begun = [row for row in await rows.find({}) if row["on"] <= as_of]
        outcomes = [outcome_at(row.get("steps", {}), as_of) for row in begun]
        here = await figures(rows, day=day)
        assert here["complaints.recorded"] == len(begun)
        assert here["complaints.solved"] == outcomes.count("solved")
        assert here["complaints.answered"] == outcomes.count("answered")
        assert here["complaints.closed"] == here["complaints.solved"] + here["complaints.answered"]
        assert here["complaints.open"] == here["complaints.recorded"] - here["complaints.closed"]


@pytest.mark.mechanism("INF-08")
async def test_every_figure_opens_down_to_exactly_its_subjects(database: Database) -> None:
    await apply(database, life_of_concerns(random.Random(15), 70))
    rows = database.collection(ROWS)
    for indicator in (i for i in catalogue().indicators if i.subject == "case"):
        listed: list[str] = []
        while page := await subjects(rows, indicator, span(), listed[-1] if listed else "", 7):
            listed += [row["_id"] for row in page]
        assert len(set(listed)) == len(listed) == await count(rows, indicator, span())


async def test_a_figure_of_one_unit_never_mixes_in_anothers(database: Database) -> None:
    await apply(database, life_of_concerns(random.Random(16), 70))
    rows = database.collection(ROWS)
    recorded = catalogue().indicator("complaints.recorded")
    assert recorded is not None
    parts = await grouped(rows, recorded, span(), "unit")
    assert set(parts) == {"unit_c0", "unit_c1", "unit_c2"}
    for unit, value in parts.items():
        assert value == await count(rows, recorded, span(unit=unit))
    assert sum(parts.values()) == await count(rows, recorded, span())
    assert await count(rows, recorded, span(scope="unit_elsewhere")) == 0


@pytest.mark.mechanism("VOL-05")
async def test_hours_are_the_sum_of_entries_and_counter_entries(database: Database) -> None:
    booked = {"volunteer": "volunteer_1", "minutes": 90}
    entries = [
        event("volunteers.hours.booked", "hours_1", 1, "unit_g1", booked),
        event("volunteers.hours.corrected", "hours_1", 2, "unit_g1", booked | {"minutes": -30}, 3),
        event("volunteers.hours.booked", "hours_2", 1, "unit_g2", booked | {"minutes": 45}, 1),
    ]
    await apply(database, [*entries, *entries])  # delivered twice, counted once
    minutes = catalogue().indicator("volunteers.minutes")
    assert minutes is not None
    rows = database.collection(ROWS)
    assert [await count(rows, minutes, span(day=day)) for day in (0, 1, 5)] == [90, 135, 105]
