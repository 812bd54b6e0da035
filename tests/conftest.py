"""What every test may ask for: real servers, started once for the whole session, with data and ports of their own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.install import LOCAL
from deploy.local.servers import Servers, embedded, end_leftovers
from deploy.local.system import end_recorded

TEST_DATA = LOCAL / "test"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A Kafka broker and a MongoDB replica set; ``LINLI_TEST_KAFKA`` and ``LINLI_TEST_MONGO`` name others to use.

    They are shared by the whole session: use a prefix of your own, and ``embedded`` for servers you mean to harm.
    """
    kafka, mongo = os.environ.get("LINLI_TEST_KAFKA", ""), os.environ.get("LINLI_TEST_MONGO", "")
    if kafka and mongo:
        yield Servers(kafka, mongo)
        return
    with embedded(
        _session_folder() / "shared", kafka_brokers=0 if kafka else 1, mongo_members=0 if mongo else 1
    ) as own:
        yield Servers(kafka or own.kafka, mongo or own.mongo, own.brokers, own.members)


@pytest.fixture(scope="session", autouse=True)
def _tidy_data() -> Iterator[None]:
    """Remove what killed sessions left behind, and this session's own data at its end."""
    for folder in TEST_DATA.glob("session-*"):
        if not psutil.pid_exists(int(folder.name.rpartition("-")[2])):
            _end_and_remove(folder)
    yield
    _end_and_remove(_session_folder())


def _session_folder() -> Path:
    return TEST_DATA / f"session-{os.getpid()}"


def _end_and_remove(folder: Path) -> None:
    for record in folder.glob("**/processes.json"):
        end_leftovers(record.parent)
    for state in folder.glob("**/state.json"):
        end_recorded(state.parent)
    shutil.rmtree(folder, ignore_errors=True)
