"""The shapes of policies as part of the published contract: what each key's value must look like.

The owner of a key declares the type that it reads; ``schemas/policies/<key>.json`` is made from that. Whoever takes
policies for publication loads the files, knows every key by them, and imports nobody.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from services.kernel.policy.shape import IDEA, IDEAS, Shape

FOLDER = "policies"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class ContractMissing(Exception):
    """The published shapes are not there: a process that has to hold values against them does not start."""


class _Generated(GenerateJsonSchema):
    """Names the ideas of the kernel, so that what a schema cannot say is checked too; of objects whose names follow a
    pattern, the names are bound by it, and not only the values of those that happen to."""

    def dict_schema(self, schema: Any) -> Any:
        made = super().dict_schema(schema)
        for pattern, value in made.pop("patternProperties", {}).items():
            made |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
        return made

    def model_schema(self, schema: Any) -> Any:
        made = super().model_schema(schema)
        idea = next((name for name, kind in IDEAS.items() if schema["cls"] is kind), None)
        return made | ({IDEA: idea} if idea else {})


def policy_schema(service: str, key: str, shape: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON Schema of a key's value."""
    made = shape.json_schema(mode="validation", schema_generator=_Generated)
    return {"$schema": DIALECT, "$id": f"urn:linli:policy:{key}", "x-linli-service": service, **made}


def published(folder: Path) -> Mapping[str, Shape]:
    """Every key with its shape. Raises ContractMissing."""
    files = sorted((folder / FOLDER).glob("*.json"))
    if not files:
        raise ContractMissing(f"no shapes of policies in {folder / FOLDER}: make schemas")
    return {file.stem: Shape(json.loads(file.read_text(encoding="utf-8"))) for file in files}
