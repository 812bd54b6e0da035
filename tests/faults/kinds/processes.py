"""Processes and servers as processes: killed, frozen, out of memory, started anew, from an earlier release."""

import os
import resource
import signal
from collections.abc import Iterator

import psutil

from deploy.local.install import ROOT
from tests.faults.ground import Ground
from tests.faults.kinds.registry import kind
from tests.faults.kinds.servers import whole

SWAPPED = ("complaints-api-2", "complaints-worker-2")  # run from an earlier release for a while
ROOM = 2 << 20  # bytes until the memory limit is hit


def _ours(ground: Ground) -> list[str]:
    return [program.name for program in ground.system.programs if not program.is_server]


def _all(ground: Ground) -> list[str]:
    return [program.name for program in ground.system.programs]


def _one_each(ground: Ground) -> list[str]:
    return [name for name in _ours(ground) if name != "identity"]


@kind("kill", _all)
def kill(ground: Ground, program: str) -> Iterator[None]:
    """SIGKILL; supervisord starts it again."""
    ground.kill(program)
    yield
    ground.until_back(program)


@kind("pause", _all, seconds=(6, 14))
def pause(ground: Ground, program: str) -> Iterator[None]:
    """SIGSTOP, later SIGCONT: ports stay open and nothing answers."""
    pid = ground.pid(program)
    ground.signal(pid, signal.SIGSTOP)
    yield
    ground.signal(pid, signal.SIGCONT)
    ground.until_back(program)


@kind("memory", _one_each, seconds=(10, 20))
def memory(ground: Ground, program: str) -> Iterator[None]:
    """No memory beyond what it has: it ends and comes back, or gets along."""
    pid = ground.pid(program)
    limit = psutil.Process(pid).memory_info().vms + ROOM
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    yield
    try:
        resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ProcessLookupError:
        ground.until_back(program)


@kind("restart", lambda ground: ["processes", "servers"], alone=True)
def restart(ground: Ground, which: str) -> Iterator[None]:
    """Everything one by one, in good order, each ready before the next."""
    for program in ground.system.programs:
        if program.is_server == (which == "servers"):
            with ground.stopped(program.name):
                pass
            if program.is_server:
                ground.until_back(program.name)
                ground.until(lambda: whole(ground), "every partition on all brokers again")
            else:
                ground.ready(program.name)
    yield


def _release(ground: Ground) -> list[str]:
    return ["complaints-*-2"] if ground.beneath.release else []


@kind("release", _release, why_not="an earlier release and two of each process", seconds=(20, 30))
def release(ground: Ground, _: str) -> Iterator[None]:
    """The second api and worker of complaints run from an earlier release beside the present one, and come back."""
    assert ground.beneath.release is not None
    _run_from(ground, str(ground.beneath.release))
    yield
    _run_from(ground, str(ROOT))


def _run_from(ground: Ground, tree: str) -> None:
    for program in SWAPPED:
        with ground.stopped(program):
            link = ground.beneath.trees[program]
            fresh = link.with_suffix(".next")
            fresh.symlink_to(tree)
            os.replace(fresh, link)
        ground.ready(program)


def _holders(ground: Ground) -> list[str]:
    return [f"{service}:{lease}" for service in ("complaints", "volunteers") for lease in ("relay", "sweep")]


@kind("frozen holder of", _holders, seconds=(9, 13))
def frozen_holder(ground: Ground, lease: str) -> Iterator[None]:
    """Whoever holds this lease is frozen for longer than it lasts, and wakes up."""
    service, _, name = lease.partition(":")
    with ground.database() as client:
        row = client[f"{ground.prefix}_{service}"]["leases"].find_one({"_id": name}) or {}
    held = int(str(row.get("holder") or "::").split(":")[1] or 0)  # nobody: between two holders
    living = {ground.system.pid(program) for program in _ours(ground)}
    if held in living:
        ground.signal(held, signal.SIGSTOP)
    yield
    if held in living:
        ground.signal(held, signal.SIGCONT)
