"""One server as an ordinary process: started, stopped, killed, paused, and never mistaken for another by its number."""

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Identity:
    """A process for good: its number and the second it was created, because numbers are given out again."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The living process, or None when it has ended or its number now belongs to another."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 0.1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def record(self) -> dict[str, float]:
        return asdict(self)


def end(processes: Iterable[psutil.Process], grace: float) -> None:
    """End processes: asked first, and after ``grace`` seconds without asking. Returns when none is left."""
    waited = list(processes)
    for process in waited:
        _signal(process, signal.SIGCONT)
        _signal(process, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(waited, timeout=grace)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn)


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


class ServerProcess:
    """A server started from a command, with its log file. Not safe for use by several threads at once."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self._environment = dict(environment or {})
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of the running process; raises RuntimeError when it was never started."""
        return self._started().pid

    def identity(self) -> Identity:
        return Identity.of(self.pid)

    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start the process in a session of its own, so that a Ctrl-C in the terminal reaches only us."""
        if self.is_running():
            raise RuntimeError(f"{self.name} is running already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | self._environment,
                start_new_session=True,
            )

    def ask_to_stop(self) -> None:
        """Ask a running process to end, also when it is paused, without waiting for it."""
        if self.is_running():
            self._started().send_signal(signal.SIGCONT)
            self._started().terminate()

    def stop(self, grace: float = 30) -> None:
        """Ask the process to end and wait for it; after ``grace`` seconds it is killed. Does nothing when none runs."""
        if not self.is_running():
            return
        self.ask_to_stop()
        try:
            self._started().wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the process as a power cut would (SIGKILL) and wait until it is gone."""
        self._started().kill()
        self._started().wait()

    def pause(self) -> None:
        """Freeze the process (SIGSTOP): its port stays open and nothing answers."""
        self._started().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        self._started().send_signal(signal.SIGCONT)

    def last_words(self, lines: int = 5) -> str:
        """The end of the log, for messages."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _started(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._popen
