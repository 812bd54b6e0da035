"""A deadline comes to pass by itself, once, in order, and what cannot come to pass is shown."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.chassis.clocks import deadlines, stuck
from services.chassis.clocks.deadlines import Sweep
from services.chassis.context import Context
from services.chassis.runtime import Runtime
from tests.integration.deadlines.conftest import HOUR, Promised
from tests.integration.deadlines.promise import REMINDED_AFTER, Faults, Note
from tests.integration.relay.sample import eventually

pytestmark = pytest.mark.mechanism("CMP-10")


async def misses(runtime: Runtime) -> dict[str, list[str]]:
    """What each promise has missed, from its history."""
    rows = await runtime.database.collection("promise").find({})
    return {
        row["_id"]: [entry["data"]["name"] for entry in row["history"] if entry["type"] == "promise.missed.v1"]
        for row in rows
    }


def figure(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"service": "sample", "aggregate": "promise"}) or 0.0


async def test_what_is_not_due_is_left_alone(runtime: Runtime, sweep: Sweep, promised: Promised) -> None:
    promise = await promised(HOUR)
    assert await sweep.once() == 0
    assert await misses(runtime) == {promise: []}
    await runtime.clock.advance(2 * HOUR)
    assert await sweep.once() == 1
    assert await misses(runtime) == {promise: ["answer"]}


async def test_a_deadline_is_an_event_like_any_other_and_counts_from_when_it_was_due(
    runtime: Runtime, sweep: Sweep, promised: Promised
) -> None:
    due = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    promise = await promised(at=due)
    await sweep.once()
    stored = await runtime.histories["promise"].get(promise, scope="unit_d")
    assert [(entry.name, entry.at) for entry in stored.state.due] == [("reminder", due + REMINDED_AFTER)]
    entry = stored.history[-1]
    assert (entry["by"], entry["op"], entry["seq"]) == ("clock", f"due|answer|{due.isoformat()}", 2)


async def test_one_overdue_for_days_has_all_its_deadlines_in_order(
    runtime: Runtime, sweep: Sweep, promised: Promised
) -> None:
    promise = await promised(-3 * REMINDED_AFTER)
    while await sweep.once():
        pass
    assert await misses(runtime) == {promise: ["answer", "reminder"]}
    assert await runtime.database.collection("promise").find({"next_due": {"$exists": True}}) == []


async def test_the_longest_overdue_come_first(
    runtime: Runtime, sweep: Sweep, promised: Promised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "BATCH", 2)
    made = [await promised(-HOUR * hours) for hours in (1, 3, 2, 4)]
    await sweep.once()
    assert {promise for promise, missed in (await misses(runtime)).items() if missed} == {made[1], made[3]}


async def test_two_sweeps_at_once_take_each_deadline_once(runtime: Runtime, promised: Promised) -> None:
    made = [await promised() for _ in range(60)]
    sweeps = [Sweep(runtime), Sweep(runtime)]
    other = Runtime(runtime.service, runtime.settings)
    await other.start()
    try:
        await asyncio.gather(*(one.once() for one in (*sweeps, Sweep(other))))
    finally:
        await other.stop()
    assert await misses(runtime) == {promise: ["answer"] for promise in made}
    assert await runtime.database.collection("stuck_deadlines").find({}) == []


SWEEPING = """
import asyncio, sys
from services.chassis.clocks.deadlines import Sweep
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from tests.integration.deadlines.promise import SERVICE

async def sweep(kafka, mongo, prefix):
    settings = Settings("sample", kafka, mongo, prefix, bytes(96), bytes(32), movable_clock=True)
    runtime = Runtime(SERVICE, settings)
    await runtime.start()
    await Sweep(runtime).run(asyncio.Event())

