"""The broker's jars: nothing that differs from the pinned bytes is ever put on its class path."""

import hashlib
from pathlib import Path

import pytest

from deploy.local.jars import PINS, Jar, ensure_jars, pinned
from deploy.local.trouble import Trouble

TRUE_BYTES = b"what was pinned"
JAR = Jar("org.example", "thing", "1.0", hashlib.sha256(TRUE_BYTES).hexdigest())


class Repository:
    """Hands out the given bytes and counts how often it was asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0

    def __call__(self, jar: Jar, folder: Path) -> Path:
        self.asked += 1
        file = folder / jar.filename
        file.write_bytes(self.content)
        return file


def test_a_jar_that_differs_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"org\.example:thing:1\.0 .* not the pinned one"):
        ensure_jars(tmp_path, [JAR], Repository(b"something else"))
    assert list(tmp_path.iterdir()) == []


def test_a_repository_out_of_reach_is_told_in_one_sentence(tmp_path: Path) -> None:
    def unreachable(jar: Jar, folder: Path) -> Path:
        raise ConnectionError("no route to host")

    with pytest.raises(Trouble, match=r"Could not fetch org\.example:thing:1\.0") as told:
        ensure_jars(tmp_path, [JAR], unreachable)
    assert len(told.value.en.splitlines()) == 1


def test_a_jar_damaged_on_disk_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / JAR.filename).write_bytes(b"half of")
    ensure_jars(tmp_path, [JAR], Repository(TRUE_BYTES))
    assert (tmp_path / JAR.filename).read_bytes() == TRUE_BYTES


def test_a_true_jar_is_not_fetched_again(tmp_path: Path) -> None:
    repository = Repository(TRUE_BYTES)
    for _ in range(2):
        ensure_jars(tmp_path, [JAR], repository)
    assert repository.asked == 1


def test_a_strange_file_does_not_stay_on_the_class_path(tmp_path: Path) -> None:
    (tmp_path / "stranger.jar").write_bytes(b"x")
    (tmp_path / "fetching-left-by-a-killed-set-up").mkdir()
    ensure_jars(tmp_path, [JAR], Repository(TRUE_BYTES))
    assert [file.name for file in tmp_path.iterdir()] == [JAR.filename]


def test_progress_is_told_from_what_is_there_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    ensure_jars(tmp_path, [JAR], Repository(TRUE_BYTES), lambda done, total: told.append((done, total)))
    assert told == [(0, 1), (1, 1)]


def test_the_pinned_list_names_one_broker_and_the_binding_its_log_needs() -> None:
    jars = {jar.artifact: jar for jar in pinned(PINS.read_text())}
    assert jars["kafka_2.13"].version == "4.3.1"
    assert jars["log4j-slf4j-impl"].version == "2.25.4"
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars.values())
