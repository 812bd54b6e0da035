"""A Kafka that is slow is waited for; one that says nothing at all is not."""

from typing import Any

import pytest
from kafka.future import Future

from services.chassis.publishing import publisher
from services.chassis.publishing.publisher import LATE_SECONDS, Window


class Clock:
    """Seconds, moved by hand."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Sender:
    """Hands out kafka-python's own futures, to be answered by hand."""

    def __init__(self) -> None:
        self.futures: list[Any] = []

    def send(self, topic: str, record: Any) -> Any:
        self.futures.append(Future())
        return self.futures[-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(publisher, "time", clock)
    return clock


def sent(clock: Clock, records: int) -> tuple[Window, Sender, list[int]]:
    """A window with so many records, all sent at once."""
    sender, done = Sender(), list[int]()
    window = Window(sender, done.append, limit=records)  # type: ignore[arg-type]
    for number in range(records):
        window.send("topic", (b"", b"", []), number)
    return window, sender, done


def test_a_backlog_that_takes_minutes_is_not_silence_while_answers_come(clock: Clock) -> None:
    window, sender, done = sent(clock, 10)
    for number, future in enumerate(sender.futures):
        clock.now += LATE_SECONDS * 0.9
        assert window.silence() < LATE_SECONDS
        future.success(number)
        window.settle()
    assert done == list(range(10)) and clock.now > 4 * LATE_SECONDS


def test_the_oldest_record_without_an_answer_is_silence_whatever_else_is_answered(clock: Clock) -> None:
    window, sender, done = sent(clock, 3)
    sender.futures[1].success(1)
    window.settle()
    clock.now += LATE_SECONDS + 1
    assert window.silence() > LATE_SECONDS and done == []


def test_time_without_anything_to_answer_is_not_silence(clock: Clock) -> None:
    window, sender, _ = sent(clock, 1)
    sender.futures[0].success(0)
    window.settle()
    clock.now += 10 * LATE_SECONDS
    assert window.silence() == 0
    window.send("topic", (b"", b"", []), 1)
    assert window.silence() == 0
