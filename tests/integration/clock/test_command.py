"""``python -m services clock``: for whoever demonstrates."""

import base64
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient


@pytest.fixture
def clock(servers: Any) -> Any:
    """Runs the command; each test has a clock of its own."""
    prefix = f"test_{uuid4().hex[:12]}"
    environment = os.environ | {
        "LINLI_KAFKA": servers.kafka,
        "LINLI_MONGO": servers.mongo,
        "LINLI_PREFIX": prefix,
        "LINLI_MASTER_KEY": base64.b64encode(bytes(96)).decode(),
        "LINLI_LOOKUP_KEY": base64.b64encode(bytes(32)).decode(),
        "LINLI_OIDC_ISSUER": "http://127.0.0.1:1",
    }

    def run(*arguments: str, movable: str = "1") -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "services", "clock", *arguments],
            env=environment | {"LINLI_MOVABLE_CLOCK": movable}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    yield run
    client: MongoClient[Any] = MongoClient(servers.mongo)
    with client:
        client.drop_database(f"{prefix}_clock")


def test_it_does_not_move_where_it_may_not(clock: Any) -> None:
    code, said = clock("advance", "8h", movable="")
    assert (code, "不可移动" in said, "does not move here" in said) == (2, True, True)


def test_it_moves_forward_and_shows_how_far(clock: Any) -> None:
    assert clock("advance", "1d12h")[0] == 0
    code, said = clock("show")
    assert (code, said.strip().endswith("(+1 day, 12:00:00)")) == (0, True)
    assert clock("advance", "yesterday")[0] == 2
    assert clock("advance", "0s")[0] == 2
