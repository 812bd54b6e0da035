"""Nobody sees another district: every query for a caller gets the caller's unit added here, below the routes.

``scope`` of a record lists the ids of all units it lies in, so one equality tells whether it may be seen, and every
index of a list begins with it. See docs/promises/scope.md.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

import orjson
from bson.timestamp import Timestamp

from services.chassis.context import digest
from services.chassis.errors import Invalid, NotFound
from services.chassis.storage.driver import Collection, Database, Document, index_keys

MOST, DEFAULT = 200, 50  # items of a page
LONGEST_CURSOR = 2000
LONGEST_VALUE = 200  # characters of a filter's value
INTEGER = re.compile(r"-?\d{1,18}")
INNER = {"history": 0, "out": 0, "sealed": 0, "keys": 0}  # not for lists: large, or personal
# Stages that read or write beyond the matched records would leave the scope.
ESCAPING = frozenset({"$lookup", "$graphLookup", "$unionWith", "$out", "$merge", "$facet"})

Scalar = str | int | bool | datetime
Kind = type[str] | type[int] | type[bool] | type[date] | type[datetime]
Compare = Literal["is", "from", "before"]


def under(scope: str, query: Mapping[str, Any]) -> Document:
    """``query`` for records that lie in the unit ``scope``. The one place where scope is added to a query."""
    if not isinstance(scope, str) or not scope:
        raise TypeError("a query for a caller needs the caller's unit")
    if "scope" in query:
        raise TypeError("scope is added here and nowhere else")
    return {"scope": scope, **query}


@dataclass(frozen=True)
class Filter:
    """One declared filter: the field it looks at, the type of its value, and how they are compared.

    ``from`` (at least) and ``before`` (less than) are for the field that the list is sorted by first.
    """

    path: str
    kind: Kind = str
    compare: Compare = "is"
    choices: frozenset[str] = frozenset()
    text: str = ""  # for the published contract, Chinese first

    def read(self, name: str, text: str) -> Scalar:
        """The value of a query parameter: always one typed scalar, so that it can never be an operator."""
        try:
            return self._read(text)
        except (ValueError, OverflowError):
            allowed = ("true", "false") if self.kind is bool else sorted(self.choices)
            raise Invalid("filter-invalid", field=f"query.{name}", allowed=allowed) from None

    def _read(self, text: str) -> Scalar:
        if not text or len(text) > LONGEST_VALUE or "\x00" in text or (self.choices and text not in self.choices):
            raise ValueError
        if self.kind is bool:
            return {"true": True, "false": False}[text] if text in ("true", "false") else _refuse()
        if self.kind is int:
            return int(text) if INTEGER.fullmatch(text) else _refuse()
        if self.kind is datetime:
            at = datetime.fromisoformat(text.replace(" ", "+"))
            return at.astimezone(UTC) if at.tzinfo else _refuse()
        if self.kind is date:
            return date.fromisoformat(text).isoformat()
        text.encode()
        return text

    def condition(self, value: Scalar) -> Document:
        """The part of the query."""
        return {self.path: {{"is": "$eq", "from": "$gte", "before": "$lt"}[self.compare]: value}}


def _refuse() -> Any:
    raise ValueError


UNIT, SCOPE = "unit", "scope"
WITHIN = Filter(SCOPE, text="单位,含其下属单位;辖区之外为空 / a unit with all that lies under it; elsewhere: nothing")
"""The filter ``unit`` of every list. The caller's own scope holds beside it: it narrows and never widens."""


