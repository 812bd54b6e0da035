"""The committed contract is what the code gives, and no change of the code breaks those who rely on it."""

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import yaml
from jsonschema import Draft202012Validator

from services.__main__ import CATALOGUE, main
from services.chassis.aggregate import AggregateType, Service
from services.chassis.catalogue import Catalogue
from services.chassis.contracts import schemas
from services.chassis.contracts.compatibility import breaks
from services.chassis.contracts.eventschemas import asyncapi, event_schema
from services.kernel.events import Event, State, Value

REFERENCE = {"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}
ASYNCAPI_3 = {
    "type": "object",
    "required": ["asyncapi", "info"],
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "defaultContentType": {"type": "string"},
        "channels": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["address", "messages"],
                "properties": {
                    "address": {"type": "string"},
                    "description": {"type": "string"},
                    "messages": {"type": "object", "additionalProperties": REFERENCE},
                },
                "additionalProperties": False,
            },
        },
        "operations": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["action", "channel"],
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": REFERENCE,
                    "summary": {"type": "string"},
                    "messages": {"type": "array", "items": REFERENCE},
                },
                "additionalProperties": False,
            },
        },
        "components": {
            "type": "object",
            "properties": {
                "messages": {
                    "type": "object",
                    "propertyNames": {"pattern": r"^[\w\d\.\-_]+$"},
                    "additionalProperties": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "title": {"type": "string"},
                            "contentType": {"type": "string"},
                            "headers": {"type": "object"},
                            "payload": {"type": "object"},
                        },
                        "additionalProperties": False,
                    },
                },
                "schemas": {"type": "object"},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


class Place(Value):
    floor: int
    note: str | None = None


class Registered(Event):
    """Something was recorded."""

    TYPE: ClassVar[str] = "thing.registered"
    kind: Literal["a", "b"]
    count: int
    place: Place
    tags: tuple[str, ...] = ()
    visit: str | None = None


class Opened(State):
    unit: str


def service(event: type[Event]) -> Service:
    aggregate: AggregateType[Any] = AggregateType(
        "thing", Opened, (event,), decide=lambda *_: [], evolve=lambda state, *_: state or Opened(unit="")
    )
    return Service("sample", (aggregate,), (), {}, {})


def changed(**fields: Any) -> type[Event]:
    """The event with other fields: a type, a (type, default), or None for a field that is gone."""
    annotations: dict[str, Any] = {
        "kind": Literal["a", "b"], "count": int, "place": Place, "tags": tuple[str, ...], "visit": str | None,
    }  # fmt: skip
    namespace: dict[str, Any] = {"TYPE": "thing.registered", "tags": (), "visit": None}
    for name, given in fields.items():
        namespace.pop(name, None)
        annotations.pop(name, None)
        if isinstance(given, tuple):
            annotations[name], namespace[name] = given
        elif given is not None:
            annotations[name] = given
    annotations["TYPE"] = ClassVar[str]
    return type("Registered", (Event,), namespace | {"__annotations__": annotations, "__module__": __name__})


class DeeperPlace(Value):
    floor: int
    note: str | None = None
    room: str | None = None


