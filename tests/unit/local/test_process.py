"""Ending what was started, and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.process import Identity, ServerProcess, end
from deploy.local.state import State, forget
from deploy.local.supervision import MARK
from deploy.local.system import end_recorded, held
from deploy.local.trouble import Trouble

FOREVER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
DEAF = [
    *(sys.executable, "-c"),
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()",
]


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(FOREVER, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def started(command: list[str], environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | (environment or {}))
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_number_given_out_again_is_not_taken_for_the_old_process(stranger: subprocess.Popen[bytes]) -> None:
    true = Identity.of(stranger.pid)
    assert true.process() is not None
    assert Identity(true.pid, true.created - 60).process() is None


def test_an_ended_process_is_gone_even_before_its_parent_has_asked() -> None:
    process = started(FOREVER)
    identity = Identity.of(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert identity.process() is None
    process.wait()


def test_a_process_deaf_to_requests_is_ended_all_the_same() -> None:
    process = started(DEAF)
    end([psutil.Process(process.pid)], grace=0.2)
    assert not psutil.pid_exists(process.pid)


def test_a_paused_server_can_be_stopped(tmp_path: Path) -> None:
    server = ServerProcess("any", FOREVER, tmp_path / "log")
    server.start()
    server.pause()
    server.stop(grace=5)
    assert not server.is_running()


def test_a_server_is_not_started_twice(tmp_path: Path) -> None:
    server = ServerProcess("any", FOREVER, tmp_path / "log")
    server.start()
    with pytest.raises(RuntimeError, match="running already"):
        server.start()
    server.kill()


def test_a_killed_run_is_ended_with_its_orphans_and_a_stranger_lives_on(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    supervisor, orphan = started(FOREVER), started(FOREVER, {MARK: "this-run"})
    other_run = started(FOREVER, {MARK: "another-run"})
    dead = Identity(stranger.pid, 0)
    State("this-run", dead, Identity.of(supervisor.pid), 8100, "", "").write(tmp_path)
    end_recorded(tmp_path)
    assert not psutil.pid_exists(supervisor.pid) and not psutil.pid_exists(orphan.pid)
    assert stranger.poll() is None and other_run.poll() is None
    assert State.read(tmp_path) is None
    other_run.kill()


def test_a_data_folder_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(Trouble, match="running already"), held(tmp_path):
        pytest.fail("two runs hold the same data")
    with held(tmp_path):
        forget(tmp_path)
