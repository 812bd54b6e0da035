"""JSON Schemas of events and the AsyncAPI document, made from what the services declare."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from services.chassis.aggregate import AggregateType, Service
from services.chassis.consuming.guard import reactions_of
from services.chassis.contracts.wire import schema_id
from services.chassis.publishing.republish import Request
from services.kernel.events import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFAULT_PREFIX = "linli"
Document = dict[str, Any]

_TEXT: Document = {"type": "string", "minLength": 1}
_HEADERS: dict[str, Document] = {
    "content-type": {"const": "application/json"},
    "ce_specversion": {"const": "1.0"},
    "ce_id": _TEXT | {"description": "The event; a record sent again carries the same id."},
    "ce_type": _TEXT | {"description": "linli.<service>.<aggregate>.<what happened>.v<version>"},
    "ce_source": {"type": "string", "format": "uri-reference", "description": "/linli/<service>"},
    "ce_subject": _TEXT | {"description": "The aggregate; also the record's key."},
    "ce_time": {"type": "string", "format": "date-time", "description": "UTC, milliseconds."},
    "ce_dataschema": {"type": "string", "format": "uri", "description": "The $id of the schema of the data."},
    "ce_district": _TEXT | {"description": "The district's unit id."},
    "ce_unit": _TEXT | {"description": "The unit the aggregate belongs to."},
    "ce_sequence": {
        "type": "string",
        "pattern": "^[1-9][0-9]{0,17}$",
        "description": "Counts the events of the subject from 1, without padding: compare as numbers, not as texts.",
    },
    "ce_scope": _TEXT | {"description": "Unit ids from the district down, separated by commas, as of that day."},
    "ce_causationid": _TEXT | {"description": "The event that led to this one."},
    "traceparent": _TEXT | {"description": "W3C trace context."},
}
_OPTIONAL_HEADERS = frozenset({"ce_scope", "ce_causationid", "traceparent"})
_ABOUT = """\
Events of the services of 邻里 Linli: CloudEvents 1.0 over the Kafka protocol binding, binary content mode.

Records may repeat, and an old one may follow newer ones: drop by subject and sequence. A schema only gains optional
fields, so ignore fields you do not know; a new meaning is a new version of the type. Records of one subject share a
partition. Ids name units, persons and records; no record carries a name, a text, an address or a marker of a person.
"""


class _Plain(GenerateJsonSchema):
    """Without a title for every field: its name says it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def event_types(service: Service) -> list[tuple[AggregateType[Any], type[Event]]]:
    """Every event class a service publishes, with its aggregate."""
    return [(aggregate, event) for aggregate in service.aggregates for event in aggregate.events]


def event_schema(service: str, event: type[Event]) -> Document:
    """The published schema of one event type's data. It is open: consumers must not refuse fields added later."""
    full_type = event.full_type(service)
    body: Document = _published(event.model_json_schema(schema_generator=_Plain, mode="validation"))
    body.pop("title", None)
    return {"$schema": DIALECT, "$id": schema_id(full_type), "title": full_type, **body}


def _published(schema: Any) -> Any:
    """The schema as readers meet the data: open for later fields; what is unknown is absent, never null."""
    if isinstance(schema, list):
        return [_published(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        name: _published(value) for name, value in schema.items() if (name, value) != ("additionalProperties", False)
    }
    fields: Document = kept.get("properties", {})
    absent = {name for name, field in fields.items() if _may_be_null(field)}
    if absent:
        kept["properties"] = {name: _never_null(field) if name in absent else field for name, field in fields.items()}
        kept["required"] = [name for name in kept.get("required", []) if name not in absent]
    return kept


def _may_be_null(field: Document) -> bool:
    anything = not field.keys() & {"type", "anyOf", "allOf", "$ref", "enum", "const"}
    return anything or any(one.get("type") == "null" for one in field.get("anyOf", []))


def _never_null(field: Document) -> Document:
    kinds = [one for one in field.get("anyOf", []) if one.get("type") != "null"]
    rest = {name: value for name, value in field.items() if name != "anyOf" and (name, value) != ("default", None)}
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, **({"anyOf": kinds} if kinds else {})}


def asyncapi(services: Iterable[Service]) -> Document:
    """One AsyncAPI 3.0.0 document: a channel per aggregate type, who sends and who receives each message."""
    known = list(services)
    channels: Document = {"republish": _republish_channel()}
    operations: Document = {}
    messages: Document = {"republish": _republish_message()}
    for service in known:
        for aggregate in service.aggregates:
            types = [event.full_type(service.name) for event in aggregate.events]
            channels[f"{service.name}.{aggregate.name}"] = _channel(service.name, aggregate.name, types)
            operations[f"{service.name}.sends.{aggregate.name}"] = _operation("send", service, aggregate.name, types)
        messages |= {event.full_type(service.name): _message(service.name, event) for _, event in event_types(service)}
    for service in known:
        operations |= _receiving(service, messages)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "邻里 Linli: events", "version": "1.0.0", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {"headers": _headers_schema()}},
    }


def _headers_schema() -> Document:
    required = [name for name in _HEADERS if name not in _OPTIONAL_HEADERS]
    return {"type": "object", "properties": dict(_HEADERS), "required": required}


def _channel(service: str, aggregate: str, types: list[str]) -> Document:
    return {
        "address": f"{DEFAULT_PREFIX}.{service}.{aggregate}",
        "description": f"What happened to each {aggregate} of {service}; key: its id.",
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in types},
    }


def _message(service: str, event: type[Event]) -> Document:
    full_type = event.full_type(service)
    return {
        "name": full_type,
        "title": full_type,
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/headers"},
                {"type": "object", "properties": {"ce_type": {"const": full_type}}},
            ]
        },
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./events/{full_type}.json"},
        },
    }


def _operation(action: str, service: Service, aggregate: str, types: list[str], owner: str = "") -> Document:
    channel = f"{owner or service.name}.{aggregate}"
    verb = "publishes" if action == "send" else "reacts to"
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": f"{service.name} {verb} {channel}",
        "messages": [{"$ref": f"#/channels/{channel}/messages/{each}"} for each in types],
    }


def _receiving(service: Service, published: Mapping[str, Any]) -> Document:
    by_channel: dict[tuple[str, str], list[str]] = {}
    for full_type in reactions_of(service).types():
        if full_type in published:
            _, owner, aggregate, *_ = full_type.split(".")
            by_channel.setdefault((owner, aggregate), []).append(full_type)
    return {
        f"{service.name}.receives.{owner}.{aggregate}": _operation("receive", service, aggregate, types, owner)
        for (owner, aggregate), types in sorted(by_channel.items())
    }


def _republish_channel() -> Document:
    return {
        "address": f"{DEFAULT_PREFIX}.republish",
        "description": "Ask an owner to send the events of one aggregate again; key: its id.",
        "messages": {"republish": {"$ref": "#/components/messages/republish"}},
    }


def _republish_message() -> Document:
    schema: Document = _published(Request.model_json_schema(schema_generator=_Plain))
    return {"name": "republish", "title": "republish", "contentType": "application/json", "payload": schema}
