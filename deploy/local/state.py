"""What is known of a run while it lasts: who holds it, and every process that belongs to it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

from deploy.local.process import Identity
from deploy.local.supervision import MARK


@dataclass(frozen=True)
class State:
    """A run: its mark, the process in the foreground, supervisord, and where things answer."""

    mark: str
    holder: Identity
    supervisor: Identity
    base: int
    kafka: str
    mongo: str

    @classmethod
    def read(cls, data: Path) -> Self | None:
        """The run recorded under ``data``, living or dead; None when it ended in good order."""
        file = _file(data)
        if not file.exists():
            return None
        row = json.loads(file.read_text())
        return cls(**row | {"holder": Identity(**row["holder"]), "supervisor": Identity(**row["supervisor"])})

    def write(self, data: Path) -> None:
        file = _file(data)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)))
        os.replace(partial, file)

    def processes(self) -> list[psutil.Process]:
        """Every living process of this run but its holder: those that carry its mark, orphans too."""
        supervisor = self.supervisor.process()
        marked = [process for process in psutil.process_iter() if _carries(process, self.mark)]
        return ([supervisor] if supervisor and supervisor not in marked else []) + marked


def forget(data: Path) -> None:
    """The run ended in good order: nothing of it is left."""
    _file(data).unlink(missing_ok=True)


def _file(data: Path) -> Path:
    return data / "state.json"


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return False
