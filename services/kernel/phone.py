"""Telephone numbers as people give them: one refusal wherever one is asked for.

A number is what a telephone could dial: whether anybody has it is not judged here. Without a country it is Chinese;
one without an area code is taken as it is.
"""

import re
from typing import Annotated, Any

import phonenumbers
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

LONGEST = 40  # characters, with gaps and brackets
_TAIL = re.compile(r"[0-9]{4}")


def e164(text: str) -> str | None:
    """For example ``+8613800138000``; None for what cannot be a telephone number."""
    try:
        parsed = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number(parsed)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if possible else None


def _normal(value: Any) -> str:
    found = e164(value) if isinstance(value, str) and len(value) <= LONGEST else None
    if found is None:
        raise PydanticCustomError("phone-malformed", "this is not a telephone number")
    return found


def _as_written(value: Any) -> str:
    _normal(value)
    return str(value).strip()


def _tail(value: Any) -> str:
    if not isinstance(value, str) or not _TAIL.fullmatch(value.strip()):
        raise PydanticCustomError("phone-tail-malformed", "these are not the last four digits of a number")
    return value.strip()


_NUMBER = WithJsonSchema({"type": "string", "maxLength": LONGEST})
Phone = Annotated[str, BeforeValidator(_as_written), _NUMBER]
"""A field of a telephone number, kept as it was written."""
E164 = Annotated[str, BeforeValidator(_normal), _NUMBER]
"""A field of a telephone number, kept in E.164."""
Tail = Annotated[str, BeforeValidator(_tail), WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}$"})]
"""A field of the last four digits of one."""
