"""What a run puts beneath single processes: a small disk, a clock that can be wrong, trees to run from."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from deploy.local.install import ROOT
from deploy.local.plan import Program
from tests.faults.ground import Beneath
from tests.faults.kinds.processes import SWAPPED

DISK = "2g"
WRONG_CLOCKS = ("*-worker-2",)
LIBRARIES = "/usr/lib/*/faketime/libfaketime.so.1"


@contextmanager
def laid(folder: Path, release: str) -> Iterator[tuple[Beneath, Callable[[Program], Program]]]:
    """Lay everything that this machine allows under the data folder of a run that is about to start.

    ``release``: the commit of the earlier release; empty: the last one tagged, or the last before services changed.
    Yields what was laid, and what a plan must do to its programs.
    """
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        disk = stack.enter_context(_small_disk(folder / "mongo", missing))
        library = _library(missing)
        clock = folder / "wall-clock" if library else None
        if clock:
            clock.write_text("+0")
        trees = _trees(folder / "trees")
        beneath = Beneath(disk, clock, trees, _unpacked(folder / "release", release, missing), missing)
        yield beneath, lambda program: _adapted(program, library, beneath)


def _library(missing: dict[str, str]) -> Path | None:
    """libfaketime, if it is there and Python can sleep under it: release 0.9.10 breaks that."""
    library = next(Path("/").glob(LIBRARIES.lstrip("/")), None)
    if library is None:
        missing["wall clock"] = "it is not on this machine"
        return None
    slept = subprocess.run(
        [sys.executable, "-c", "import time; time.sleep(0.01)"],
        env=os.environ | {"LD_PRELOAD": str(library), "FAKETIME": "+0", "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
        capture_output=True,
    )
    if slept.returncode != 0:
        missing["wall clock"] = "under the one of this machine time.sleep fails"
        return None
    return library


def _adapted(program: Program, library: Path | None, beneath: Beneath) -> Program:
    if program.name in beneath.trees:
        program = replace(program, directory=beneath.trees[program.name])
    if library and beneath.clock and any(fnmatchcase(program.name, pattern) for pattern in WRONG_CLOCKS):
        wrong = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(beneath.clock)}
        wrong |= {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        program = replace(program, environment={**program.environment, **wrong})
    return program


@contextmanager
def _small_disk(place: Path, missing: dict[str, str]) -> Iterator[Path | None]:
    if os.getuid() != 0:
        missing["disk full"] = "only root may mount one"
        yield None
        return
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "linli-faults", str(place)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        missing["disk full"] = mounted.stderr.strip()
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _trees(folder: Path) -> dict[str, Path]:
    folder.mkdir()
    for program in SWAPPED:
        (folder / program).symlink_to(ROOT)
    return {program: folder / program for program in SWAPPED}


def _unpacked(folder: Path, release: str, missing: dict[str, str]) -> Path | None:
    """The tree of the earlier release."""
    before = "log", "-1", "--skip=1", "--format=%H", "services"
    commit = release or _git("describe", "--tags", "--abbrev=0") or _git(*before)
    if not commit:
        missing["release"] = "this is no clone of the repository"
        return None
    folder.mkdir()
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
