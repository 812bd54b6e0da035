"""All aggregates, however old, are compared again and again: what hours that are long closed cannot tell."""

from typing import Any

import pytest

from services.chassis.reconciling import stating
from tests.integration.reconciling.test_hours import sample, unapplied
from tests.integration.reconciling.world import World


async def test_a_place_that_was_put_back_is_found_however_old_its_events_are(world: World) -> None:
    subject = await applied_and_compared(world)
    await world.set_place("ear", subject, seq=1, last_id=(await world.entry(subject, 1))["id"])
    await world.turn()
    rows = await world.rows("ear", "astray")
    assert [(row["kind"], row["seq"], row["place"], row["subject"]) for row in rows] == [("behind", 3, 1, subject)]
    assert (unapplied("ear"), unapplied("eye")) == (2, 0)
    await world.set_place("ear", subject, seq=3, last_id=(await world.entry(subject, 3))["id"])
    await world.turn("ear")
    assert unapplied("ear") == 0


async def test_a_record_that_a_new_consumer_was_never_told_of_is_found(world: World) -> None:
    subject = await applied_and_compared(world)
    await world.database("ear").collection("places").delete_one({"_id": f"ear|{subject}"})
    await world.turn()
    assert unapplied("ear") == 3


async def test_what_an_open_hour_counts_is_not_counted_again_by_the_round(world: World) -> None:
    await world.opened(additions=1)  # nobody publishes, nobody works
    await world.turn()
    await world.turn()
    assert len(await world.rows("eye", "astray")) == 1
    assert unapplied("eye") == 2


async def test_more_applied_than_the_history_holds_is_certain_once_a_later_reading_lacks_it_too(world: World) -> None:
    subject = await applied_and_compared(world)
    await restore_to(world, subject, 2)
    await world.turn()
    (row,) = await world.rows("ear", "astray")
    assert (row["kind"], row["seq"], row["place"], row["certain"]) == ("beyond", 2, 3, False)
    assert astray("ear") == 0
    await world.turn()
    assert (astray("ear"), astray("eye"), unapplied("ear")) == (1, 1, 0)


async def test_a_record_that_is_gone_from_the_owner_is_told(world: World) -> None:
    subject = await applied_and_compared(world)
    await world.histories["tally"].collection.delete_one({"_id": subject})
    await world.turn()
    await world.turn()
    (row,) = await world.rows("eye", "astray", certain=True)
    assert (row["subject"], row["seq"], row["place"]) == (subject, 0, 3)


async def test_another_event_under_the_last_sequence_is_told_at_once(world: World) -> None:
    subject = await applied_and_compared(world)
    await world.set_place("ear", subject, last_id="of another history")
    await world.turn()
    (row,) = await world.rows("ear", "astray", certain=True)
    assert (row["kind"], row["seq"]) == ("other", 3)
    assert (astray("ear"), astray("eye")) == (1, 0)


async def test_a_discarded_event_is_decided_and_not_told(world: World) -> None:
    """A person has passed it over; the place then names no event."""
    subject = await applied_and_compared(world)
    await world.set_place("ear", subject, last_id="")
    await world.turn()
    assert await world.rows("ear", "astray") == []


async def test_a_round_goes_on_where_the_last_turn_ended_and_begins_again_at_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stating, "ROUND", 2)
    subjects = sorted([await world.opened() for _ in range(5)])
    await world.turn()
    afters = []
    for _ in range(4):
        mark = await world.database("owner").collection("reconciliation").find_one({"_id": "round|tally"})
        assert mark is not None
        afters.append(mark["after"])
        await world.turn()
    assert set(afters) >= {"", subjects[1], subjects[3]}
    assert {row["subject"] for row in await world.rows("eye", "astray")} == set(subjects)


async def applied_and_compared(world: World) -> str:
    """A record of three events, applied by both consumers; its hour has been compared and is closed for good."""
    async with world.alive():
        subject = await world.opened(additions=2)
        await world.applied(subject, 3, "ear", "eye")
        await world.turn()
    assert (unapplied("ear"), unapplied("eye")) == (0, 0)
    return subject


async def restore_to(world: World, subject: str, version: int) -> None:
    """The record as an older backup holds it."""
    collection = world.histories["tally"].collection
    document: dict[str, Any] = await collection.find_one({"_id": subject}) or {}
    kept = {"version": version, "history": document["history"][:version]}
    assert await collection.update_one({"_id": subject}, {"$set": kept}) == 1


def astray(consumer: str) -> float | None:
    return sample("linli_places_astray", consumer=consumer, source="owner.tally")


