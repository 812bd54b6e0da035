"""Whether a changed schema still serves those who read the older one, and whether older events still match it.

A schema only gains optional fields. Everything else is a new meaning, and a new meaning is a new version of the type.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_PROSE = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples", "deprecated"})
_STRUCTURE = frozenset({"properties", "required", "items", "prefixItems", "additionalProperties", "anyOf", "allOf"})
_LOOSER_WHEN_SMALLER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_LOOSER_WHEN_LARGER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})


def breaks(old: Schema, new: Schema) -> list[str]:
    """What in ``new`` breaks a reader of ``old`` or refuses an event that matched ``old``; empty when nothing does.

    Each line names the path of the field and what happened to it.
    """
    return list(_compare(_Within(old), _Within(new), old, new, ""))


class _Within:
    """Resolves references inside one document."""

    def __init__(self, document: Schema) -> None:
        self._definitions = document.get("$defs", {})

    def resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            rest = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**self._definitions[schema["$ref"].rpartition("/")[2]], **rest}
        return schema


def _compare(before: _Within, after: _Within, old: Schema, new: Schema, path: str) -> Iterator[str]:
    old, new = before.resolved(old), after.resolved(new)
    yield from _constraints(old, new, path or "(the data)")
    yield from _fields(before, after, old, new, path)
    for keyword in ("items", "additionalProperties"):
        if isinstance(old.get(keyword), Mapping) and isinstance(new.get(keyword), Mapping):
            yield from _compare(before, after, old[keyword], new[keyword], f"{path}[]")
        elif old.get(keyword) != new.get(keyword):
            yield f"{path or '(the data)'}: {keyword} changed"
    for keyword in ("anyOf", "allOf", "prefixItems"):
        yield from _alternatives(before, after, old.get(keyword, []), new.get(keyword, []), path)


def _fields(before: _Within, after: _Within, old: Schema, new: Schema, path: str) -> Iterator[str]:
    had, has = old.get("properties", {}), new.get("properties", {})
    must, must_now = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(had.keys() - has.keys()):
        yield f"{_joined(path, name)}: removed"
    for name in sorted(must_now - must):
        what = "required, but events of the past lack it" if name not in had else "required now, and was optional"
        yield f"{_joined(path, name)}: {what}"
    for name in sorted((must - must_now) & has.keys()):
        yield f"{_joined(path, name)}: optional now, and readers count on it"
    for name in sorted(had.keys() & has.keys()):
        yield from _compare(before, after, had[name], has[name], _joined(path, name))


def _constraints(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for keyword in sorted((old.keys() | new.keys()) - _PROSE - _STRUCTURE):
        was, now = old.get(keyword), new.get(keyword)
        if was == now or _looser(keyword, was, now):
            continue
        if keyword in ("enum", "const"):
            yield from _values(old, new, path)
        else:
            yield f"{path}: {keyword} was {was!r} and is {now!r}"


def _looser(keyword: str, was: Any, now: Any) -> bool:
    if keyword not in _LOOSER_WHEN_SMALLER | _LOOSER_WHEN_LARGER:
        return False
    if was is None or now is None:
        return now is None
    return bool(now < was) if keyword in _LOOSER_WHEN_SMALLER else bool(now > was)


def _values(old: Schema, new: Schema, path: str) -> Iterator[str]:
    was, now = _allowed(old), _allowed(new)
    gone = [value for value in was if value not in now]
    come = [value for value in now if value not in was]
    if gone or not now:
        yield f"{path}: no longer takes {gone or was}"
    if come or not was:
        yield f"{path}: takes {come or now}, which readers do not know"


def _allowed(schema: Schema) -> list[Any]:
    return list(schema.get("enum", [])) or ([schema["const"]] if "const" in schema else [])


def _alternatives(before: _Within, after: _Within, old: list[Schema], new: list[Schema], path: str) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{path or '(the data)'}: type changed"
        return
    for was, now in zip(old, new, strict=True):
        yield from _compare(before, after, was, now, path)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
