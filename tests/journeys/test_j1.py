"""A disabled resident's concern becomes a deed and the answer goes on the echo wall: J1, over HTTP alone."""

import pytest

from deploy.local.system import System
from tests.journeys.j1 import NAME, PHONE, Journey


@pytest.mark.mechanism(
    "CMP-01", "CMP-02", "CMP-07", "CMP-09", "CMP-10", "CMP-36", "DIR-12", "VOL-03", "VOL-36", "INF-07", "LAW-42"
)
def test_a_concern_becomes_a_deed_and_its_answer_stands_on_the_wall(system: System, urls: dict[str, str]) -> None:
    walked = Journey(urls, system.plan.kafka, system.plan.prefix).walk()
    before, after = walked["before"], walked["after"]
    assert after["complaints.recorded"] == before["complaints.recorded"] + 1
    assert after["complaints.solved"] == before["complaints.solved"] + 1
    assert after["complaints.answered"] == before["complaints.answered"]
    assert after["volunteers.minutes"] == before["volunteers.minutes"] + 90
    assert NAME not in str(walked["wall"]) and PHONE not in str(walked["wall"])
