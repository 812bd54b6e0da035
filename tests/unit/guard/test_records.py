"""Poison: whatever bytes arrive, the guard has an answer, and the same one at every delivery."""

from datetime import UTC, datetime

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.consuming.parked import _upsert
from services.chassis.consuming.records import REASONS, Fault, Item, Stored
from services.chassis.contracts.wire import encode

NAMES = st.sampled_from(
    ["ce_id", "ce_type", "ce_subject", "ce_sequence", "ce_source", "ce_time", "ce_specversion", "content-type", "x"]
)
CONTENT = st.one_of(st.none(), st.binary(max_size=40), st.sampled_from([b"1", b"1.0", b"linli.a.b.c.v1", b"thing_a"]))
ENTRY = {
    "id": "event_1", "seq": 3, "type": "thing.noted.v1", "at": datetime(2026, 5, 1, tzinfo=UTC), "unit": "unit_1",
    "district": "unit_0", "data": {"number": 1},
}  # fmt: skip
GOOD = encode(ENTRY, "source", "thing_a")


@given(
    key=st.one_of(st.none(), st.binary(max_size=40)),
    value=st.one_of(st.none(), st.binary(max_size=200)),
    headers=st.lists(st.tuples(st.one_of(NAMES, st.text(max_size=10)), CONTENT), max_size=12),
)
def test_any_record_is_read_or_parked(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    first, second = (Item(Stored("t", 0, 7, key, value, headers)) for _ in range(2))  # type: ignore[arg-type]
    assert (first.envelope is None) == (first.fault is not None)
    assert first.row == second.row
    assert bson.encode(_upsert(first, first.fault or Fault("gap"), datetime.now(UTC))._doc)


@given(value=st.binary(max_size=200))
def test_a_broken_value_is_held_against_the_event_its_headers_name(value: bytes) -> None:
    item = Item(Stored("t", 0, 7, GOOD.key, b"\xff" + value, GOOD.headers))
    assert item.fault is not None
    assert item.fault.reason == "undecodable"
    assert (item.subject, item.seq, item.id) == ("thing_a", 3, "event_1")


@pytest.mark.parametrize(
    "change",
    [
        {"ce_sequence": b"0"}, {"ce_sequence": b"-1"}, {"ce_sequence": b"9" * 19}, {"ce_sequence": "٣".encode()},
        {"ce_subject": b"thing_b"}, {"ce_id": b""}, {"ce_id": b"\xff"}, {"ce_type": b""},
    ],
)  # fmt: skip
def test_what_its_headers_do_not_tell_surely_names_no_aggregate(change: dict[str, bytes]) -> None:
    headers = [(name, change.get(name, content)) for name, content in GOOD.headers]
    item = Item(Stored("t", 0, 7, GOOD.key, b"{", headers))
    assert item.subject == ""
    assert item.row == Item(Stored("t", 0, 7, None, None, [])).row


def test_a_repeated_header_names_no_aggregate() -> None:
    item = Item(Stored("t", 0, 7, GOOD.key, GOOD.value, [*GOOD.headers, ("ce_subject", b"thing_a")]))
    assert item.fault is not None
    assert item.subject == ""


def test_reasons_are_told_apart() -> None:
    assert len(set(REASONS)) == len(REASONS)
