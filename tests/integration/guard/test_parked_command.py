"""The command for parked events, as an operator runs it."""

import argparse
import asyncio
from base64 import b64encode

import pytest

from services.chassis.aggregate import Service
from services.chassis.catalogue import Catalogue
from services.chassis.consuming import parked_command
from services.chassis.consuming.breakers import Breakers
from services.chassis.consuming.rounds import Rounds
from tests.integration.guard.conftest import Town
from tests.integration.guard.sample import SERVICE, reactions
from tests.integration.guard.test_rounds import stored


class OnlyTheSample(Catalogue):
    """Knows one service."""

    def load(self, name: str) -> Service:
        """The sample."""
        return SERVICE


@pytest.fixture
async def parked(town: Town, monkeypatch: pytest.MonkeyPatch) -> str:
    """One refused event and one behind it; the row of the first."""
    settings = town.settings
    for name, value in {
        "KAFKA": settings.kafka,
        "MONGO": settings.mongo,
        "PREFIX": settings.prefix,
        "MASTER_KEY": b64encode(settings.master_key).decode(),
        "LOOKUP_KEY": b64encode(settings.lookup_key).decode(),
        "OIDC_ISSUER": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(f"LINLI_{name}", value)
    rounds = Rounds(town.runtime, reactions)
    await rounds.start()
    await rounds.take([stored(town, "thing_a", 1, "refuse"), stored(town, "thing_a", 2)])
    return str((await town.parked())[0]["_id"])


async def test_a_row_that_is_not_there_is_said_so(parked: str) -> None:
    assert await command("show", "0" * 32) == 1
    assert await command("replay", "0" * 32) == 1
    assert await command("discard", "0" * 32, "--why", "none") == 1


async def test_a_replay_names_its_rows_or_all(parked: str) -> None:
    assert await command("replay") == 2


async def test_listing_tells_reasons_and_no_content(parked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await command("list") == 0
    told = capsys.readouterr().out
    assert "thing_a #1" in told
    assert "refused not-today number" in told
    assert "behind" in told
    assert "refuse\"" not in told


async def test_showing_one_tells_everything_of_it(parked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await command("show", parked) == 0
    told = capsys.readouterr().out
    assert 'value: {"number":1,"how":"refuse"}' in told
    assert "header ce_subject: thing_a" in told


async def test_a_replay_after_the_cure_applies_it_and_what_waited(parked: str, town: Town) -> None:
    assert await command("replay", parked) == 1
    await town.be_patient()
    assert await command("replay", "--all") == 0
    assert await town.book() == {"thing_a": [1, 2]}
    assert await town.parked() == []


async def test_a_discard_is_kept_with_who_and_why(parked: str, town: Town) -> None:
    assert await command("discard", parked, "--why", "entered twice", "--by", "staff_7") == 0
    (row,) = await town.database.collection("discarded").find({})
    assert (row["discard"]["by"], row["discard"]["why"]) == ("staff_7", "entered twice")


async def test_resuming_closes_an_open_breaker(parked: str, town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    await Breakers(town.database, "sample").opened("50 events in a row were parked")
    assert await command("resume") == 0
    assert "1 stopped workers go on" in capsys.readouterr().out


async def command(action: str, *words: str) -> int:
    """Run it as ``python -m services parked`` does."""
    parser = argparse.ArgumentParser()
    parked_command.arguments(parser)
    given = parser.parse_args([action, "--service", "sample", *words])
    return await asyncio.to_thread(parked_command.run, given, OnlyTheSample(("sample",)))
