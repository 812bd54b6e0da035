"""Copies of the project: its tracked files as they were when the run began, with this one's environment and jars."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deploy.local.install import LOCAL, ROOT
from deploy.local.servers import RECORD, end_leftovers
from deploy.local.trouble import Trouble
from tests.sabotage.sabotage import Sabotage

SHARED = ("venv", "jars")


def tracked() -> list[str]:
    """The files that belong to the project, by their path in it. Raises Trouble where git cannot tell."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Trouble(
            "项目文件按 git 的登记复制,这里不是 git 工作区;请在克隆的仓库里运行。",
            "The files to copy are those that git lists, and this is no work tree of git; run it in a clone.",
        )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


class Copies:
    """One unbroken copy, taken at the start, and the broken ones made of it: what is edited meanwhile has no say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = tracked()
        self.unbroken = folder / "unbroken"
        self._copy(ROOT, self.unbroken)

    def broken(self, sabotage: Sabotage) -> Path:
        """A copy with that one change. Raises Trouble when the change does not apply."""
        text = sabotage.applied((self.unbroken / sabotage.file).read_text(encoding="utf-8"))
        copy = self._folder / sabotage.name
        self._copy(self.unbroken, copy)
        (copy / sabotage.file).write_text(text, encoding="utf-8")
        return copy

    def _copy(self, source: Path, to: Path) -> None:
        remove(to)
        for name in self._names:
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target)
        (to / ".local").mkdir()
        for name in _present(SHARED):
            (to / ".local" / name).symlink_to((LOCAL / name).resolve())


def remove(copy: Path) -> None:
    """Delete a copy, and end the servers that a killed run of its tests left behind."""
    for record in copy.glob(f".local/test/**/{RECORD}"):
        end_leftovers(record.parent)
    if copy.exists():
        shutil.rmtree(copy)


def _present(names: Iterable[str]) -> list[str]:
    return [name for name in names if (LOCAL / name).exists()]