asyncio.run(sweep(*sys.argv[1:]))
"""


def sweeping(runtime: Runtime) -> "subprocess.Popen[bytes]":
    """A process of its own that sweeps."""
    settings = runtime.settings
    command = [sys.executable, "-c", SWEEPING, settings.kafka, settings.mongo, settings.prefix]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


async def test_a_sweep_killed_in_the_middle_leaves_none_out_and_none_twice(
    runtime: Runtime, promised: Promised
) -> None:
    made = await asyncio.gather(*(promised() for _ in range(600)))

    async def missed() -> int:
        return await runtime.database.collection("promise").count({"state.missed": "answer"})

    first = sweeping(runtime)
    await eventually(missed)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert await missed() < len(made)
    second, third = sweeping(runtime), sweeping(runtime)

    async def all_missed() -> bool:
        return await missed() == len(made)

    try:
        await eventually(all_missed, 60)
    finally:
        for process in (second, third):
            process.kill()
            process.wait()
    assert await misses(runtime) == {promise: ["answer"] for promise in made}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("refuses", "not-while-paused"),
        ("raises", "ZeroDivisionError"),
        ("does-nothing", "deadline-stays"),
        ("keeps-it", "deadline-stays"),
    ],
)
async def test_a_deadline_whose_command_does_not_take_is_parked_and_the_others_go_on(
    runtime: Runtime, sweep: Sweep, promised: Promised, fault: str, code: str
) -> None:
    Faults.present = fault
    bad = await promised(-2 * HOUR)
    for _ in range(3):
        await sweep.once()
    Faults.present = ""
    good = await promised(-HOUR)
    assert await sweep.once() == 1
    assert await sweep.once() == 0
    assert await misses(runtime) == {bad: [], good: ["answer"]}
    (parked,) = await runtime.database.collection("stuck_deadlines").find({})
    assert (parked["subject"], parked["name"], parked["code"], parked["attempts"]) == (bad, "answer", code, 1)
    assert len((await runtime.histories["promise"].get(bad, scope=None)).history) <= 2
    assert figure("linli_deadline_stuck") == 1
    assert await sweep.stuck.readiness() == (True, f"1 deadlines are stuck, the oldest of {bad} ({code})")


async def test_what_was_stuck_comes_to_pass_when_the_domain_has_been_mended(
    runtime: Runtime, promised: Promised, monkeypatch: pytest.MonkeyPatch
) -> None:
    Faults.present = "raises"
    promise = await promised()
    await Sweep(runtime).once()
    Faults.present = ""
    monkeypatch.setattr(deadlines, "REVIEW", 0.0)
    mended = Sweep(runtime)
    await mended.stuck.load()
    await mended.once()
    assert await misses(runtime) == {promise: []}  # its next attempt is a minute away
    parked = runtime.database.collection("stuck_deadlines")
    await parked.update_one({"subject": promise}, {"$set": {"again": datetime.now(UTC) - timedelta(seconds=1)}})
    await mended.stuck.load()
    await mended.once()
    assert await misses(runtime) == {promise: ["answer"]}
    await mended.once()
    assert await parked.find({}) == []
    assert figure("linli_deadline_stuck") == 0


async def test_when_very_many_are_stuck_nothing_new_is_taken_up_and_readiness_fails(
    runtime: Runtime, sweep: Sweep, promised: Promised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stuck, "MOST", 2)
    Faults.present = "raises"
    for _ in range(2):
        await promised()
    await sweep.once()
    Faults.present = ""
    waiting = await promised()
    assert await sweep.once() == 0
    assert (await misses(runtime))[waiting] == []
    ready, reason = await sweep.stuck.readiness()
    assert (ready, reason.startswith("2 deadlines are stuck")) == (False, True)


async def test_a_deadline_that_was_met_meanwhile_is_no_trouble(
    runtime: Runtime, promised: Promised, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise = await promised()
    late = Sweep(runtime)
    found = await late._due(runtime.clock.now())
    await Sweep(runtime).once()
    monkeypatch.setattr(late, "_due", lambda now: asyncio.sleep(0, found))
    await late.once()
    assert await misses(runtime) == {promise: ["answer"]}
    assert await runtime.database.collection("stuck_deadlines").find({}) == []


async def test_what_is_overdue_is_counted(
    runtime: Runtime, sweep: Sweep, promised: Promised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "MEASURE", 0.0)
    swept = figure("linli_deadline_swept_total")
    Faults.present = "refuses"
    await promised()
    await sweep.once()
    assert figure("linli_overdue") == 1
    Faults.present = ""
    await promised()
    await sweep.once()
    assert figure("linli_deadline_swept_total") == swept + 1


async def test_provisional_deadlines_are_reckoned_again_once_a_day(
    runtime: Runtime, sweep: Sweep, promised: Promised
) -> None:
    firm, provisional = await promised(48 * HOUR), await promised(48 * HOUR, provisional=True)

    async def reckoned() -> list[str]:
        rows = await runtime.database.collection("promise").find({"history.type": "promise.reckoned.v1"})
        return [row["_id"] for row in rows]

    for _ in range(3):
        await sweep.once()
    assert await reckoned() == [provisional]
    assert len((await runtime.histories["promise"].get(provisional, scope=None)).history) == 2
    assert len((await runtime.histories["promise"].get(firm, scope=None)).history) == 1


async def test_a_worker_sweeps_until_it_is_told_to_stop(runtime: Runtime, promised: Promised) -> None:
    stopping = asyncio.Event()
    workers = [asyncio.create_task(Sweep(runtime).run(stopping)) for _ in range(2)]
    promise = await promised(timedelta(seconds=1))

    async def missed() -> bool:
        return (await misses(runtime))[promise] == ["answer"]

    await eventually(missed)
    stopping.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*workers)


async def test_others_may_write_to_the_aggregate_all_the_while(
    runtime: Runtime, sweep: Sweep, promised: Promised
) -> None:
    promise = await promised()
    other: Any = Runtime(runtime.service, runtime.settings)
    await other.start()

    async def note(number: int) -> None:
        context = Context(by="sub-1", at=other.clock.now(), operation=f"note {number}")
        await other.histories["promise"].change(promise, Note(), context)

    try:
        await asyncio.gather(*(note(number) for number in range(20)), sweep.once())
        while not (await misses(runtime))[promise]:
            assert await sweep.once() <= 1
    finally:
        await other.stop()
    assert await misses(runtime) == {promise: ["answer"]}
