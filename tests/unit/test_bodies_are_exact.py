"""What a body's contract says is what is taken: nothing that only looks like a number, a truth, a day or an instant."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.__main__ import CATALOGUE
from services.chassis.http import Application

LOOKALIKES: dict[type, tuple[Any, ...]] = {
    int: ("7", True, 7.5, "x", [7]),
    bool: ("true", 1, 0, "yes", "on"),
    date: (0, "0", 1.5, True, "2026-01-01T00:00:00Z", "20260101", "2026-1-1", "9999-12-31", "0001-01-01"),
    datetime: (0, "0", 1.5, "1700000000", "2026-01-01", "2026-01-01 08:00", "0001-01-01T00:00:00+14:00",
               "9999-12-31T23:59:59-14:00"),
}
Field = tuple[str, Any]


def models(annotation: Any, seen: set[type[BaseModel]]) -> None:
    """Every model that stands in an annotation, however deep."""
    for inner in get_args(annotation):
        models(inner, seen)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        for field in annotation.model_fields.values():
            models(field.annotation, seen)


def exact_fields(service: str) -> Iterator[tuple[str, type, Any]]:
    """Fields of bodies of a kind that has lookalikes: their name, that kind, and their type with all that is asked."""
    seen: set[type[BaseModel]] = set()
    for served in Application(CATALOGUE.load(service)).table.served:
        for body in served.route.dependant.body_params:
            models(body.field_info.annotation, seen)
    for model in sorted(seen, key=lambda one: one.__name__):
        for name, field in model.model_fields.items():
            for kind in (bool, int, datetime, date):
                if _is_of(field.annotation, kind):
                    whole = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
                    yield f"{model.__name__}.{name}", kind, whole
                    break


def _is_of(annotation: Any, kind: type) -> bool:
    if annotation is kind:
        return True
    return any(_is_of(inner, kind) for inner in get_args(annotation) if not isinstance(inner, str))


@pytest.mark.parametrize("service", CATALOGUE.names)
def test_no_lookalike_is_taken(service: str) -> None:
    taken = []
    for name, kind, whole in exact_fields(service):
        for lookalike in LOOKALIKES[kind]:
            try:
                TypeAdapter(whole).validate_python(lookalike)
            except ValidationError:
                continue
            taken.append(f"{name} takes {lookalike!r} for {kind.__name__}")
    assert taken == []


def test_there_are_such_fields() -> None:
    assert sum(1 for service in CATALOGUE.names for _ in exact_fields(service)) > 30
