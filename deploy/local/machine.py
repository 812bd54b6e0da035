"""What this machine must have before anything is set up or started. Standard library only."""

import platform
import shutil
from pathlib import Path

from deploy.local.trouble import Trouble

OLDEST_PYTHON = (3, 11)


def require_python(version: tuple[int, ...]) -> None:
    """Raise Trouble when this Python is too old."""
    if version < OLDEST_PYTHON:
        raise Trouble(
            "需要 Python 3.11 或更高版本;请安装(例如 sudo apt-get install python3.11 python3.11-venv)后再运行。",
            "Python 3.11 or later is needed; install it (for example: sudo apt-get install python3.11 python3.11-venv) "
            "and try again.",
        )


def require_space(folder: Path, megabytes: int) -> None:
    """Raise Trouble when the disk of ``folder`` has less than ``megabytes`` free."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise Trouble(
            f"磁盘空间不足:{folder} 需要 {megabytes} MB,只剩 {free} MB;请腾出空间后再运行。",
            f"The disk is too full: {folder} needs {megabytes} MB and {free} MB are free; make room and try again.",
        )


def require_platform(system: str = platform.system(), machine: str = platform.machine()) -> None:
    """Raise Trouble where the built-in MongoDB does not exist: anything but Linux on x86-64."""
    if (system, machine.lower()) not in {("Linux", "x86_64"), ("Linux", "amd64")}:
        raise Trouble(
            f"自带的 MongoDB 只支持 x86-64 的 Linux(本机为 {system} {machine});"
            "请用 LINLI_MONGO 和 LINLI_KAFKA 给出您自己的服务器地址,再运行 make run。",
            f"The built-in MongoDB is for Linux on x86-64 only and this is {system} on {machine}; give the "
            "addresses of servers of your own in LINLI_MONGO and LINLI_KAFKA and run make run again.",
        )
