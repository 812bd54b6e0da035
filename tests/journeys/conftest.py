"""One whole system for all journeys: real servers, every service, a small district and its neighbour."""

import os
from collections.abc import Iterator

import pytest

from deploy.local.demo_district import register_helpers
from deploy.local.desk import Desk
from deploy.local.install import LOCAL
from deploy.local.system import System
from tests.faults.district import found, urls_of
from tests.faults.run import system_of_its_own
from tests.journeys.doors import Doors

# Compressed, what lies in the database's files could not be searched.
PLAIN_FILES = (
    *("--wiredTigerCollectionBlockCompressor", "none"),
    *("--wiredTigerJournalCompressor", "none"),
    *("--wiredTigerIndexPrefixCompression", "false"),
)


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The system that all journeys share; each adds records and none may rely on there being no others."""
    folder = LOCAL / "test" / f"session-{os.getpid()}" / "journeys"
    folder.mkdir(parents=True)
    with system_of_its_own(folder, prefix="journeys", mongod=PLAIN_FILES) as running:
        found(urls_of(running.plan))
        register_helpers(Desk(urls_of(running.plan), "coordinator-c1"))
        yield running


@pytest.fixture(scope="session")
def urls(system: System) -> dict[str, str]:
    """Where the services and the identity provider answer."""
    return urls_of(system.plan)


@pytest.fixture(scope="session")
def doors(system: System, urls: dict[str, str]) -> Doors:
    """A marked person has gone in by every door there is."""
    return Doors(system, urls)
