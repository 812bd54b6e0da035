"""Clocks: the domain's moved forward, a machine's moved; and ten times the load."""

import subprocess
from collections.abc import Iterator

from tests.faults.ground import Ground
from tests.faults.kinds.registry import kind

MANY = 10  # times the load


@kind("clock forward", lambda ground: ["45m", "3h", "26h"])
def clock_forward(ground: Ground, by: str) -> Iterator[None]:
    """The domain's clock is moved by the operator's command; what is due comes to pass."""
    ground.load.stories.clock_moves += 1
    try:
        ground.operate("clock", "advance", by)
    except subprocess.CalledProcessError as error:
        if "clock-not-followed" not in error.stdout + error.stderr:  # a process that is down follows later
            raise
    ground.load.stories.clock_moves += 1
    yield


def _shifts(ground: Ground) -> list[str]:
    return ["-1h", "+90s"] if ground.beneath.clock else []


@kind("wall clock", _shifts, why_not="a libfaketime and two of each process", seconds=(15, 25))
def wall_clock(ground: Ground, by: str) -> Iterator[None]:
    """The wall clock of the second workers is wrong for a while."""
    assert ground.beneath.clock is not None
    ground.load.stories.clock_moves += 1
    ground.beneath.clock.write_text(by)
    yield
    ground.beneath.clock.write_text("+0")
    ground.load.stories.clock_moves += 1


@kind("burst", lambda ground: [f"{MANY}x"], seconds=(8, 12), backlog=True)
def burst(ground: Ground, _: str) -> Iterator[None]:
    """Many times the usual load."""
    ground.load.times(MANY)
    yield
    ground.load.times(1)
