"""What holds the stream, what is tried for a while, and how long the pauses are."""

import asyncio

import pytest
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure

from services.chassis.consuming.patience import LONGEST, Hold, Stopping, is_away, pause_after
from services.chassis.errors import Busy, Conflict, Unavailable


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect(), Unavailable(), OperationFailure("", code=91),
        BulkWriteError({"writeErrors": [{"code": 10107}]}),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
    ],
)  # fmt: skip
def test_its_own_mongodb_away_holds_the_stream(error: Exception) -> None:
    assert is_away(error)


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("peer-away"), Busy(), Conflict(), ValueError(), OperationFailure("", code=121),
        BulkWriteError({"writeErrors": [{"code": 10107}, {"code": 121}]}),
        BulkWriteError({"writeErrors": []}),
    ],
)  # fmt: skip
def test_anything_else_does_not(error: Exception) -> None:
    assert not is_away(error)


def test_pauses_grow_and_end_growing() -> None:
    assert all(0 < pause_after(attempt) <= LONGEST for attempt in range(2000))
    assert max(pause_after(0) for _ in range(100)) < min(pause_after(5) for _ in range(100))


async def test_a_hold_tries_until_it_is_back_and_says_why_meanwhile() -> None:
    hold, reasons = Hold(), []

    async def act() -> int:
        reasons.append(hold.reason)
        if len(reasons) < 4:
            raise AutoReconnect
        return len(reasons)

    assert await hold.through(act) == 4
    assert reasons[0] == ""
    assert all("AutoReconnect" in reason for reason in reasons[1:])
    assert hold.reason == ""


async def test_a_hold_passes_on_what_it_does_not_know() -> None:
    async def act() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        await Hold().through(act)


async def test_a_stop_ends_every_wait() -> None:
    hold = Hold()

    async def act() -> None:
        raise AutoReconnect

    waiting = asyncio.create_task(hold.through(act))
    await asyncio.wait_for(hold.began.wait(), 5)
    hold.stop()
    with pytest.raises(Stopping):
        await waiting
    with pytest.raises(Stopping):
        await hold.pause(1)
