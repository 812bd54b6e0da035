"""An audit that could not look says so and does not pass."""

import json
from typing import Any

import pytest

from tests.audit import HOLES, NOT_CHECKED, SOUND, verdict

CHECKED = {"name": "sound", "version": "1.0", "vulns": []}
HOLED = {"name": "holed", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "unheard-of", "skip_reason": "Dependency not found"}


def told(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize("output", ["", "no JSON", "[]", "{}", "null"])
def test_without_the_internet_nothing_was_checked_and_it_says_so(output: str) -> None:
    code, lines = verdict(output, "Traceback\nConnectionError: name or service not known")
    assert code == NOT_CHECKED
    assert "没有检查任何依赖" in lines[0] and "Nothing was checked" in lines[1]
    assert "ConnectionError" in lines[2]


def test_a_hole_is_named_with_what_mends_it() -> None:
    code, lines = verdict(told(CHECKED, HOLED, SKIPPED), "")
    assert code == HOLES
    assert "holed 1.0: PYSEC-1" in lines[0] and "1.1" in lines[0]
    assert "2 of 3 packages checked, 1 known holes" in lines[1]


def test_a_package_of_which_nothing_is_told_is_not_taken_for_sound() -> None:
    code, lines = verdict(told(CHECKED, SKIPPED), "")
    assert code == NOT_CHECKED
    assert "unheard-of" in lines[1]
    assert verdict(told(), "")[0] == NOT_CHECKED


def test_only_when_all_were_checked_and_none_has_a_hole_it_passes() -> None:
    assert verdict(told(CHECKED, CHECKED), "")[0] == SOUND
