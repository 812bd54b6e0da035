"""Records that nobody of ours would send: of every type that a service reacts to, with something wrong in them."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from hypothesis import strategies as st

from services.chassis.consuming.records import Stored
from services.chassis.contracts.schemas import PLACE
from services.chassis.contracts.wire import encode
from tests.contract.generated import examples
from tests.journeys.contract import Filling

SUBJECTS = (
    "case_a", "order_a", "unit_g1", "unit_new", "volunteer_a", "x" * 900, "有名字的", "a\x00b", "$where", "a.b|c",
)  # fmt: skip
UNITS = ("unit_g1", "unit_d1", "unit_nowhere", "", "\x00", "$ne")
DEEP: Any = 1
for _ in range(400):
    DEEP = [DEEP]
WRONG: tuple[Any, ...] = (
    None, True, -1, 2**31, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 1.5, 1e308, "", "x", "\x00", "a\x00b", "x" * 100_000,
    "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "NaN",
    [], [None], {}, {"$ne": None}, {"$where": "1"}, {"a.b": 1, "$set": {}}, {"a\x00b": 1}, {"": ""}, DEEP, [{}] * 2000,
)  # fmt: skip
_NUMBERS = itertools.count()
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXT,
    st.sampled_from(WRONG),
)
_ANYTHING = st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=8
)


def each_wrong(full_type: str, fields: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """The simplest data of that type, with each of its fields (or of these) wrong in every way."""
    right = _simplest(full_type)
    for name in [*_schema(full_type)["properties"], "unheard_of"] if fields is None else sorted(fields):
        yield {field: value for field, value in right.items() if field != name}
        yield from ({**right, name: wrong} for wrong in WRONG)


@lru_cache
def _simplest(full_type: str) -> dict[str, Any]:
    """As a request would be made to fit a contract; Hypothesis takes seconds to find the simplest of all."""
    schema = _schema(full_type)
    found: dict[str, Any] = Filling(schema.get("$defs", {}), {}, complete=True).value(schema)
    return found


@lru_cache
def _schema(full_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = orjson.loads((PLACE / "events" / f"{full_type}.json").read_bytes())
    return schema


def data_of(full_type: str) -> st.SearchStrategy[Any]:
    """Data of an event: right, right but for a field or two, or anything at all."""
    right = examples(_schema(full_type))
    return st.one_of(right, right.flatmap(_spoilt), right.flatmap(_spoilt), _ANYTHING)


def _spoilt(data: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if not data:
        return st.just(data)
    fields = st.dictionaries(st.sampled_from(sorted(data)), st.sampled_from(WRONG) | _ANYTHING, min_size=1, max_size=2)
    less = st.sampled_from(sorted(data)).map(lambda gone: {name: item for name, item in data.items() if name != gone})
    return fields.map(lambda wrong: {**data, **wrong}) | less


def in_its_place(full_type: str, subject: str, told: Any) -> Stored:
    """The first event of an aggregate, sound but for its data."""
    service, _, name = full_type.removeprefix("linli.").partition(".")
    entry = {"id": f"{full_type}-{subject}", "seq": 1, "type": name, "at": datetime(2026, 5, 1, tzinfo=UTC)}
    place = {"unit": "unit_g1", "district": "unit_d1", "scope": ["unit_d1", "unit_g1"], "data": {}}
    key, _, headers = encode(entry | place, service, f"{name}|{subject}")
    return Stored("topic", 0, 0, key, _written(told), headers)


@st.composite
def records(draw: st.DrawFn, types: Sequence[str]) -> Stored:
    """A record as it might lie in a topic. Most have a sound head; others lack one, or hold something twice."""
    full_type = draw(st.sampled_from(types))
    subject, sequence = draw(st.sampled_from(SUBJECTS)), draw(st.sampled_from([1, 1, 1, 2, 3, 10**17]))
    service, _, name = full_type.removeprefix("linli.").partition(".")
    entry = {
        "id": f"event-{next(_NUMBERS)}",  # two that share one are one event to every consumer, whatever they hold
        "seq": sequence,
        "type": name,
        "at": draw(st.sampled_from([datetime(2026, 5, 1, tzinfo=UTC), datetime(1, 1, 1), datetime(9999, 12, 31)])),
        "unit": draw(st.sampled_from(UNITS)) or "unit_g1",
        "district": draw(st.sampled_from(["unit_d1", "unit_nowhere"])),
        "scope": ["unit_d1", "unit_g1"],
        "data": {},
    }
    key, _, headers = encode(entry, service, subject)
    value = draw(st.one_of(data_of(full_type).map(_written), data_of(full_type).map(_written), st.binary(max_size=60)))
    return Stored("topic", 0, draw(st.integers(0, 2**40)), *draw(_carried(key, value, headers)))


def _written(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _carried(
    key: bytes, value: bytes, headers: list[tuple[str, bytes]]
) -> st.SearchStrategy[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]:
    names = [name for name, _ in headers]
    sound = st.just((key, value, headers))
    lacking = st.sampled_from(names).map(lambda gone: (key, value, [one for one in headers if one[0] != gone]))
    twice = st.sampled_from(headers).map(lambda one: (key, value, [*headers, one]))
    changed = st.tuples(st.sampled_from(names), st.binary(max_size=30)).map(
        lambda put: (key, value, [(name, put[1] if name == put[0] else content) for name, content in headers])
    )
    numbers = st.sampled_from([b"2", b"9999", b"0", b"x"])
    version = numbers.map(lambda number: (key, value, _as_version(headers, number)))
    bare = st.tuples(st.none() | st.binary(max_size=20), st.none() | st.binary(max_size=20), st.just([]))
    return st.one_of(sound, sound, sound, sound, lacking, twice, changed, version, bare)


def _as_version(headers: list[tuple[str, bytes]], number: bytes) -> list[tuple[str, bytes]]:
    def changed(full_type: bytes) -> bytes:
        return b".v".join([full_type.rpartition(b".v")[0], number])

    return [(name, changed(content) if name == "ce_type" else content) for name, content in headers]
