"""The commands behind the Makefile: ``python -m deploy.local run|stop|status|clean``."""

import argparse
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from deploy.local.identity import accounts
from deploy.local.install import LOCAL, ROOT
from deploy.local.page import ready_page
from deploy.local.plan import DEFAULT_BASE, Plan, environment
from deploy.local.process import end
from deploy.local.secret import Secrets
from deploy.local.state import State
from deploy.local.supervision import MARK, Supervisor, socket_for
from deploy.local.system import System, end_recorded, held, running
from deploy.local.trouble import Trouble, give_up

DATA = LOCAL / "run"
DEMONSTRATION = "deploy.local.demo"
CACHES = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache")
HIGHEST_BASE = 65_000


def plan_from_environment() -> Plan:
    """The plan of ``make run``, as ``LINLI_PORT_BASE``, ``LINLI_KAFKA``, ``LINLI_MONGO``, ``LINLI_PREFIX`` say."""
    text = os.environ.get("LINLI_PORT_BASE", str(DEFAULT_BASE))
    if not text.isdecimal() or not 1_024 <= int(text) <= HIGHEST_BASE:
        raise Trouble(
            f"LINLI_PORT_BASE={text} 不是可用的端口号;请给出 1024 到 {HIGHEST_BASE} 之间的数,例如 9100。",
            f"LINLI_PORT_BASE={text} is no port to start from; "
            f"give a number from 1024 to {HIGHEST_BASE}, such as 9100.",
        )
    return Plan(
        data=DATA,
        base=int(text),
        given_kafka=os.environ.get("LINLI_KAFKA", ""),
        given_mongo=os.environ.get("LINLI_MONGO", ""),
        prefix=os.environ.get("LINLI_PREFIX", "linli"),
    )


def run() -> None:
    """Start everything, load the demonstration, print the page, and follow until told to stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    plan = plan_from_environment()
    began = time.monotonic()
    try:
        with running(plan, tell=lambda text: print(f"  {text}", flush=True)) as system:
            took = f"{time.monotonic() - began:.0f}"
            print(f"  就绪,用时 {took} 秒 · Ready after {took} s", flush=True)
            load_demonstration(system)
            print(ready_page(plan, accounts()), flush=True)
            follow(system)
    except KeyboardInterrupt:
        print("已全部停止,数据已保留 · Everything is stopped; the data is kept", flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first signal begins the stop; later ones must not break it off half-way."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    print("\n正在停止,请稍候 · Stopping, one moment", flush=True)
    raise KeyboardInterrupt


def load_demonstration(system: System) -> None:
    """Load the demonstration district (again: nothing changes). A failure is told and the system runs on."""
    if importlib.util.find_spec(DEMONSTRATION) is None:
        return
    print("  载入演示数据 · Loading the demonstration district", flush=True)
    own = environment(system.plan, system.secrets, "demonstration")
    own |= {MARK: system.state.mark, "LINLI_LOGS": str(system.plan.data / "log")}
    # In a session of its own, so that a Ctrl-C reaches it through our orderly stop only.
    loading = subprocess.run(
        [sys.executable, "-m", DEMONSTRATION], cwd=ROOT, env=os.environ | own, start_new_session=True, check=False
    )
    if loading.returncode != 0:
        print(
            "✗ 演示数据没有完全载入(原因见上);系统照常运行,再次 make run 会继续载入。\n"
            "  The demonstration was not loaded completely (see above); the system runs on, the next make run goes on.",
            file=sys.stderr,
            flush=True,
        )


def follow(system: System) -> None:
    """Tell every change of a process until supervisord ends; raises Trouble when that was not asked for."""
    before: dict[str, dict[str, Any]] = {}
    while system.is_alive():
        try:
            now = system.supervisor.processes()
        except OSError:
            now = before  # it is about to end: the loop sees that
        for name, row in now.items():
            if change := _change(before.get(name), row):
                print(f"  {datetime.now():%H:%M:%S} {name}: {change}", flush=True)
        before = now
        time.sleep(1)
    raise Trouble(
        "进程管理器意外结束,其余进程已停止,数据已保留;请再次运行 make run。",
        "The process supervisor ended unexpectedly; everything else was stopped and the data is kept; "
        "run make run again.",
    )


def _change(before: dict[str, Any] | None, now: dict[str, Any]) -> str:
    if before is None or before["pid"] == now["pid"]:
        return ""
    if now["pid"] == 0:
        return f"已退出,将重新启动 · ended ({now['spawnerr'] or now['exitstatus']}) and will be started again"
    return f"已重新启动,pid {now['pid']} · started again"


def stop() -> None:
    """End a run from another window: its holder is asked; what a killed holder left is ended directly."""
    state = State.read(DATA)
    if state is None:
        print("没有在运行 · Nothing is running")
        return
    holder = state.holder.process()
    if holder is not None:
        end([holder], grace=150)
    end_recorded(DATA)
    print("已全部停止,数据已保留 · Everything is stopped; the data is kept")


def status() -> None:
    """Every process with its state, its number and for how long it has been up."""
    state = State.read(DATA)
    if state is None or state.supervisor.process() is None:
        left = [] if state is None else state.processes()
        print("没有在运行 · Not running")
        if left:
            print(f"  上次运行遗留进程 {len(left)} 个 · processes left of an earlier run; make stop ends them")
        return
    rows = Supervisor(socket_for(DATA)).processes()
    print(f"运行中 · Running   Kafka {state.kafka}   端口起点 · ports from {state.base}")
    for name, row in rows.items():
        up = f"{int(row['now'] - row['start'])} s" if row["pid"] else "-"
        print(f"  {name:<20} {row['statename']:<10} pid {row['pid']:<8} {up}")


def clean() -> None:
    """Remove the data of runs and tests, and caches; refuses while the system runs. The environment stays."""
    with held(DATA):
        for folder in (LOCAL / "test", *(ROOT / cache for cache in CACHES)):
            shutil.rmtree(folder, ignore_errors=True)
        for entry in DATA.iterdir():
            if entry.name != "lock":
                _remove(entry)
    print("已清除运行数据与测试数据 · The data of runs and tests is removed")


def _remove(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def ops(given: list[str]) -> NoReturn:
    """``python -m services …`` in the environment of the run, keys included: for the commands of docs/operations.md."""
    plan = plan_from_environment()
    own = environment(plan, Secrets(plan.data / "secrets"), "operations")
    os.execvpe(sys.executable, [sys.executable, "-m", "services", *given], os.environ | own)


COMMANDS = {"run": run, "stop": stop, "status": status, "clean": clean}


if __name__ == "__main__":
    if sys.argv[1:2] == ["ops"]:
        ops(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    parser.add_argument("command", choices=COMMANDS)
    try:
        COMMANDS[parser.parse_args().command]()
    except Trouble as trouble:
        give_up(trouble)
