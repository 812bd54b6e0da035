"""How reactions are registered and found."""

import pytest

from services.chassis.consuming.reactions import Doing, Reactions
from services.chassis.contracts.wire import Reader
from services.chassis.settings import Settings

NOTED = "linli.source.thing.noted.v1"
SETTINGS = Settings("sample", "", "", prefix="test")


class Noted(Reader):
    number: int


async def note(event: Noted, do: Doing) -> None:
    """A reaction."""


async def note_differently(event: "Noted", do: "Doing") -> None:
    """Another one, its annotation a text."""


async def note_blindly(event, do) -> None:  # type: ignore[no-untyped-def]
    """One that says nothing of what it reads."""


@pytest.mark.parametrize("wrong", ["thing.noted.v1", "linli.source.thing.noted", "linli.source.thing.noted.v0", ""])
def test_a_type_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not the full type"):
        Reactions("sample").on(wrong)


def test_a_reaction_that_does_not_say_what_it_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="annotated"):
        Reactions("sample").on(NOTED)(note_blindly)


def test_a_name_is_taken_once_for_a_type() -> None:
    reactions = Reactions("sample")
    reactions.on(NOTED)(note)
    with pytest.raises(ValueError, match="named note"):
        reactions.on(NOTED)(note)


def test_several_reactions_to_one_type_keep_their_order() -> None:
    reactions = Reactions("sample")
    reactions.on(NOTED)(note)
    reactions.on(NOTED)(note_differently)
    assert [each.name for each in reactions.of(NOTED)] == ["note", "note_differently"]
    assert reactions.reader_of(NOTED) is Noted
    assert reactions.readers() == [(NOTED, Noted)]


def test_parts_keep_apart_under_names_of_their_own() -> None:
    whole, part = Reactions("sample"), Reactions("units")
    whole.on(NOTED)(note)
    part.on(NOTED)(note)
    whole.include(part, "units")
    assert [each.name for each in whole.of(NOTED)] == ["note", "units.note"]


def test_topics_are_those_of_the_types_once_each() -> None:
    reactions = Reactions("sample")
    reactions.on(NOTED)(note)
    reactions.on("linli.source.thing.painted.v2")(note)
    reactions.on("linli.other.thing.noted.v1")(note)
    assert reactions.topics(SETTINGS) == ["test.other.thing", "test.source.thing"]


def test_another_version_of_a_known_event_is_known_as_such() -> None:
    reactions = Reactions("sample")
    reactions.on(NOTED)(note)
    assert reactions.knows_other_version("linli.source.thing.noted.v2")
    assert not reactions.knows_other_version(NOTED)
    assert not reactions.knows_other_version("linli.source.thing.painted.v1")