class NarrowPlace(Value):
    note: str | None = None


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (changed(count=None), "count: removed"),
        (changed(visit=None), "visit: removed"),
        (changed(count=None, counted=int), "count: removed"),
        (changed(colour=str), "colour: required"),
        (changed(visit=str), "visit: required now"),
        (changed(count=(int, 0)), "count: optional now"),
        (changed(count=str), "count: type was 'integer'"),
        (changed(count=int | str), "count: type"),
        (changed(kind=Literal["a"]), "kind: no longer takes ['b']"),
        (changed(kind=Literal["a", "b", "c"]), "kind: takes ['c']"),
        (changed(kind=str), "kind: no longer takes"),
        (changed(place=NarrowPlace), "place.floor: removed"),
        (changed(tags=(tuple[int, ...], ())), "tags[]: type"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_change_that_breaks_a_reader_or_the_past_is_found(event: type[Event], told: str) -> None:
    found = breaks(event_schema("sample", Registered), event_schema("sample", event))
    assert any(line.startswith(told) for line in found), found


@pytest.mark.parametrize(
    "event",
    [
        changed(),
        changed(colour=(str | None, None)),
        changed(colour=(str, "")),
        changed(place=DeeperPlace),
    ],
    ids=["nothing", "an optional field", "a field with a default", "an optional field further in"],
)
def test_a_schema_may_gain_optional_fields(event: type[Event]) -> None:
    assert breaks(event_schema("sample", Registered), event_schema("sample", event)) == []


def test_a_tighter_bound_is_found_and_a_looser_one_is_not() -> None:
    loose = {"properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}}
    tight = {"properties": {"n": {"type": "integer", "minimum": 1, "maximum": 9}}}
    assert breaks(loose, tight) and not breaks(tight, loose)


def test_a_removed_event_and_a_removed_route_are_found() -> None:
    before = schemas.files([service(Registered)])
    before["openapi/sample.json"] = json.dumps({"paths": {"/things": {"get": {}, "post": {}}}})
    now = {name: text for name, text in before.items() if not name.startswith("events/")}
    now["openapi/sample.json"] = json.dumps({"paths": {"/things": {"get": {}}}})
    found = schemas.incompatible(before, now)
    assert found[0].startswith("events/linli.sample.thing.registered.v1.json: removed")
    assert found[1] == "openapi/sample.json: POST /things removed"


def test_a_file_that_differs_is_missing_or_is_left_over_is_drift() -> None:
    assert schemas.drift({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == [
        "c: not exported (make schemas)",
        "a: nothing in the code gives this",
        "b: differs from the code (make schemas)",
    ]


def test_an_export_that_would_break_somebody_is_refused_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = schemas.files(CATALOGUE.all())
    name = next(name for name in everything if name.startswith("events/"))
    older = json.loads(everything[name])
    older["properties"]["gone"] = {"type": "string"}
    schemas.write(tmp_path, {name: json.dumps(older)})
    assert main(["schemas", "export", "--against", str(tmp_path)]) == 1
    assert f"{name}: gone: removed" in capsys.readouterr().out
    assert json.loads((tmp_path / name).read_text()) == older
    assert main(["schemas", "export", "--against", str(tmp_path), "--break"]) == 0
    assert main(["schemas", "check", "--against", str(tmp_path)]) == 0


def test_a_service_that_cannot_be_imported_is_an_error_and_not_left_out() -> None:
    with pytest.raises(ModuleNotFoundError):
        list(Catalogue(("directory", "nobody_wrote_this")).all())
    with pytest.raises(ValueError, match="no service"):
        CATALOGUE.load("nobody")


def test_the_committed_contract_is_what_the_code_gives() -> None:
    committed, now = schemas.read(schemas.PLACE), schemas.files(CATALOGUE.all())
    assert schemas.incompatible(committed, now) == []
    assert schemas.drift(committed, now) == []


def test_the_asyncapi_document_is_well_formed_and_every_reference_leads_somewhere() -> None:
    document = yaml.safe_load((schemas.PLACE / "asyncapi.yaml").read_text(encoding="utf-8"))
    Draft202012Validator(ASYNCAPI_3).validate(document)
    for reference in references(document):
        if reference.startswith("#/"):
            found = document
            for step in reference[2:].split("/"):
                found = found[step]
        else:
            Draft202012Validator.check_schema(json.loads((schemas.PLACE / reference).read_text(encoding="utf-8")))


def test_every_message_has_an_owner_who_sends_it() -> None:
    document = asyncapi(CATALOGUE.all())
    sent = [
        message["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
        for message in operation["messages"]
        if operation["action"] == "send"
    ]
    assert sorted(sent) == sorted(set(document["components"]["messages"]) - {"republish"})


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for item in value.values() for each in references(item)]
    return [each for item in value for each in references(item)] if isinstance(value, list) else []
