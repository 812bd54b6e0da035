"""Examples of everything a published JSON Schema allows, for the part of the language that our schemas use."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]
LATER = "a_field_of_a_later_version"
_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
_DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1)).map(date.isoformat)
_INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat)
_ANYTHING = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | _TEXT | st.lists(_TEXT, max_size=2)


def examples(schema: Schema, *, open_ended: bool = False) -> st.SearchStrategy[Any]:
    """Data that the schema allows; with ``open_ended`` also with a field that only a later version has."""
    return _Generator(schema.get("$defs", {}), open_ended).of(schema)


class _Generator:
    def __init__(self, definitions: Mapping[str, Schema], open_ended: bool) -> None:
        self._definitions = definitions
        self._open_ended = open_ended

    def of(self, schema: Schema) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            return self.of(self._definitions[schema["$ref"].rpartition("/")[2]])
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "anyOf" in schema:
            return st.one_of([self.of(each) for each in schema["anyOf"]])
        return self._typed(schema)

    def _typed(self, schema: Schema) -> st.SearchStrategy[Any]:
        match schema.get("type"):
            case None:
                return _ANYTHING
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "integer":
                return st.integers(*_bounds(schema))
            case "number":
                return st.floats(-1e9, 1e9, allow_nan=False)
            case "string":
                return _string(schema)
            case "array":
                return self._array(schema)
            case "object":
                return self._object(schema)
            case unknown:
                raise NotImplementedError(f"no examples of {unknown}")

    def _array(self, schema: Schema) -> st.SearchStrategy[Any]:
        if "prefixItems" in schema:
            return st.tuples(*(self.of(each) for each in schema["prefixItems"])).map(list)
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", least + 3)
        return st.lists(
            self.of(schema.get("items", {})), min_size=least, max_size=most, unique=bool(schema.get("uniqueItems"))
        )

    def _object(self, schema: Schema) -> st.SearchStrategy[Any]:
        if "properties" not in schema:
            values = schema.get("additionalProperties", {})
            return st.dictionaries(_TEXT, self.of(values if isinstance(values, Mapping) else {}), max_size=3)
        required = set(schema.get("required", ()))
        fields = {name: self.of(field) for name, field in schema["properties"].items()}
        must = {name: field for name, field in fields.items() if name in required}
        may = {name: field for name, field in fields.items() if name not in required}
        if self._open_ended:
            must[LATER] = _ANYTHING
        return st.fixed_dictionaries(must, optional=may)


def _bounds(schema: Schema) -> tuple[int, int]:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -(2**53)) + (1 if "exclusiveMinimum" in schema else 0))
    most = schema.get("maximum", schema.get("exclusiveMaximum", 2**53) - (1 if "exclusiveMaximum" in schema else 0))
    return int(least), int(most)


def _string(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    match schema.get("format"):
        case "date":
            return _DAYS
        case "date-time":
            return _INSTANTS
        case None:
            least = schema.get("minLength", 0)
            return st.text(
                st.characters(exclude_categories=("Cs",), exclude_characters="\x00"),
                min_size=least,
                max_size=min(schema.get("maxLength", least + 12), least + 12),
            )
        case unknown:
            raise NotImplementedError(f"no examples of the format {unknown}")
