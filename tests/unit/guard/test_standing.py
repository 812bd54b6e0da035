"""Whether a group moves: stuck is lag without movement, and nothing else."""

from services.chassis.consuming.lag import Movement, Standing

HERE = ("topic", 0)


def standing(committed: int, end: int) -> Standing:
    return Standing({HERE: committed}, {HERE: end})


def test_no_lag_is_never_stuck() -> None:
    movement = Movement(10)
    assert not movement.stuck(standing(5, 5), [HERE], now=0)
    assert not movement.stuck(standing(5, 5), [HERE], now=100)


def test_lag_that_does_not_move_is_stuck_after_the_patience() -> None:
    movement = Movement(10)
    movement.stuck(standing(5, 9), [HERE], now=0)
    assert not movement.stuck(standing(5, 9), [HERE], now=10)
    assert movement.stuck(standing(5, 20), [HERE], now=11) == [HERE]


def test_lag_that_moves_is_not_stuck() -> None:
    movement = Movement(10)
    for now in range(0, 100, 5):
        assert not movement.stuck(standing(now, 1000), [HERE], now=now)


def test_lag_counts_from_when_it_began() -> None:
    movement = Movement(10)
    movement.stuck(standing(5, 5), [HERE], now=0)
    assert not movement.stuck(standing(5, 6), [HERE], now=50)
    assert movement.stuck(standing(5, 6), [HERE], now=61) == [HERE]


def test_partitions_of_others_do_not_count() -> None:
    movement = Movement(10)
    movement.stuck(standing(5, 9), [HERE], now=0)
    assert not movement.stuck(standing(5, 9), [], now=50)
    assert not movement.stuck(standing(5, 9), [HERE], now=60)


def test_lag_counts_from_the_start_for_a_group_that_never_committed() -> None:
    assert Standing({}, {HERE: 7}).lag() == {HERE: 7}
