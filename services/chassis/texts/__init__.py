"""What people are told, by code: Chinese first, English beside it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

from services.chassis.aggregate import Text
from services.chassis.texts.chassis import CHASSIS
from services.chassis.texts.input import INPUT
from services.chassis.texts.kernel import KERNEL
from services.chassis.texts.public import PUBLIC

Language = Literal["zh", "en"]
PLACE = re.compile(r"\{([a-z_]+)\}")
# An id or a code of ours, or a plain figure: nothing that a person could have typed about another.
SAYABLE = re.compile(r"[a-z]+_[0-9a-f-]{32,36}|(?=.{1,64}$)(?!.*\d{7})[a-z0-9][A-Za-z0-9_.:-]*")
STEP = re.compile(r"(?!.*\d{7})[A-Za-z0-9_*-]{1,64}")  # of a field path
HIDDEN = "…"
MOST_SAID = 10  # items of a list


class Texts:
    """The chassis' catalogue with a service's laid over it; ``public`` is what residents are told instead."""

    def __init__(self, own: Mapping[str, Text], public: Mapping[str, Text] | None = None) -> None:
        self._texts: dict[str, Text] = {**CHASSIS, **INPUT, **KERNEL, **own}
        self._public: dict[str, Text] = {**PUBLIC, **(public or {})}

    def __contains__(self, code: str) -> bool:
        return code in self._texts

    def status(self, code: str, otherwise: int = 409) -> int:
        """The HTTP status that goes with a code."""
        text = self._texts.get(code)
        return text.status if text else otherwise

    def detail(self, code: str, language: Language, params: Mapping[str, Any], *, public: bool = False) -> str:
        """The sentence for a code. A code without a text is told as its code; ``unspoken`` finds these before."""
        text = (self._public.get(code) if public else None) or self._texts.get(code)
        if text is None:
            return code
        return PLACE.sub(lambda place: _said(params.get(place[1])), text.en if language == "en" else text.zh)


def faults(texts: Mapping[str, Text]) -> list[str]:
    """What is wrong with a catalogue: a language missing, places that differ between the languages, an odd status."""
    found = []
    for code, text in texts.items():
        if not text.zh.strip() or not text.en.strip():
            found.append(f"{code}: a language is missing")
        if sorted(PLACE.findall(text.zh)) != sorted(PLACE.findall(text.en)):
            found.append(f"{code}: the two languages name different parameters")
        if not 200 <= text.status < 600:
            found.append(f"{code}: {text.status} is no HTTP status")
    return found


def _said(value: Any) -> str:
    """A parameter as it may be told. What looks typed by somebody is hidden, whoever put it there."""
    if isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, str) and sayable(value):
        return value
    if isinstance(value, (list, tuple, set, frozenset)) and value:
        said = [_said(one) for one in list(value)[:MOST_SAID] if not isinstance(one, (list, tuple))]
        return ", ".join(said if len(value) <= MOST_SAID else [*said, HIDDEN])
    return HIDDEN


def sayable(value: str) -> bool:
    """Whether it looks like an id or a code of ours."""
    return SAYABLE.fullmatch(value) is not None


def sayable_path(field: str) -> str:
    """A field path as it may be told: what somebody made up stands as ``*``."""
    return ".".join(step if STEP.fullmatch(step) else "*" for step in field.split("."))


@lru_cache(maxsize=512)
def language_of(accepted: bytes) -> Language:
    """The language for an ``Accept-Language`` header: Chinese unless English is preferred."""
    weights = {"zh": 0.0, "en": 0.0, "*": 0.0}
    for item in accepted[:200].decode("latin-1").lower().split(","):
        tag, _, parameters = item.strip().partition(";")
        family = tag.strip().partition("-")[0]
        if family in weights:
            weights[family] = max(weights[family], _weight(parameters))
    return "en" if weights["en"] > max(weights["zh"], weights["*"]) else "zh"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
