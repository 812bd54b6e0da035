"""Set-up on a bare machine: its own environment from the hash-pinned list, and the jars of Kafka.

    python3 -m deploy.local.install run      what `make run` needs
    python3 -m deploy.local.install test     what `make test` and `make check` need as well

It imports the standard library only. Each finished part leaves a stamp under ``.local/stamps`` that names what it was
made from; a part without its stamp, or with the stamp of another list, is done again on top of what is there.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.machine import require_platform, require_python, require_space
from deploy.local.trouble import Trouble, give_up

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
VENV = LOCAL / "venv"
STAMPS = LOCAL / "stamps"
LISTS = {"run": ROOT / "requirements.txt", "test": ROOT / "requirements-dev.txt"}
JAR_PINS = Path(__file__).with_name("jars.txt")
NEEDED_MB = 1_500
SETUP_LOG = LOCAL / "setup.log"
COUNTED = ("Collecting ", "Requirement already satisfied: ", "Ignoring ")


def main(purpose: str) -> None:
    """Bring everything up to date for ``purpose`` (run or test); does nothing, quickly, when it is."""
    require_python(sys.version_info[:2])
    if not given(purpose, "MONGO"):
        require_platform()
    LOCAL.mkdir(exist_ok=True)
    with _alone():
        if is_current(purpose):
            return
        require_space(LOCAL, NEEDED_MB)
        print("正在准备运行环境(首次约需一至三分钟)· Setting up (one to three minutes the first time)", flush=True)
        _packages(purpose)
        if not given(purpose, "KAFKA"):
            _jars()
        print("准备完成 · Set-up is complete", flush=True)


def given(purpose: str, server: str) -> bool:
    """Whether the user names a server of their own: ``LINLI_KAFKA`` for a run, ``LINLI_TEST_KAFKA`` for the tests."""
    return bool(os.environ.get(f"LINLI_{server}" if purpose == "run" else f"LINLI_TEST_{server}"))


def stamp_of(purpose: str) -> str:
    """What the packages for ``purpose`` are made from: the list, the Python version and the place."""
    made_from = f"{LISTS[purpose].read_text()}\n{sys.version_info[:2]}\n{ROOT}"
    return hashlib.sha256(made_from.encode()).hexdigest()


def is_current(purpose: str) -> bool:
    """Whether a finished set-up for ``purpose`` is there and was made from the lists as they are now."""
    has_jars = given(purpose, "KAFKA") or _has_stamp("jars", _jars_stamp())
    return has_jars and _has_stamp("packages-" + purpose, stamp_of(purpose)) and _environment_works()


def explain_pip(output: str) -> Trouble:
    """Tell the user what pip's failure means."""
    if "No space left on device" in output:
        return Trouble(
            "安装途中磁盘已满;请腾出空间后再运行,已完成的部分会保留。",
            "The disk became full during set-up; make room and run the same command again.",
        )
    if "DO NOT MATCH THE HASHES" in output:
        return Trouble(
            "下载到的软件包与登记的校验值不符,已拒绝安装;请检查网络或镜像后再运行。",
            "A package that was fetched is not the pinned one and was refused; "
            "check the network or your mirror and try again.",
        )
    if re.search(r"NewConnectionError|Temporary failure in name|ReadTimeout|ConnectTimeout|ProxyError", output):
        return Trouble(
            "连不上软件包仓库;请检查网络(或在 pip 配置中设置镜像)后再运行一次,会从中断处继续。",
            "The package index is out of reach; check the network (or name a mirror in pip's configuration) "
            "and run the same command again: it goes on where it stopped.",
        )
    last = next((line for line in reversed(output.splitlines()) if line.startswith("ERROR")), "pip failed")
    return Trouble(
        f"安装软件包失败({last});完整输出见 {SETUP_LOG},修正后再运行一次。",
        f"Installing the packages failed ({last}); all of its output is in {SETUP_LOG}.",
    )


