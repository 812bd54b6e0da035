"""The witness tells apart a test that says no and one that never came so far."""

import subprocess
import sys
from pathlib import Path

from tests.sabotage.judging import Ended, read

ROOT = Path(__file__).parents[3]
TESTS = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no server")

def test_fine(): pass
def test_no(): assert 1 == 2, "two"
def test_nothing_raised():
    with pytest.raises(KeyError): pass
def test_several():
    raise ExceptionGroup("both", [AssertionError("first"), ValueError("second")])
def test_without_a_server(broken): pass
"""


def watched(folder: Path, text: str) -> dict[str, Ended]:
    """How each phase of each test of this text ended: what failed, or else the call."""
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    seen = folder / "seen.jsonl"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.sabotage.witness", f"--witness={seen}"]
    command += ["-p", "no:cacheprovider", "--rootdir", str(folder), "-c", "/dev/null", str(folder)]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    ended = read(seen)
    return {one.test.rpartition("::")[2]: one for one in ended if one.failed() or one.when == "call"}


def test_each_end_is_told_with_its_phase_and_kind(tmp_path: Path) -> None:
    seen = watched(tmp_path, TESTS)
    assert {name for name, one in seen.items() if one.says_no()} == {"test_no", "test_nothing_raised", "test_several"}
    assert seen["test_fine"].outcome == "passed"
    assert seen["test_no"].words().startswith("AssertionError: two\nassert 1 == 2")
    assert seen["test_several"].words() == "AssertionError: first"
    assert (seen["test_without_a_server"].when, seen["test_without_a_server"].kinds[0]) == ("setup", "OSError")


def test_a_file_that_cannot_be_imported_is_no_test_that_failed(tmp_path: Path) -> None:
    seen = watched(tmp_path, "import nothing_of_this_name\n")
    assert [(one.when, one.outcome) for one in seen.values()] == [("collect", "failed")]


def test_nothing_is_seen_where_nobody_watched(tmp_path: Path) -> None:
    assert read(tmp_path / "seen.jsonl") == []
