"""What a decision yields: events, with their private part beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic_core import PydanticCustomError

MAX_INT = 2**63 - 1


class Value(BaseModel):
    """A closed, frozen value: unknown fields are refused, as are texts that no store can hold.

    Raises ``pydantic.ValidationError`` for a lone surrogate, a NUL character or an integer over 64 bits
    anywhere in it: one such value would fail a whole group of writes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        refuse_unstorable(value)
        return value


def refuse_unstorable(value: Any) -> None:
    """Raise ``PydanticCustomError``, a ``ValueError``, when ``value`` holds what BSON or UTF-8 cannot carry."""
    if type(value) is str:
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise PydanticCustomError("text-not-unicode", "text is not valid Unicode") from None
        if "\x00" in value:
            raise PydanticCustomError("text-holds-nul", "text holds a NUL character")
    elif type(value) is int:
        if not -MAX_INT - 1 <= value <= MAX_INT:
            raise PydanticCustomError("number-too-large", "integer does not fit in 64 bits")
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unstorable(key)
            refuse_unstorable(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            refuse_unstorable(item)


def depth(value: Any) -> int:
    """How many lists and objects lie within one another."""
    level, found = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        found += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return found


class State(BaseModel):
    """The state of an aggregate. Open on reading: a field that a newer version wrote is not an error."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Value):
    """What happened, in public form: ids, codes and figures only; never a name, a text or an address.

    ``TYPE`` is ``<aggregate>.<past tense>``, ``VERSION`` the published version of its schema.
    """

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def full_type(cls, service: str) -> str:
        """The CloudEvents type, for example ``linli.complaints.case.registered.v1``."""
        return f"linli.{service}.{cls.TYPE}.v{cls.VERSION}"


@dataclass(frozen=True)
class Happened:
    """An event and what is kept beside it but never published.

    ``private``: purpose to fields; sealed as one blob per purpose, replacing that purpose's blob in the state.
    ``keys``: name to keyed hashes by which the aggregate can be found again; replaces those names in the state. The
    service declares of each name with which purposes it is erased.
    """

    event: Event
    private: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)


class Refused(Exception):
    """The domain says no, for good.

    ``code`` is stable and has a text in the service's catalogue; ``field`` is the path of the offending input;
    ``params`` holds ids, codes and figures for the text, never what somebody typed; ``allowed`` among them lists the
    codes that would have been taken.
    """

    def __init__(self, code: str, field: str = "", **params: Any) -> None:
        super().__init__(code)
        self.code, self.field, self.params = code, field, params


class RefusedAll(Refused):
    """Several things are wrong at once: each a ``Refused`` of its own, and ``code`` for all of them together."""

    def __init__(self, code: str, faults: Sequence[Refused], **params: Any) -> None:
        super().__init__(code, **params)
        self.faults = tuple(faults)
