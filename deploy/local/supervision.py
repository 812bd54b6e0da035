"""supervisord: its configuration made from programs, its process, and the questions put to it over its socket."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.plan import Program

MARK = "LINLI_RUN"
"""Environment variable that every process of a run carries: it tells them from all others, even when orphaned."""
LONGEST_SOCKET = 100  # the system allows 107 bytes


def configuration(programs: Iterable[Program], folder: Path, socket: Path) -> str:
    """The text of supervisord.conf. Processes of ours are stopped before the servers they stand on.

    A process that ends is started again: at once when it had run for ``startsecs``, else after a pause that grows by a
    second each time.
    """
    listed = list(programs)
    groups = {
        "servers": [p.name for p in listed if p.is_server],
        "services": [p.name for p in listed if not p.is_server],
    }
    parts = [
        "[supervisord]",
        "nodaemon=true",
        f"logfile={_quoted(folder / 'log' / 'supervisord.log')}",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        f"pidfile={_quoted(folder / 'supervisord.pid')}",
        "silent=true",
        "[unix_http_server]",
        f"file={_quoted(socket)}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for priority, (group, names) in enumerate(groups.items(), start=1):
        if names:
            parts += [f"[group:{group}]", f"programs={','.join(names)}", f"priority={priority}"]
    return "\n".join([*parts, *(_section(program) for program in listed)]) + "\n"


def _section(program: Program) -> str:
    environment = ",".join(f'{key}="{_quoted(value)}"' for key, value in program.environment.items())
    return "\n".join(
        [
            f"[program:{program.name}]",
            f"command={' '.join(_argument(part) for part in program.command)}",
            f"environment={environment}",
            *([f"directory={_quoted(program.directory)}"] if program.directory else []),
            "autostart=false",
            "autorestart=true",
            "startsecs=5",
            "startretries=1000000",
            f"stopwaitsecs={program.stop_seconds}",
            "stopasgroup=false",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={_quoted(program.log)}",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=2",
        ]
    )


def _quoted(value: object) -> str:
    return str(value).replace("%", "%%")


def _argument(part: str) -> str:
    return '"' + _quoted(part).replace("\\", "\\\\").replace('"', '\\"') + '"'


def socket_for(folder: Path) -> Path:
    """A socket beside the data, or under the temporary folder where that path is too long for a socket."""
    beside = folder / "supervisor.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET:
        return beside
    return Path(tempfile.gettempdir()) / f"linli-{os.getuid()}-{sha256(os.fsencode(folder)).hexdigest()[:16]}.sock"


def start(config: Path, root: Path, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start supervisord in a session of its own; it starts nothing by itself."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            start_new_session=True,
        )


class Supervisor:
    """What one asks of a running supervisord. Every method raises OSError when it does not answer."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def answers(self) -> bool:
        """Whether supervisord is up."""
        try:
            return bool(self._ask("getState")["statename"] == "RUNNING")
        except OSError:
            return False

    def start_group(self, group: str) -> None:
        """Start all programs of a group without waiting for them."""
        self._ask("startProcessGroup", group, False)

    def stop_program(self, name: str) -> None:
        """Stop one program, by its name as ``group:name``, and leave it stopped."""
        self._ask("stopProcess", name, True)

    def start_program(self, name: str) -> None:
        """Start one program, by its name as ``group:name``, without waiting for it."""
        self._ask("startProcess", name, False)

    def processes(self) -> dict[str, dict[str, Any]]:
        """Each program by name: ``group``, ``statename``, ``pid``, ``start`` (epoch seconds), ``exitstatus``."""
        return {row["name"]: row for row in self._ask("getAllProcessInfo")}

    def _ask(self, method: str, *arguments: object) -> Any:
        # A connection of its own for each question: a kept one is of no use once supervisord was away.
        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        try:
            return getattr(ServerProxy("http://localhost", transport=transport).supervisor, method)(*arguments)
        except HTTPException as error:
            raise ConnectionError(f"supervisord does not answer: {error}") from error
        finally:
            transport.close()
