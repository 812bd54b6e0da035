"""The breaker opens on too many parked, in a row or by share, and on nothing else."""

from services.chassis.consuming.breaker import Breaker, Limits


def test_it_stays_closed_while_what_is_parked_is_rare() -> None:
    breaker = Breaker(Limits(in_a_row=5, window=10, share=0.5))
    for _ in range(100):
        breaker.passed()
        breaker.parked("x")
    assert not breaker.open


def test_it_opens_at_the_last_of_too_many_in_a_row() -> None:
    breaker = Breaker(Limits(in_a_row=5, window=100))
    for _ in range(4):
        breaker.parked("not-today")
    assert not breaker.open
    breaker.parked("not-today")
    assert breaker.open
    assert "not-today" in breaker.reason


def test_it_opens_by_share_once_the_window_is_full() -> None:
    breaker = Breaker(Limits(in_a_row=100, window=20, share=0.5))
    for _ in range(7):
        breaker.parked("x")
        breaker.parked("x")
        breaker.passed()
    assert breaker.open


def test_a_few_events_are_no_share() -> None:
    breaker = Breaker(Limits(in_a_row=100, window=20))
    for _ in range(10):
        breaker.parked("x")
    assert not breaker.open


def test_closing_forgets_what_was_counted() -> None:
    breaker = Breaker(Limits(in_a_row=2))
    breaker.parked("x")
    breaker.parked("x")
    breaker.close()
    assert not breaker.open
    breaker.parked("x")
    assert not breaker.open
