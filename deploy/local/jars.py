"""The jars of the embedded Kafka broker: pinned by coordinate and SHA-256, fetched once, checked, never trusted unseen.

A user behind a mirror names it under ``[repositories]`` in jgo's own configuration; nothing here names a host.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.trouble import Trouble, give_up

PINS = Path(__file__).with_name("jars.txt")
# An organisation's own certificate is found here and not in the bundle that comes with a Python package.
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ROOTS = ("org.apache.kafka:kafka_2.13:4.3.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")

Fetch = Callable[["Jar", Path], Path]
"""Brings one jar into a folder and returns its file; raises OSError or RuntimeError when it cannot."""


@dataclass(frozen=True)
class Jar:
    """One pinned jar: Maven group, artifact and version, and the SHA-256 its bytes must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def pinned(text: str) -> list[Jar]:
    """Read the pin file: ``group:artifact:version sha256`` per line, ``#`` starts a comment line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Jar(*re.split("[: ]", line, maxsplit=3)) for line in lines]


def digest(file: Path) -> str:
    """SHA-256 of a file, as lower-case hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_true(jar: Jar, file: Path) -> bool:
    """Whether the file exists and is byte for byte the pinned jar."""
    return file.is_file() and digest(file) == jar.sha256


def refuse_false(jar: Jar, file: Path) -> None:
    """Raise Trouble when a fetched file is not the pinned jar."""
    if is_true(jar, file):
        return
    raise Trouble(
        f"下载到的 {jar.coordinate} 与登记的校验值不符,已拒绝使用;请检查网络或镜像后再运行一次。",
        f"The jar {jar.coordinate} that was fetched is not the pinned one and was refused; "
        "check the network or your mirror, then run the same command again.",
    )


def fetch_with_jgo(jar: Jar, folder: Path) -> Path:
    """Fetch one jar through jgo into ``folder``, from the repositories of the user's own jgo configuration."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    if SYSTEM_CERTIFICATES.exists():
        os.environ.setdefault("REQUESTS_CA_BUNDLE", str(SYSTEM_CERTIFICATES))
    own = GlobalSettings.load().repositories
    context = MavenContext(repo_cache=folder, remote_repos=own or None, timeout=60)
    return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())


def _bring(jar: Jar, jars: Path, fetch: Fetch) -> None:
    with tempfile.TemporaryDirectory(dir=jars, prefix="fetching-") as folder:
        try:
            file = fetch(jar, Path(folder))
        except (OSError, RuntimeError) as error:
            raise Trouble(
                f"取不到 {jar.coordinate}({type(error).__name__});请检查网络后再运行一次,已完成的部分会保留。",
                f"Could not fetch {jar.coordinate} ({type(error).__name__}); check the network and run the same "
                "command again: what is done stays done.",
            ) from error
        refuse_false(jar, file)
        os.replace(file, jars / jar.filename)


def ensure_jars(
    jars: Path,
    pins: Iterable[Jar] | None = None,
    fetch: Fetch = fetch_with_jgo,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Make ``jars`` hold exactly the pinned jars and return it.

    Every jar already there is checked, a wrong one is fetched again, and a strange one is removed: the whole folder is
    the broker's class path. ``progress`` is called with (done, total). Raises Trouble when a jar differs or is out of
    reach.
    """
    wanted = list(pinned(PINS.read_text()) if pins is None else pins)
    jars.mkdir(parents=True, exist_ok=True)
    for stray in set(jars.iterdir()) - {jars / jar.filename for jar in wanted}:
        shutil.rmtree(stray) if stray.is_dir() else stray.unlink()
    missing = [jar for jar in wanted if not is_true(jar, jars / jar.filename)]
    done = len(wanted) - len(missing)
    progress(done, len(wanted))
    with ThreadPoolExecutor(max_workers=4) as pool:
        for count, _ in enumerate(pool.map(lambda jar: _bring(jar, jars, fetch), missing), start=done + 1):
            progress(count, len(wanted))
    return jars


def resolved(roots: Iterable[str] = ROOTS) -> list[Jar]:
    """Resolve the roots and all they need, as a maintainer does to move to another version; fetches everything."""
    import jgo

    artifacts = {artifact.filename: artifact for root in roots for artifact in jgo.resolve(root)}
    return sorted(
        (Jar(a.groupId, a.artifactId, a.version, digest(Path(a.resolve()))) for a in artifacts.values()),
        key=lambda jar: jar.coordinate,
    )


def _pin() -> None:
    comments = [line for line in PINS.read_text().splitlines() if line.startswith("#")]
    PINS.write_text("\n".join([*comments, *(f"{jar.coordinate} {jar.sha256}" for jar in resolved())]) + "\n")


def _show(done: int, total: int) -> None:
    if sys.stdout.isatty():
        print(f"\r  Kafka: {done}/{total}", end="\n" if done == total else "", flush=True)
    elif done == total or done % 10 == 0:
        print(f"  Kafka: {done}/{total}", flush=True)


if __name__ == "__main__":
    try:
        if sys.argv[1] == "pin":
            _pin()
        else:
            ensure_jars(Path(sys.argv[1]), progress=_show)
    except Trouble as trouble:
        give_up(trouble)
