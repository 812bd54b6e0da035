"""Wherever a telephone number is asked for, a wrong one is refused with the same code and the same sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.chassis.files.cells import FAULTS, CellFault, phone
from services.chassis.http import Application
from services.chassis.texts import Texts
from services.kernel.phone import E164, Phone, Tail, e164
from tests.unit.test_routes_say_who_may_call import NAMES, service

WRONG = ("", "12", "110", "给我打电话", "abcdef", "1" * 41, 13800138000, None, ["13800138000"])
RIGHT = {
    "13800138000": "+8613800138000",
    " 138 0013 8000 ": "+8613800138000",
    "１３８００１３８０００": "+8613800138000",
    "0472-5201234": "+864725201234",
    "88886666": "+8688886666",
    "+1 650 253 0000": "+16502530000",
}
PARAMETERS = {"Linli-Phone": "phone-malformed", "Linli-Phone-Tail": "phone-tail-malformed"}
FIELDS = {"phone": "phone-malformed", "tail": "phone-tail-malformed"}


def codes(kind: Any, value: Any) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    return {error["type"] for error in refused.value.errors()}


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_what_nobody_could_dial_is_refused(value: Any) -> None:
    assert codes(Phone, value) == codes(E164, value) == {"phone-malformed"}


@pytest.mark.parametrize("value", ["", "123", "12345", "abcd", 1234, None], ids=str)
def test_what_is_not_four_digits_is_no_tail(value: Any) -> None:
    assert codes(Tail, value) == {"phone-tail-malformed"}


@pytest.mark.parametrize("text", sorted(RIGHT))
def test_a_number_is_taken_however_it_is_written(text: str) -> None:
    assert e164(text) == RIGHT[text] == TypeAdapter(E164).validate_python(text) == phone(text)
    assert TypeAdapter(Phone).validate_python(text) == text.strip()


def test_a_cell_of_a_file_is_told_the_same() -> None:
    with pytest.raises(CellFault) as fault:
        phone("给我打电话")
    texts = Texts({})
    assert FAULTS[fault.value.code] == tuple(texts.detail("phone-malformed", language, {}) for language in ("zh", "en"))


def asked_for(name: str) -> Iterator[tuple[str, str, Any]]:
    """Every field and header of a telephone that the routes of a service read: where, its name, and its type."""
    for served in Application(service(name)).table.served:
        for field in served.route.dependant.header_params:
            if field.alias in PARAMETERS:
                yield served.signature, field.alias, Annotated[field.field_info.annotation, *field.field_info.metadata]
        for field in served.route.dependant.body_params:
            for path, kind in _fields(field.field_info.annotation):
                yield served.signature, path, kind


def _fields(annotation: Any) -> Iterator[tuple[str, Any]]:
    for inner in getattr(annotation, "__args__", ()):
        yield from _fields(inner)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if name in FIELDS:
                yield name, Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            else:
                yield from _fields(field.annotation)


@pytest.mark.parametrize("name", NAMES)
def test_every_route_refuses_a_wrong_telephone_alike(name: str) -> None:
    for where, asked, kind in asked_for(name):
        assert codes(kind, "12") & {*FIELDS.values()} == {(FIELDS | PARAMETERS)[asked]}, where


def test_the_routes_that_ask_for_a_telephone_are_found() -> None:
    found = {f"{name} {where}" for name in NAMES for where, _, _ in asked_for(name)}
    assert {
        "complaints POST /cases", "complaints POST /public/cases", "complaints GET /cases/by-phone",
        "complaints GET /public/cases/{code}", "directory POST /residents", "directory POST /residents/search",
        "directory POST /staff", "directory POST /places", "volunteers POST /volunteers",
    } <= found  # fmt: skip


def test_no_service_reads_telephones_in_a_way_of_its_own() -> None:
    services = Path(__file__).parents[2] / "services"
    users = [path for path in services.rglob("*.py") if "import phonenumbers" in path.read_text("utf-8")]
    assert sorted(path.relative_to(services).as_posix() for path in users) == [
        "chassis/personal/lookups.py",  # finds what was once recorded, possible or not
        "kernel/phone.py",
    ]
