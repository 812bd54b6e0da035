"""Every event type of every service against its published schema, and every consumer against what it reads."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from services.__main__ import CATALOGUE
from services.chassis.consuming.guard import reactions_of
from services.chassis.contracts.eventschemas import event_schema, event_types
from services.chassis.contracts.schemas import PLACE
from services.chassis.contracts.wire import Reader, decode, encode
from services.kernel.events import Event
from tests.contract.generated import LATER, examples

SERVICES = tuple(CATALOGUE.all())
EVENTS = {
    event.full_type(service.name): (service.name, event) for service in SERVICES for _, event in event_types(service)
}
READERS = [
    pytest.param(full_type, reader, id=f"{service.name}-{full_type}-{reader.__name__}")
    for service in SERVICES
    for full_type, reader in reactions_of(service).readers()
]
QUICKLY = settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
RULES = ("value_error", "assertion_error", "window-backwards")  # what compares one field with another
each_event = pytest.mark.parametrize("full_type", sorted(EVENTS))


def committed(full_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((PLACE / "events" / f"{full_type}.json").read_text(encoding="utf-8"))
    return schema


def entry(event: Event, full_type: str) -> dict[str, Any]:
    """The history entry of an event, as the chassis writes it."""
    return {
        "id": "6f0e", "seq": 7, "type": full_type.split(".", 2)[2], "at": datetime(2026, 5, 1, 8, 30, tzinfo=UTC),
        "unit": "unit_2", "district": "unit_1", "scope": ["unit_1", "unit_2"], "cause": "5a1c",
        "data": event.model_dump(mode="json", exclude_none=True),
    }  # fmt: skip


def event_of(data: st.DataObject, service: str, event: type[Event]) -> Event:
    """An event from an example of its own schema; a rule that a schema cannot say rejects some."""
    example = data.draw(examples(event_schema(service, event)))
    try:
        return event.model_validate(example)
    except ValidationError as error:
        assume(not all(each["type"] in RULES for each in error.errors()))
        raise


@each_event
@QUICKLY
@given(data=st.data())
def test_a_field_that_the_schema_does_not_know_is_refused_on_writing(full_type: str, data: st.DataObject) -> None:
    service, event = EVENTS[full_type]
    known = event_of(data, service, event).model_dump(mode="json", exclude_none=True)
    with pytest.raises(ValidationError, match=LATER):
        event.model_validate(known | {LATER: 1})


@each_event
@QUICKLY
@given(data=st.data())
def test_what_is_published_matches_the_published_schema_and_arrives_unchanged(
    full_type: str, data: st.DataObject
) -> None:
    service, event = EVENTS[full_type]
    written = entry(event_of(data, service, event), full_type)
    Draft202012Validator(committed(full_type), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        written["data"]
    )
    envelope = decode(*encode(written, service, "subject_1"))
    assert envelope.data == written["data"]
    assert (envelope.type, envelope.subject, envelope.sequence) == (full_type, "subject_1", 7)
    assert event.model_validate(envelope.data) is not None


@pytest.mark.parametrize(("full_type", "reader"), READERS)
def test_nobody_waits_for_an_event_that_nobody_publishes(full_type: str, reader: type[Reader]) -> None:
    assert full_type in EVENTS


@pytest.mark.parametrize(("full_type", "reader"), READERS)
@QUICKLY
@given(data=st.data())
def test_a_consumer_reads_everything_that_the_schema_allows_also_of_a_later_version(
    full_type: str, reader: type[Reader], data: st.DataObject
) -> None:
    example = data.draw(examples(committed(full_type), open_ended=True))
    assert not hasattr(reader.model_validate(example), LATER)


@each_event
def test_a_published_schema_is_a_schema_and_leaves_room_for_later_fields(full_type: str) -> None:
    schema = committed(full_type)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:linli:schema:{full_type}"
    assert "additionalProperties" not in schema
