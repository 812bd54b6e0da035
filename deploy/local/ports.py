"""Which ports of this machine are free, and who is told what when one is not."""

import random
import socket
from collections.abc import Mapping

from deploy.local.trouble import Trouble

HOST = "127.0.0.1"
# Below the range from which the system gives out client ports: a client that keeps trying to reach a killed server
# could otherwise be given the server's own port.
CANDIDATES = range(20_000, 32_000)


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def answers(port: int, host: str = HOST) -> bool:
    """Whether something accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_ports(count: int) -> list[int]:
    """Choose ports nobody uses, at random, so that runs beside each other rarely choose the same."""
    chosen: list[int] = []
    for port in random.sample(CANDIDATES, len(CANDIDATES)):
        if len(chosen) == count:
            return chosen
        if is_free(port):
            chosen.append(port)
    raise Trouble(
        f"找不到 {count} 个空闲端口;请关闭一些程序后再运行。",
        f"No {count} free ports are left; close some programs and try again.",
    )


def require_free(ports: Mapping[str, int]) -> None:
    """Raise Trouble naming the first port that is taken. ``ports`` maps what needs a port to its number."""
    for name, port in ports.items():
        if not is_free(port):
            raise Trouble(
                f"端口 {port}({name} 需要)已被占用;请停止占用它的程序,或换一组端口:LINLI_PORT_BASE=9100 make run。",
                f"Port {port}, needed by {name}, is taken; stop the program that holds it, or choose other ports: "
                "LINLI_PORT_BASE=9100 make run.",
            )
