"""Every route of every service, as its published contract describes it, and requests made to fit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

METHODS = ("get", "post", "put", "patch", "delete")
CHASSIS_HEADERS = frozenset({"idempotency-key", "if-match"})
DAY, INSTANT = "2026-01-05", "2026-01-05T08:00:00Z"
EXAMPLES = ("x", "left", "2468", DAY, "x1-example", "unit_x", "Asia/Shanghai")  # one of them fits each pattern
Schema = Mapping[str, Any]
MISSING = object()


@dataclass(frozen=True)
class Route:
    """One route and method. ``public``: open to all. ``upload``: its body is a file."""

    service: str
    method: str
    path: str
    public: bool
    in_path: Mapping[str, Schema]
    in_query: Mapping[str, Schema]
    in_header: Mapping[str, Schema]
    needed: frozenset[str]  # parameters that are required
    body: Schema | None
    upload: bool
    named: Mapping[str, Schema] = field(repr=False)  # the contract's schemas by name

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"


def routes(urls: Mapping[str, str]) -> list[Route]:
    """All routes of all services, asked of the services themselves."""
    found: list[Route] = []
    for service, url in urls.items():
        if service != "identity":
            document = httpx.get(f"{url}/openapi.json", timeout=30).raise_for_status().json()
            found += [
                _route(service, method, path, operation, document)
                for path, operations in document["paths"].items()
                for method, operation in operations.items()
                if method in METHODS
            ]
    return found


def _route(service: str, method: str, path: str, operation: Schema, document: Schema) -> Route:
    parameters = operation.get("parameters", ())
    contents = operation.get("requestBody", {}).get("content", {})
    spoken = contents.get("application/json", {}).get("schema")

    def of(place: str) -> dict[str, Schema]:
        return {one["name"]: one["schema"] for one in parameters if one["in"] == place}

    return Route(
        service=service,
        method=method.upper(),
        path=path,
        public=operation.get("security") == [],
        in_path=of("path"),
        in_query=of("query"),
        in_header={name: schema for name, schema in of("header").items() if name.lower() not in CHASSIS_HEADERS},
        needed=frozenset(one["name"] for one in parameters if one.get("required")),
        body=spoken,
        upload="/imports" in path and method == "post",
        named=document.get("components", {}).get("schemas", {}),
    )


@dataclass(frozen=True)
class Filling:
    """Makes values that fit a schema. ``known`` gives those of fields with these names; ``text`` any other text.

    ``complete``: optional fields are filled as well; ``also``: those of these names in any case.
    """

    named: Mapping[str, Schema]
    known: Mapping[str, Any]
    text: Mapping[str, str] = field(default_factory=dict)  # by name of the field; "" for every other
    complete: bool = False
    also: frozenset[str] = frozenset()

    def value(self, schema: Schema, name: str = "") -> Any:
        """A value. Raises LookupError when no example fits a pattern: add one to EXAMPLES or ``known``."""
        schema = self._plain(schema)
        known = self.known.get(name, MISSING)
        if known is not MISSING and not (isinstance(known, str) and schema.get("type") in ("object", "array")):
            return known
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        kind = schema.get("type")
        if kind == "object":
            return self._fields(schema)
        if kind == "array":
            wanted = max(schema.get("minItems", 0), 1 if self.complete else 0)
            return [self.value(schema["items"], name.removesuffix("s")) for _ in range(wanted)]
        if kind in ("integer", "number"):
            return max(schema.get("minimum", 1), 1)
        if kind == "boolean":
            return True
        return self._words(schema, name)

    def _plain(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.named[schema["$ref"].rpartition("/")[2]]
        for choice in schema.get("anyOf", ()):
            if choice.get("type") != "null":
                return self._plain(choice)
        return schema

    def _fields(self, schema: Schema) -> dict[str, Any]:
        fields, required = schema.get("properties", {}), schema.get("required", ())
        wanted = [name for name in fields if self.complete or name in required or name in self.also]
        return {name: self.value(fields[name], name) for name in wanted}

    def _words(self, schema: Schema, name: str) -> Any:
        if schema.get("format") in ("date", "date-time"):
            return DAY if schema["format"] == "date" else INSTANT
        if "pattern" in schema:
            for example in (self.text.get(name, ""), *EXAMPLES):
                if re.search(schema["pattern"], example) and example:
                    return example
            raise LookupError(f"no example fits the field {name}: {schema['pattern']}")
        words = self.text.get(name) or self.text.get("") or "x"
        words = words.ljust(schema.get("minLength", 0), "x")
        return words[: schema.get("maxLength", len(words))]
