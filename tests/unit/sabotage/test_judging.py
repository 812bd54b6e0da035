"""What counts as caught, and what does not: a change that nobody says no to, or that fails for another reason."""

from typing import Any

import pytest

from tests.sabotage.judging import Ended, verdict
from tests.sabotage.sabotage import Sabotage

TEST = "tests/test_hours.py::test_hours"
SABOTAGE = Sabotage(
    name="twice", promise="p", what="w", file="f.py", old="1", new="2", tests=(TEST,), shows=r"assert 90 == 45"
)
NO: dict[str, Any] = {"kinds": ("AssertionError", "Exception"), "said": "assert 90 == 45"}


def passed(test: str = TEST) -> list[Ended]:
    return [Ended(test, when, "passed") for when in ("setup", "call", "teardown")]


def failed(test: str = TEST, when: str = "call", **more: Any) -> list[Ended]:
    return [Ended(test, when, "failed", **NO | more)]


def test_a_test_that_says_no_for_the_reason_has_caught_it() -> None:
    assert verdict(SABOTAGE, passed(), failed()).by == (TEST,)


@pytest.mark.parametrize("kinds", [("Failed",), ("NotFound", "Problem", "Exception"), ("Refused", "Exception")])
def test_a_missing_error_and_an_error_that_is_documented_are_a_no_too(kinds: tuple[str, ...]) -> None:
    assert verdict(SABOTAGE, passed(), failed(kinds=kinds)).caught


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ([], "no test ran"),
        (passed(), "every test passed"),
        (failed(when="setup"), "another reason, in its setup"),
        (failed(when="teardown"), "another reason, in its teardown"),
        ([Ended("tests/test_hours.py", "collect", "failed"), *failed()], "cannot be imported"),
        (failed(kinds=("KeyError", "Exception")), "another reason, in its call: KeyError"),
        (failed(said="assert 1 == 2"), "another reason, in its call: AssertionError"),
        (failed(kinds=("Failed",), said="assert 90 == 45 Timeout (>120.0s) from pytest-timeout."), "another reason"),
    ],
)
def test_what_nobody_says_no_to_for_the_reason_is_not_caught(broken: list[Ended], why: str) -> None:
    found = verdict(SABOTAGE, passed(), broken)
    assert not found.caught and why in found.why


@pytest.mark.parametrize(
    "pristine",
    [
        [],
        failed(),
        [*passed(), *failed(when="teardown")],
        [Ended(TEST, "setup", "passed"), Ended(TEST, "call", "skipped")],
        passed("tests/test_hours.py::test_hours_of_another"),
    ],
)
def test_a_test_that_does_not_pass_on_the_unbroken_copy_proves_nothing(pristine: list[Ended]) -> None:
    found = verdict(SABOTAGE, pristine, failed())
    assert not found.caught and "unbroken" in found.why


def test_a_parameter_of_a_test_is_that_test() -> None:
    assert verdict(SABOTAGE, passed(f"{TEST}[motor]"), failed(f"{TEST}[motor]")).by == (f"{TEST}[motor]",)