@dataclass(frozen=True)
class ListSpec:
    """A list that callers may ask for: its order, its filters, and what one item shows.

    Every list has the filter ``unit``: the unit with everything under it, by the record's copy of its place.
    ``sort``: field names, ``-`` for downwards; every record has each of them and none is personal, since they stand
    in the cursor. ``_id`` is added so that the order is total. ``fields``: what is fetched (all but history, sealed
    values and keys by default). ``project`` makes an item of a document.
    """

    collection: str
    sort: tuple[str, ...]
    filters: Mapping[str, str | Filter] = field(default_factory=dict)
    project: Callable[[Document], Any] = lambda document: document
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "_id" not in (name.lstrip("-") for name in self.sort):
            down = "-" if self.sort and self.sort[-1].startswith("-") else ""
            object.__setattr__(self, "sort", (*self.sort, f"{down}_id"))
        if UNIT in self.filters:
            raise ValueError("every list has the filter unit already")
        given = {name: Filter(one) if isinstance(one, str) else one for name, one in self.filters.items()}
        typed = {UNIT: WITHIN, **given}
        object.__setattr__(self, "filters", typed)
        ranges = [name for name, one in typed.items() if one.compare != "is" and one.path != self.sort[0].lstrip("-")]
        if ranges:
            raise ValueError(f"{ranges[0]} compares a field by which the list is not sorted first")

    @property
    def declared(self) -> Mapping[str, Filter]:
        """The filters with their types."""
        return self.filters  # type: ignore[return-value]

    def indexes(self) -> tuple[tuple[str, ...], ...]:
        """What ``AggregateType.indexes`` takes: one for the bare list and one for each filter; scope comes first.

        ``unit`` stands on that scope, with whichever of these it comes.
        """
        paths = dict.fromkeys(one.path for one in self.declared.values() if one.compare == "is" and one.path != SCOPE)
        filtered = ((path, *(s for s in self.sort if s.lstrip("-") != path)) for path in paths)
        return tuple(dict.fromkeys((self.sort, *filtered)))  # a filter on the first sort field needs none of its own

    def own_indexes(self) -> tuple[tuple[str, ...], ...]:
        """The same for a collection of the service's own (``Service.indexes``), with scope in front."""
        return tuple(("scope", *names) for names in self.indexes())


