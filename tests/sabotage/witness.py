"""A pytest plugin that writes down how each test ended: ``-p tests.sabotage.witness --witness FILE``.

One JSON object a line: ``test``, ``when`` (collect, setup, call, teardown), ``outcome`` (passed, failed, skipped), and
of a failure ``kinds``, the names of the error's class and of those it descends from, and ``said``, its text.
"""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

LONGEST = 4000  # characters of a text


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file to write to."""
    parser.addoption("--witness", required=True, type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    config.pluginmanager.register(Witness(config.getoption("--witness")))


class Witness:
    """Writes at once: a session that is killed has told what it had seen until then."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported is no test that failed."""
        if report.failed:
            self._write(report.nodeid, "collect", "failed", None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Every phase of every test."""
        report = yield
        error = call.excinfo.value if call.excinfo is not None and report.failed else None
        self._write(item.nodeid, report.when, report.outcome, error)
        return report

    def _write(self, test: str, when: str, outcome: str, error: BaseException | None) -> None:
        told: dict[str, Any] = {"test": test, "when": when, "outcome": outcome}
        if error is not None:
            first = _first(error)
            told |= {"kinds": [one.__name__ for one in type(first).__mro__], "said": str(first)[:LONGEST]}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told, ensure_ascii=False) + "\n")


def _first(error: BaseException) -> BaseException:
    """Several different failures of one property come as a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
