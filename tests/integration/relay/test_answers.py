"""A position is kept only when Kafka has answered, and a sender that does not answer ends the process."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.process import ServerProcess
from deploy.local.servers import Server, Servers
from services.chassis.contracts.topics import ensure
from services.chassis.publishing.publisher import UNEXPECTED
from tests.integration.relay.conftest import drop_topics
from tests.integration.relay.sample import Sample, eventually, relaying, settings

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def broker(own_servers: Servers) -> Iterator[Server]:
    broker = own_servers.brokers[0]
    yield broker
    broker.resume()


@pytest.fixture
def process(harmed: Sample, tmp_path: Path) -> Iterator[ServerProcess]:
    """The relay as a process, not started yet."""
    own = harmed.settings
    command = [sys.executable, "-m", "tests.integration.relay.process", own.kafka, own.mongo, own.prefix]
    process = ServerProcess("relay", command, tmp_path / "relay.log", {"PYTHONPATH": str(ROOT)})
    yield process
    process.stop()


async def test_a_position_is_not_kept_before_kafka_has_answered(harmed: Sample, broker: Server) -> None:
    async with relaying(harmed) as relay:
        first = await harmed.opened()
        await eventually(lambda: first in harmed.sequences())
        leading = await eventually(lambda: relay._leading)
        await eventually(lambda: len(leading._window) == 0)
        before = await harmed.position()
        with paused(broker):  # and resumed, before the relay is asked to end
            second = await harmed.opened()
            await eventually(lambda: len(leading._window) == 1)
            stored_at = leading._stored_at
            await eventually(lambda: leading._stored_at > stored_at + 2)  # positions are due, and none is newer
            assert await _left_out(harmed, second) is False
            assert leading.lag() > 1
        await eventually(lambda: second in harmed.sequences())

        async def moved() -> bool:
            return bool((await harmed.position())["token"] != before["token"])

        await eventually(moved)


@contextmanager
def paused(broker: Server) -> Iterator[None]:
    broker.pause()
    try:
        yield
    finally:
        broker.resume()


async def _left_out(sample: Sample, subject: str) -> bool:
    """Whether a relay that starts from the stored position would leave out this aggregate's event."""
    token = (await sample.position())["token"]
    marker = sample.database.collection("marker")
    await marker.insert_one({"_id": subject})
    with sample.client.blocking() as mongo, mongo[sample.settings.database].watch(resume_after=token) as stream:
        for change in stream:
            if change["ns"]["coll"] == "tally" and change["documentKey"]["_id"] == subject:
                return False
            if change["ns"]["coll"] == "marker":
                return True
    raise AssertionError("the stream ended")


async def test_a_sender_that_does_not_answer_ends_the_process_and_the_next_one_publishes(
    harmed: Sample, broker: Server, process: ServerProcess
) -> None:
    process.start()
    first = await harmed.opened()
    await eventually(lambda: first in harmed.sequences())
    broker.pause()
    second = await harmed.opened()
    code = await eventually(lambda: _exit_code(process))
    assert code == UNEXPECTED
    assert "Kafka has not answered" in process.log.read_text()
    broker.resume()
    process.start()
    await eventually(lambda: harmed.sequences().get(second))
    assert set(harmed.sequences()[first]) == {1}


async def test_a_killed_relay_leaves_nothing_out(harmed: Sample, process: ServerProcess) -> None:
    subjects: list[str] = []

    async def published_and_killed() -> None:
        process.start()
        subjects.extend([await harmed.opened(additions=5) for _ in range(10)])
        await eventually(lambda: subjects[-1] in harmed.sequences())
        process.kill()

    await published_and_killed()
    await published_and_killed()
    process.start()
    subjects.append(await harmed.opened(additions=5))
    await eventually(lambda: set(harmed.sequences()) == set(subjects) and _complete(harmed))


def test_a_refused_record_ends_the_process(servers: Servers) -> None:
    own = settings(servers.kafka, "")
    asyncio.run(ensure(own, [own.topic("sample", "tally")]))
    script = (
        "import sys; from services.chassis.contracts.wire import Record; "
        "from services.chassis.publishing.publisher import Publisher; "
        "from tests.integration.relay.sample import settings; "
        "p = Publisher(settings(sys.argv[1], '', 'x')); w = p.window(print); "
        "w.send(sys.argv[2], Record(b'k', b'v' * 2_000_000, []), 'done'); w.settle_all(); sys.exit(0)"
    )
    command = [sys.executable, "-c", script, own.kafka, own.topic("sample", "tally")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    drop_topics(servers.kafka, own.prefix)
    assert ended.returncode == UNEXPECTED and "done" not in ended.stdout


def _exit_code(process: ServerProcess) -> int | None:
    return None if process.is_running() else process._started().returncode


def _complete(sample: Sample) -> bool:
    """Every aggregate's events are there, each for the first time in its place."""
    return all(sorted(set(found)) == list(range(1, 7)) == _first_seen(found) for found in sample.sequences().values())


def _first_seen(sequences: list[int]) -> list[int]:
    return list(dict.fromkeys(sequences))
