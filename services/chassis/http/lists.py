"""Pages of lists over HTTP: only declared filters, typed, and an opaque cursor."""

from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl

from services.chassis.http.exchange import Exchange, Malformed
from services.chassis.http.given import Given
from services.chassis.storage.queries import (
    DEFAULT,
    LONGEST_CURSOR,
    LONGEST_VALUE,
    MOST,
    Asked,
    Filter,
    ListSpec,
    read_page,
)

MOST_PARAMETERS = 40
SCHEMAS: dict[type, dict[str, Any]] = {
    str: {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE},
    int: {"type": "integer", "minimum": 1 - 10**18, "maximum": 10**18 - 1},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}


class Listing(Given):
    """Reads the page that a caller asks for. ``needed``: filters without which the route answers nothing."""

    def __init__(self, spec: ListSpec, needed: tuple[str, ...] = ()) -> None:
        self.spec = spec
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}
        self.parameters = (
            *(_described(name, _schema(one), one.text, name in needed) for name, one in spec.declared.items()),
            _described("limit", limit),
            _described("cursor", {"type": "string", "maxLength": LONGEST_CURSOR, "pattern": "^[A-Za-z0-9_=-]+$"}),
        )

    def of(self, exchange: Exchange) -> Asked:
        try:
            query = exchange.scope["query_string"].decode("ascii")
            pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        except ValueError:
            raise Malformed() from None
        return read_page(self.spec, pairs)


def listing(spec: ListSpec, *needed: str) -> Listing:
    """``asked: Annotated[Asked, Depends(listing(CASES))]``, to be given to ``Scoped.page``."""
    return Listing(spec, needed)


def _schema(one: Filter) -> dict[str, Any]:
    schema = SCHEMAS[one.kind]
    return schema | {"enum": sorted(one.choices)} if one.choices else schema


def _described(name: str, schema: dict[str, Any], text: str = "", needed: bool = False) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": needed, "schema": schema}
    return parameter | ({"description": text} if text else {})
