"""How far a clock is moved is said in days, hours, minutes and seconds."""

from datetime import timedelta

import pytest

from services.chassis.clocks.clock import duration
from services.chassis.errors import Invalid


@pytest.mark.parametrize("text", ["", "8", "h", "-8h", "8 h", "1.5h", "8h30", "1w", "9999999999999d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="duration-malformed"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("8h", timedelta(hours=8)),
        ("3d", timedelta(days=3)),
        ("1d12h30m", timedelta(days=1, hours=12, minutes=30)),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, value: timedelta) -> None:
    assert duration(text) == value
