"""Waiting for a condition, never for a while: bounded, and ended early when the thing waited for is gone."""

import time
from collections.abc import Callable

from deploy.local.trouble import Trouble


def wait_until(
    holds: Callable[[], bool],
    seconds: float,
    otherwise: Callable[[], Trouble],
    hopeless: Callable[[], bool] = lambda: False,
    every: float = 0.1,
) -> None:
    """Return as soon as ``holds()``; raise ``otherwise()`` after ``seconds`` or once ``hopeless()``."""
    deadline = time.monotonic() + seconds
    while not holds():
        if hopeless() or time.monotonic() > deadline:
            raise otherwise()
        time.sleep(every)
