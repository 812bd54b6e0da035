"""Whether a sabotage was caught: judged from how its tests ended on the unbroken copy and on the broken one.

Caught is what a test says no to, for the reason that the sabotage names: a failed assertion, or an error that the
project documents. A file that cannot be imported, a set-up that fails, a time-out, another error than the expected one
is no catch: it would only show that the change was clumsy.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sabotage.sabotage import Sabotage

A_NO = frozenset({"AssertionError", "Failed", "Problem", "Refused"})  # ``Failed``: pytest.raises saw nothing raised
TIMEOUT = "from pytest-timeout"
MOST = 300  # characters of what an unexpected failure says


@dataclass(frozen=True)
class Ended:
    """How one phase of one test ended, as the witness wrote it down."""

    test: str
    when: str
    outcome: str
    kinds: tuple[str, ...] = ()
    said: str = ""

    def failed(self) -> bool:
        """Whether anything went wrong."""
        return self.outcome == "failed"

    def says_no(self) -> bool:
        """Whether the test itself, and not what stands around it, said no."""
        return self.failed() and self.when == "call" and bool(A_NO & set(self.kinds)) and TIMEOUT not in self.said

    def words(self) -> str:
        """What the failure says."""
        return f"{self.kinds[0] if self.kinds else self.when}: {self.said}"


@dataclass(frozen=True)
class Verdict:
    """``by``: the tests that caught it; ``why``: why it counts as not caught."""

    caught: bool
    by: tuple[str, ...] = ()
    why: str = ""


def read(file: Path) -> list[Ended]:
    """What the witness wrote; nothing when it wrote nothing."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Ended(**row | {"kinds": tuple(row.get("kinds", ()))}) for row in rows]


def verdict(sabotage: Sabotage, pristine: Sequence[Ended], broken: Sequence[Ended]) -> Verdict:
    """The judgement on one sabotage."""
    reason = unsound(sabotage.tests, pristine)
    if reason:
        return Verdict(False, why=f"on the unbroken copy {reason}")
    spoiled = [one for one in broken if one.when == "collect" and one.failed()]
    if spoiled:
        return Verdict(False, why=f"the broken copy cannot be imported: {spoiled[0].test}")
    by = [one.test for one in broken if one.says_no() and re.search(sabotage.shows, one.words(), re.S)]
    if by:
        return Verdict(True, tuple(by))
    return Verdict(False, why=_otherwise(broken))


def unsound(tests: Iterable[str], ended: Sequence[Ended]) -> str:
    """Why these tests prove nothing: the first that did not run, or did not pass in every phase; empty when all did."""
    for test in tests:
        phases = [one for one in ended if is_of(one.test, test)]
        if not any(one.when == "call" and one.outcome == "passed" for one in phases):
            return f"{test} did not pass"
        wrong = next((one for one in phases if one.failed()), None)
        if wrong is not None:
            return f"{wrong.test} failed in its {wrong.when}"
    return ""


def is_of(found: str, asked: str) -> bool:
    """Whether a test that ran is the one asked for, or one of its parameters."""
    return found == asked or found.startswith(f"{asked}[")


def _otherwise(broken: Sequence[Ended]) -> str:
    wrong = [one for one in broken if one.failed()]
    if not broken:
        return "no test ran to its end"
    if not wrong:
        return "every test passed"
    first = wrong[0]
    return f"{first.test} failed for another reason, in its {first.when}: {first.words()[:MOST]}"