@contextmanager
def _alone() -> Iterator[None]:
    with (LOCAL / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("另一个准备过程正在进行,等待它结束 · Another set-up is under way; waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _has_stamp(name: str, content: str) -> bool:
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text() == content


def _write_stamp(name: str, content: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    partial = STAMPS / f".{name}"
    partial.write_text(content)
    os.replace(partial, STAMPS / name)


def _python() -> Path:
    return VENV / "bin" / "python"


def _environment_works() -> bool:
    if not _python().exists():
        return False
    try:
        tried = subprocess.run(
            [str(_python()), "-c", "import pip, sys; print(sys.version_info[:2] == tuple(map(int, sys.argv[1:])))"]
            + [str(part) for part in sys.version_info[:2]],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return tried.stdout.strip() == "True"


def _make_environment() -> None:
    if _environment_works():
        return
    if VENV.exists():
        print("  上次准备未完成,重新建立 · An earlier set-up was not finished; making it anew", flush=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode == 0 and _environment_works():
        return
    version = ".".join(platform.python_version_tuple()[:2])
    raise Trouble(
        f"这台机器的 Python 缺少 venv 模块;请安装后再运行:sudo apt-get install python{version}-venv。",
        f"This machine's Python lacks the venv module; install it and try again: "
        f"sudo apt-get install python{version}-venv.",
    )


def forget_half_installed(site_packages: Path) -> None:
    """Make pip install again what it was installing when it was killed: it writes a package's RECORD last."""
    for described in site_packages.glob("*.dist-info"):
        if not (described / "RECORD").exists():
            shutil.rmtree(described)


def _packages(purpose: str) -> None:
    if _has_stamp("packages-" + purpose, stamp_of(purpose)) and _environment_works():
        return
    _make_environment()
    for site_packages in VENV.glob("lib/python*/site-packages"):
        forget_half_installed(site_packages)
    wanted = len(re.findall(r"^\S+==", LISTS[purpose].read_text(), flags=re.MULTILINE))
    code = _run_pip(["install", "--require-hashes", "--no-deps", "-r", str(LISTS[purpose])], wanted)
    print(flush=True)
    if code != 0:
        raise explain_pip(SETUP_LOG.read_text())
    _write_stamp("packages-" + purpose, stamp_of(purpose))
    if purpose == "test":
        _write_stamp("packages-run", stamp_of("run"))


def _run_pip(arguments: list[str], wanted: int) -> int:
    command = [str(_python()), "-m", "pip", "--disable-pip-version-check", *arguments, "--progress-bar", "off"]
    seen = 0
    with (
        SETUP_LOG.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        for line in pip.stdout or ():
            log.write(line)
            log.flush()
            seen += line.startswith(COUNTED)
            show_progress(seen, wanted, line)
    return pip.returncode


def show_progress(done: int, wanted: int, line: str) -> None:
    """Show how far pip is: one line that is written over on a terminal, every tenth package elsewhere."""
    terminal = sys.stdout.isatty()
    if line.startswith("Installing collected packages"):
        text = f"  Python: {wanted}/{wanted} 安装中 · installing"
    elif line.startswith(COUNTED) and (terminal or done % 10 == 0):
        text = f"  Python: {done}/{wanted} {line.split(':')[-1].removeprefix('Collecting').split('==')[0].strip()}"
    else:
        return
    print(f"\r{text:<60}" if terminal else text, end="" if terminal else "\n", flush=True)


def _jars_stamp() -> str:
    return hashlib.sha256(JAR_PINS.read_bytes()).hexdigest()


def _jars() -> None:
    if _has_stamp("jars", _jars_stamp()):
        return
    done = subprocess.run([str(_python()), "-m", "deploy.local.jars", str(LOCAL / "jars")], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    _write_stamp("jars", _jars_stamp())


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Trouble as trouble:
        give_up(trouble)
    except KeyboardInterrupt:
        print("\n已中断,下次会从中断处继续 · Interrupted; the next run goes on from here", flush=True)
        raise SystemExit(130) from None
