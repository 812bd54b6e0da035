"""Records on the wire: what is not an event of ours is told apart by a stable code, and our own arrive unchanged."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2 as kafkas_own_murmur2

from services.chassis.contracts.wire import (
    MAX_VALUE_BYTES,
    REQUIRED_HEADERS,
    Headers,
    Reader,
    Undecodable,
    Unpublishable,
    decode,
    encode,
)
from services.chassis.publishing.publisher import murmur2

AT = datetime(2026, 5, 1, 8, 30, 0, 123_000, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    "id": "0b6e",
    "seq": 3,
    "type": "case.registered.v1",
    "at": AT,
    "unit": "unit_2",
    "district": "unit_1",
    "scope": ["unit_1", "unit_2"],
    "cause": "5a1c",
    "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "data": {"category": "noise", "minutes": 30, "place": None},
    "by": "user_7",
    "private": {"reporter": b"sealed"},
}
KEY, VALUE, HEADERS = encode(ENTRY, "complaints", "case_1")


def having(name: str, value: bytes | None) -> Headers:
    """The headers with one changed, or left out."""
    kept = [(each, content) for each, content in HEADERS if each != name]
    return kept if value is None else [*kept, (name, value)]


@pytest.mark.parametrize("name", REQUIRED_HEADERS)
@pytest.mark.parametrize("value", [None, b""], ids=["absent", "empty"])
def test_a_required_header_that_is_missing_is_named(name: str, value: bytes | None) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(KEY, VALUE, having(name, value))
    assert (caught.value.code, caught.value.field) == ("header-missing", name)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("ce_specversion", b"0.3", "specversion-unknown"),
        ("ce_type", b"linli.complaints.case.v1", "type-malformed"),
        ("ce_type", b"linli.complaints.case.registered", "type-malformed"),
        ("ce_type", b"linli.complaints.case.registered.v0", "type-malformed"),
        ("ce_type", b"org.example.case.registered.v1", "type-malformed"),
        ("ce_type", "linli.complaints.case.登记.v1".encode(), "type-malformed"),
        ("ce_type", b"\xff\xfe", "type-malformed"),
        ("ce_source", b"/linli/volunteers", "source-mismatch"),
        ("ce_sequence", b"0", "sequence-malformed"),
        ("ce_sequence", b"007", "sequence-malformed"),
        ("ce_sequence", b"-1", "sequence-malformed"),
        ("ce_sequence", b"3.0", "sequence-malformed"),
        ("ce_sequence", b"9" * 40, "sequence-malformed"),
        ("ce_time", b"yesterday", "time-malformed"),
        ("ce_time", b"2026-05-01T08:30:00", "time-malformed"),
        ("ce_time", b"2026-13-01T08:30:00Z", "time-malformed"),
        ("ce_time", b"0001-01-01T00:00:00+08:00", "time-malformed"),
        ("ce_id", b"\xff", "header-malformed"),
        ("ce_unit", b"\xff", "header-malformed"),
        ("ce_causationid", b"\xff", "header-malformed"),
        ("content-type", b"application/avro", "content-type-unknown"),
    ],
)
def test_a_malformed_header_is_named_with_its_code(name: str, value: bytes, code: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(KEY, VALUE, having(name, value))
    assert (caught.value.code, caught.value.field) == (code, name)


@pytest.mark.parametrize(
    ("key", "value", "code", "field"),
    [
        (None, VALUE, "key-missing", "key"),
        (b"", VALUE, "key-missing", "key"),
        (b"case_2", VALUE, "key-mismatch", "key"),
        (KEY, None, "value-missing", "value"),
        (KEY, b"", "value-not-json", "value"),
        (KEY, b"{", "value-not-json", "value"),
        (KEY, b"\xff\xfe", "value-not-json", "value"),
        (KEY, b'{"a": NaN}', "value-not-json", "value"),
        (KEY, b'{"a": "\\ud800"}', "value-not-json", "value"),
        (KEY, b"[1]", "value-not-object", "value"),
        (KEY, b"null", "value-not-object", "value"),
        (KEY, b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "value-too-deep", "value"),
        (KEY, b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "value-not-json", "value"),
        (KEY, b'"' + b"x" * MAX_VALUE_BYTES + b'"', "value-too-large", "value"),
    ],
)
def test_a_malformed_key_or_value_is_told_by_its_code(
    key: bytes | None, value: bytes | None, code: str, field: str
) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(key, value, HEADERS)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_an_attribute_given_twice_is_refused_and_a_foreign_header_is_not() -> None:
    with pytest.raises(Undecodable) as caught:
        decode(KEY, VALUE, [*HEADERS, ("ce_id", b"another")])
    assert (caught.value.code, caught.value.field) == ("header-repeated", "ce_id")
    assert decode(KEY, VALUE, [*HEADERS, ("b3", b"1"), ("b3", b"2")]).id == "0b6e"


def test_an_error_tells_nothing_of_what_it_was_given() -> None:
    with pytest.raises(Undecodable) as caught:
        decode(KEY, b'{"name": "Wang Xiaoming', HEADERS)
    assert "Wang" not in str(caught.value) and caught.value.__cause__ is None


@given(
    key=st.binary(max_size=8) | st.none(),
    value=st.binary(max_size=40) | st.none(),
    headers=st.lists(st.tuples(st.sampled_from([*REQUIRED_HEADERS, "content-type", "x"]), st.binary(max_size=12))),
)
def test_whatever_arrives_is_decoded_or_undecodable(key: Any, value: Any, headers: Any) -> None:
    with pytest.raises(Undecodable):
        decode(key, value, headers)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"text": "\ud800"}, "value-not-json"),
        ({"number": 2**64}, "value-not-json"),
        ({"blob": b"bytes"}, "value-not-json"),
        ({"deep": [{"number": float("nan")}]}, "number-not-finite"),
        ({"number": float("inf")}, "number-not-finite"),
        ({"text": "x" * MAX_VALUE_BYTES}, "value-too-large"),
    ],
)
def test_what_json_cannot_carry_does_not_leave(data: dict[str, Any], code: str) -> None:
    with pytest.raises(Unpublishable) as caught:
        encode(ENTRY | {"data": data}, "complaints", "case_1")
    assert caught.value.code == code


@pytest.mark.parametrize("type_", ["registered.v1", "case.registered", "case.registered.v0", "Case.Registered.v1", ""])
def test_a_malformed_type_does_not_leave(type_: str) -> None:
    with pytest.raises(Unpublishable):
        encode(ENTRY | {"type": type_}, "complaints", "case_1")


def test_headers_follow_the_cloudevents_binding() -> None:
    assert dict(HEADERS) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_type": b"linli.complaints.case.registered.v1",
        "ce_source": b"/linli/complaints",
        "ce_dataschema": b"urn:linli:schema:linli.complaints.case.registered.v1",
        "ce_id": b"0b6e",
        "ce_subject": b"case_1",
        "ce_time": b"2026-05-01T08:30:00.123Z",
        "ce_sequence": b"3",
        "ce_district": b"unit_1",
        "ce_unit": b"unit_2",
        "ce_scope": b"unit_1,unit_2",
        "ce_causationid": b"5a1c",
        "traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    assert KEY == b"case_1"


def test_only_the_public_part_of_an_entry_leaves() -> None:
    everything = repr((KEY, VALUE, HEADERS))
    assert "user_7" not in everything and "sealed" not in everything


def test_an_event_arrives_as_it_was_written() -> None:
    envelope = decode(KEY, VALUE, dict(HEADERS))
    assert (envelope.service, envelope.aggregate, envelope.name, envelope.version) == (
        "complaints", "case", "case.registered", 1,
    )  # fmt: skip
    assert (envelope.id, envelope.subject, envelope.sequence, envelope.time) == ("0b6e", "case_1", 3, AT)
    assert (envelope.causation, envelope.trace, envelope.scope) == ("5a1c", ENTRY["trace"], ("unit_1", "unit_2"))
    assert envelope.data == ENTRY["data"]


@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    hours=st.integers(-12, 14),
    sequence=st.integers(1, 10**17),
    subject=st.text(st.characters(exclude_categories=("Cs",)), min_size=1),
)
def test_instants_of_any_zone_sequences_and_subjects_survive(
    at: datetime, hours: int, sequence: int, subject: str
) -> None:
    moment = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=timezone(timedelta(hours=hours)))
    envelope = decode(*encode(ENTRY | {"at": moment, "seq": sequence}, "complaints", subject))
    assert (envelope.time, envelope.sequence, envelope.subject) == (moment, sequence, subject)
    assert envelope.time.utcoffset() == timedelta(0)


def test_an_instant_without_a_zone_is_utc() -> None:
    assert decode(*encode(ENTRY | {"at": AT.replace(tzinfo=None)}, "complaints", "case_1")).time == AT


def test_a_reader_takes_only_what_it_declares() -> None:
    class Registered(Reader):
        category: str

    assert Registered.model_validate(ENTRY["data"]).model_dump() == {"category": "noise"}


@given(key=st.binary(min_size=1, max_size=60))
def test_an_aggregate_lies_in_the_partition_where_every_kafka_client_looks_for_it(key: bytes) -> None:
    assert murmur2(key) == kafkas_own_murmur2(key) & 0xFFFFFFFF
