"""Whatever lies in a topic, every service reads it or says what is wrong with it, by code and place, and tells nothing
of what stood there."""

from datetime import UTC, date, datetime
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions, TypeRegistry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.__main__ import CATALOGUE
from services.chassis.consuming.applying import _schema_fault
from services.chassis.consuming.guard import reactions_of
from services.chassis.consuming.parked import _upsert
from services.chassis.consuming.records import REASONS, Fault, Item, Stored
from tests.unit.guard.hostile import each_wrong, records

TYPES = {service.name: reactions_of(service).types() for service in CATALOGUE.all()}
SLOWLY = [HealthCheck.too_slow, HealthCheck.data_too_large]
MANY = settings(max_examples=200, deadline=None, suppress_health_check=SLOWLY)


@pytest.mark.parametrize("service", sorted(TYPES))
@MANY
@given(data=st.data())
def test_any_record_is_read_or_has_its_fault_and_can_be_kept(service: str, data: st.DataObject) -> None:
    record: Stored = data.draw(records(TYPES[service]))
    item = Item(record)
    assert (item.envelope is None) == (item.fault is not None)
    fault = item.fault or Fault("gap")
    assert fault.reason in REASONS
    kept = _upsert(item, fault, datetime.now(UTC))._doc
    assert bson.decode(bson.encode(kept["$setOnInsert"]))["value"] == record.value
    assert item.row == Item(record).row


# A day is stored as it is written; so does every reaction that keeps one.
DAYS = TypeRegistry(fallback_encoder=lambda value: value.isoformat() if isinstance(value, date) else value)
AS_STORED: CodecOptions[Any] = CodecOptions(type_registry=DAYS)
READ = sorted({(name, full_type) for name, types in TYPES.items() for full_type in types})


@pytest.mark.parametrize(("service", "full_type"), READ)
def test_each_field_that_is_wrong_is_named_or_harmless(service: str, full_type: str) -> None:
    for reaction in reactions_of(CATALOGUE.load(service)).of(full_type):
        for told in each_wrong(full_type):
            try:
                read = reaction.reader.model_validate(told)
            except ValidationError as error:
                fault = _schema_fault(error)
                assert fault.code and fault.field.startswith("data"), told
            else:
                assert bson.encode(read.model_dump(), codec_options=AS_STORED), told
