"""What a run tells about itself: how fast backlogs drained, which faults came, and a page that asks for nothing."""

import re
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from tests.faults.course import Course
from tests.faults.draw import drawn, left_out, possible
from tests.faults.ground import Beneath, Ground
from tests.faults.injection import Overcome
from tests.faults.kinds import KINDS
from tests.faults.report import as_json, slowest
from tests.faults.timeline import document
from tests.faults.watch import Seen, drains


def looks(*waiting: float, applied: float) -> list[Seen]:
    return [Seen(2.0 * number, applied, one, 0.0, 0) for number, one in enumerate(waiting)]


def test_a_backlog_that_shrinks_by_as_much_as_arrives_drains_at_twice_the_rate() -> None:
    # 100 taken a second, 50 a second fewer wait: 50 arrive
    assert drains(looks(0, 600, 500, 400, 300, 200, 100, 50, applied=100.0)) == [1.8]
    assert drains(looks(0, 1000, 800, 600, 400, 200, 0, applied=200.0)) == [2.0]


def test_a_few_events_that_wait_are_no_backlog() -> None:
    assert drains(looks(0, 150, 20, 0, applied=100.0)) == []


def plain_ground() -> Ground:
    """One of each, with no doors and nothing beneath: what the draw looks at."""
    plan = SimpleNamespace(brokers=1, members=1, nodes=lambda: [], each=1)
    programs = [SimpleNamespace(name=name, is_server=name == "kafka") for name in ("kafka", "relay", "insight-worker")]
    system = SimpleNamespace(plan=plan, programs=programs)
    return cast(Ground, SimpleNamespace(system=system, links=None, beneath=Beneath()))


def test_every_kind_comes_before_any_comes_twice_and_the_seed_decides_which() -> None:
    ground = plain_ground()
    kinds = possible(ground)
    faults = [one for together in drawn(ground, Random(5), len(kinds)) for one in together]
    assert {one.kind for one in faults} == set(kinds)
    again = [one for together in drawn(ground, Random(5), len(kinds)) for one in together]
    assert faults == again
    assert faults != [one for together in drawn(ground, Random(6), len(kinds)) for one in together]


def test_what_must_be_alone_is_never_drawn_with_another() -> None:
    pairs = [together for together in drawn(plain_ground(), Random(1), 400) if len(together) == 2]
    assert pairs
    assert not [pair for pair in pairs for one in pair if KINDS[one.kind].alone]


def test_a_kind_that_this_system_does_not_allow_says_what_it_needs() -> None:
    reasons = left_out(plain_ground())
    assert {"cut", "disk lost", "step down", "wall clock", "disk full"} <= set(reasons)
    assert all(reason.removeprefix("needs ") for reason in reasons.values())


def overcome(fault: str, at: float, kinds: tuple[str, ...], counted: float, backlog: bool = False) -> Overcome:
    return Overcome(fault, at, kinds, backlog, over=0.5, requests=1.0, journey=4.0, counted=counted, ready=3.0)


def course() -> Course:
    course = Course(seed=7, rate=20.0, began=1000.0, loaded=90.0)
    course.faults = [
        overcome("kill relay", 5.0, ("kill",), counted=6.0),
        overcome("pause kafka 9 s + kill <b>", 40.0, ("pause", "kill"), counted=12.0),
        overcome("offsets lost insight", 60.0, ("offsets lost",), counted=44.0, backlog=True),
    ]
    course.seconds = {1001: {"accepted": 5}, 1041: {"503": 4, "ConnectError": 1}}
    course.seen = [Seen(1002.0, 40.0, 3.0, 0.1, 0), Seen(1004.0, 50.0, 0.0, 0.1, 1)]
    course.requests, course.found = {"asked": 5, "accepted": 5}, {"events": 900}
    course.violations = {"nothing <i>is</i> lost": []}
    return course


def test_a_backlog_of_its_own_making_is_no_slow_recovery_and_what_never_came_back_has_no_figure() -> None:
    run = course()
    assert slowest(run) == 12.0
    run.faults[0].counted = None
    assert slowest(run) is None


def test_the_file_counts_faults_singly() -> None:
    told = as_json(course())
    assert (told["faults"], told["events"], told["recovery_seconds_max"]) == (4, 900, 12.0)
    assert (told["lost"], told["doubled"], told["inverted"]) == (0, 0, 0)
    assert told["kinds"] == {"kill": 2, "pause": 1, "offsets lost": 1}
    assert told["troubles"] == {"503": 4, "ConnectError": 1}


def test_the_page_holds_everything_and_asks_for_nothing() -> None:
    told: dict[str, Any] = as_json(course())
    page = document(told)
    assert page.count("<svg") == page.count("</svg>") == 6
    assert "kill &lt;b&gt;" in page
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)
