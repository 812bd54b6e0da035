"""The shape of one key's values: a JSON Schema, and what such a schema cannot say, as ideas of the kernel by name.

Who publishes a policy does not know who reads it. So the owner of a key publishes its shape as data, and whoever
publishes a value holds it against that. Three keywords, which other validators pass over, name what the kernel
checks: ``x-linli-idea`` (a sound workflow, limit or set of weights), ``x-linli-core`` (the steps that a workflow of
this key must hold) and ``x-linli-unique`` (the member by which the rows of a list differ).

Invariant: a value without faults is read by the type that the shape was made from (tests/contract/test_policies.py).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from services.kernel.case.deadlines import Limit
from services.kernel.case.workflow import CoreStep, Workflow, with_core
from services.kernel.events import Refused
from services.kernel.matching import Weights
from services.kernel.policy.codes import code_twice

IDEA, CORE, UNIQUE = "x-linli-idea", "x-linli-core", "x-linli-unique"
IDEAS: dict[str, type[pydantic.BaseModel]] = {"limit": Limit, "workflow": Workflow, "weights": Weights}
MOST_FAULTS = 50
MADE_UP = "*"

_TYPES = {
    "string": "not-text",
    "integer": "not-an-integer",
    "array": "not-a-list",
    "object": "not-an-object",
    "boolean": "not-true-or-false",
    "null": "not-empty-allowed",
}
_BOUNDS = {  # keyword to code and the name of the bound in its text
    "minimum": ("below-least", "ge"),
    "exclusiveMinimum": ("not-above", "gt"),
    "maximum": ("above-most", "le"),
    "exclusiveMaximum": ("not-below", "lt"),
    "minLength": ("text-too-short", "min_length"),
    "maxLength": ("text-too-long", "max_length"),
    "minItems": ("too-few", "min_length"),
    "maxItems": ("too-many", "max_length"),
    "minProperties": ("too-few", "min_length"),
    "maxProperties": ("too-many", "max_length"),
}


@dataclass(frozen=True)
class Shape:
    """A schema as it is published."""

    schema: Mapping[str, Any]

    def faults(self, value: Any) -> tuple[Refused, ...]:
        """What is wrong with a value, each with its path below ``value``; at most ``MOST_FAULTS``.

        The ideas are asked once the plain schema has nothing to say any more. Nothing that stands in the value is
        repeated but the names of its members, as part of a path.
        """
        found: dict[tuple[str, str], Refused] = {}
        for validator in (_Plain, _Kernel):
            for error in validator(dict(self.schema)).iter_errors(value):
                for fault in _told(error):
                    found.setdefault((fault.field, fault.code), fault)
                if len(found) >= MOST_FAULTS:
                    break
            if found:
                break
        return tuple(found.values())[:MOST_FAULTS]


def _parts(error: Any) -> tuple[str, Any, Any, Any]:
    return str(error.validator), error.validator_value, error.instance, error.schema


def _told(error: ValidationError) -> Iterator[Refused]:
    keyword, wanted, instance, schema = _parts(error)
    path = ".".join(["value", *map(str, error.absolute_path)])
    if isinstance(error.cause, Refused):
        inner = error.cause
        yield Refused(inner.code, f"{path}.{inner.field}" if inner.field else path, **inner.params)
    elif keyword == "anyOf":
        for choice in error.context or ():
            if choice.validator_value != "null":
                yield from _told(choice)
    elif keyword == "required":
        yield from (Refused("field-missing", f"{path}.{name}") for name in wanted if name not in instance)
    elif keyword == "additionalProperties":
        yield Refused("field-unknown", f"{path}.{MADE_UP}", allowed=list(schema.get("properties", ())))
    elif "propertyNames" in error.absolute_schema_path:
        code = "field-unknown" if keyword == "enum" else "text-format"
        yield Refused(code, f"{path}.{MADE_UP}", allowed=wanted if keyword == "enum" else [])
    elif keyword == "enum":
        yield Refused("not-one-of", path, allowed=wanted)
    elif keyword == "type":
        yield Refused(_TYPES.get(str(wanted), "value-wrong"), path)
    elif keyword in _BOUNDS:
        code, bound = _BOUNDS[keyword]
        yield Refused(code, path, **{bound: wanted})
    else:
        yield Refused("text-format" if keyword == "pattern" else "value-wrong", path)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """As JSON Schema means it: ``$`` is the end, and not the place before a last line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("")


def _idea(validator: Any, name: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    try:
        IDEAS[name].model_validate(instance)
    except Refused as refused:
        yield ValidationError("", cause=refused)
    except pydantic.ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            own = "-" in one["type"]  # a code of ours; those of the library have other names
            yield ValidationError("", path=one["loc"], cause=Refused(one["type"] if own else "value-wrong"))


def _core(validator: Any, core: list[Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    try:
        with_core(Workflow.model_validate(instance), [CoreStep.model_validate(step) for step in core])
    except Refused as refused:
        yield ValidationError("", cause=refused)


def _unique(validator: Any, member: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    place = code_twice(instance)
    if place is not None:
        yield ValidationError("", path=(place, member), cause=Refused("code-twice"))


_Plain = extend(Draft202012Validator, {"pattern": _pattern})
_Kernel = extend(_Plain, {IDEA: _idea, CORE: _core, UNIQUE: _unique})