@dataclass(frozen=True)
class Asked:
    """One page of a list as a caller asks for it."""

    spec: ListSpec
    filters: Mapping[str, Scalar] = field(default_factory=dict)
    limit: int = DEFAULT
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Some items, and the cursor for those behind them (None at the end)."""

    items: list[Any]
    next: str | None


class Scoped:
    """One collection as a caller of the unit ``scope`` may see it."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    @classmethod
    def on(cls, database: Database, name: str) -> "Scoped":
        """The scoped view of a collection by its name."""
        return cls(database.collection(name))

    async def get(self, scope: str, record_id: str, *, fields: Sequence[str] = ()) -> Document:
        """One record. Raises NotFound, the same for what is not there and what lies elsewhere."""
        found = await self._collection.find_one(under(scope, {"_id": record_id}), _projection(fields))
        if found is None:
            raise NotFound()
        return found

    async def find(
        self,
        scope: str,
        query: Mapping[str, Any],
        *,
        fields: Sequence[str] = (),
        sort: Sequence[str] = (),
        limit: int = MOST,
    ) -> list[Document]:
        """Records that match ``query``, which the service wrote itself."""
        order = index_keys(sort) if sort else None
        return await self._collection.find(under(scope, query), _projection(fields), sort=order, limit=limit)

    async def count(self, scope: str, query: Mapping[str, Any], limit: int = 0) -> int:
        """How many match; stops at ``limit`` when it is not 0."""
        return await self._collection.count(under(scope, query), limit)

    async def aggregate(self, scope: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """A pipeline over the caller's records alone: stages that reach other collections are refused."""
        for stage in pipeline:
            if ESCAPING & stage.keys():
                raise TypeError(f"{next(iter(stage))} reaches beyond the scope")
        return await self._collection.aggregate([{"$match": under(scope, {})}, *pipeline])

    async def page(self, scope: str, asked: Asked) -> Page:
        """One page. Raises Invalid("cursor-invalid")."""
        spec, order = asked.spec, index_keys(asked.spec.sort)
        fields = (*spec.fields, *(name for name, _ in order)) if spec.fields else ()
        found = await self._collection.find(
            selection(scope, asked), _projection(fields), sort=order, limit=asked.limit + 1
        )
        more = len(found) > asked.limit
        shown = found[: asked.limit]
        cursor = _cursor([_value(shown[-1], name) for name, _ in order], _mark(scope, asked)) if more else None
        return Page([spec.project(document) for document in shown], cursor)

    async def held(self, name: str, key: str) -> Document:
        """The record whose ``keys.<name>`` holds a keyed hash: for whoever knows the secret behind it, of any unit.

        Raises NotFound.
        """
        if not isinstance(key, str) or not key:
            raise NotFound()
        found = await self._collection.find_one({f"keys.{name}": {"$eq": key}}, INNER)
        if found is None:
            raise NotFound()
        return found


def selection(scope: str, asked: Asked) -> Document:
    """The query behind a page: the caller's scope, the filters beside it, what lies behind the cursor.

    Raises Invalid("cursor-invalid").
    """
    conditions = [asked.spec.declared[name].condition(value) for name, value in asked.filters.items()]
    if asked.cursor is not None:
        order = index_keys(asked.spec.sort)
        conditions.append(_behind(order, _opened(asked.cursor, _mark(scope, asked), len(order))))
    return under(scope, {"$and": conditions} if conditions else {})


def _mark(scope: str, asked: Asked) -> str:
    """What a cursor holds for: this scope, list and filters."""
    return digest(scope, asked.spec.collection, *asked.spec.sort, orjson.dumps(dict(asked.filters)))[:12]


def read_page(spec: ListSpec, asked: Sequence[tuple[str, str]]) -> Asked:
    """A page from query parameters. Raises Invalid for an unknown or repeated one, or a value of the wrong form."""
    filters: dict[str, Scalar] = {}
    limit, cursor = DEFAULT, None
    seen: set[str] = set()
    for name, text in asked:
        if name not in spec.declared and name not in ("limit", "cursor"):
            raise Invalid("filter-unknown", field="query.*", allowed=[*spec.declared, "limit", "cursor"])
        if name in seen:
            raise Invalid("filter-invalid", field=f"query.{name}")
        seen.add(name)
        if name == "limit":
            limit = _limit(text)
        elif name == "cursor":
            cursor = text
        else:
            filters[name] = spec.declared[name].read(name, text)
    return Asked(spec, filters, limit, cursor)


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MOST:
        raise Invalid("limit-invalid", field="query.limit", most=MOST)
    return int(text)


def _projection(fields: Sequence[str]) -> Document:
    return {name: 1 for name in fields} if fields else INNER


def _value(document: Document, path: str) -> Any:
    value: Any = document
    for step in path.split("."):
        value = value[step]
    return value


def _behind(order: Sequence[tuple[str, int]], values: Sequence[Any]) -> Document:
    """The records behind the last one shown; the first bound stands alone so that the index can begin there."""
    steps = []
    for place, (name, direction) in enumerate(order):
        same = {earlier: values[index] for index, (earlier, _) in enumerate(order[:place])}
        steps.append({**same, name: {"$gt" if direction > 0 else "$lt": values[place]}})
    first, direction = order[0]
    return {first: {"$gte" if direction > 0 else "$lte": values[0]}, "$or": steps}


def _cursor(values: Sequence[Any], mark: str) -> str:
    return urlsafe_b64encode(orjson.dumps([mark, *map(_closed, values)])).rstrip(b"=").decode()


def _closed(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return {"s": [value.time, value.inc]}
    if isinstance(value, datetime):
        return {"t": round(value.timestamp() * 1000)}
    if isinstance(value, (str, int, float)):
        return value
    raise TypeError(f"a list cannot be sorted by {type(value).__name__}")


def _opened(cursor: str, mark: str, length: int) -> list[Any]:
    """The sort values of a cursor. A forged one could only begin elsewhere in the caller's own list."""
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise ValueError
        raw = orjson.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        if not isinstance(raw, list) or len(raw) != length + 1 or raw[0] != mark:
            raise ValueError
        return [_scalar(value) for value in raw[1:]]
    except (ValueError, Base64Error, KeyError, TypeError, OverflowError):
        raise Invalid("cursor-invalid", field="query.cursor") from None


def _scalar(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"s"}:
            return Timestamp(*value["s"])
        return datetime.fromtimestamp(value["t"] / 1000, UTC)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError
    if isinstance(value, (str, int, float)):
        return value
    raise ValueError
