"""What stands in one cell of a spreadsheet: read as people write it, and written so that it reads back the same."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from services.chassis.texts.chassis import CHASSIS
from services.kernel.phone import e164

Plain = str | int | float | bool | datetime | date | time | timedelta | Decimal | None
PRECISE = 10**15  # a spreadsheet keeps fifteen digits of a number
EARLIEST, LATEST = 1900, 2100  # years
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(\d{4})(\d{2})(\d{2})")
_MOMENT = re.compile(r"(.+?)[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

FAULTS: dict[str, tuple[str, str]] = {
    "cell-formula": ("这里是公式，请改为填写结果", "This is a formula; enter its result instead"),
    "cell-error": ("这里是计算错误，请改正", "This is a calculation error; correct it"),
    "cell-required": ("此项必填", "This must be filled in"),
    "cell-too-long": ("内容过长，最多 {limit} 个字符", "Too long: at most {limit} characters"),
    "cell-bad-character": ("含有无法保存的字符", "It holds a character that cannot be stored"),
    "cell-digits-lost": (
        "数字超过 15 位，表格软件已丢失末尾数字；请把单元格设为“文本”后重新填写",
        "A number of more than 15 digits has lost its last ones; format the cell as text and enter it again",
    ),
    "cell-not-whole": ("应为整数", "A whole number is needed"),
    "cell-out-of-range": ("应在 {least} 到 {most} 之间", "It must lie between {least} and {most}"),
    "cell-not-money": ("应为金额（元），最多两位小数", "An amount in yuan with at most two decimals is needed"),
    "cell-not-a-day": ("应为日期，例如 2024-01-31", "A date is needed, for example 2024-01-31"),
    "cell-not-a-moment": (
        "应为日期和时间，例如 2024-01-31 09:30",
        "A date and a time are needed, for example 2024-01-31 09:30",
    ),
    "cell-not-in-list": ("应为以下之一：{options_zh}", "It must be one of: {options_en}"),
    "phone-malformed": (CHASSIS["phone-malformed"].zh, CHASSIS["phone-malformed"].en),
    "cell-malformed": ("格式不正确", "This is not in the expected form"),
    "column-missing": ("缺少此列", "This column is missing"),
    "column-twice": ("此列出现了两次", "This column is there twice"),
    "column-unknown": ("不认识这个列名", "No column of this name is known"),
}


class CellFault(Exception):
    """What is wrong with a cell. ``params`` fill the text and never hold what somebody typed."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True)
class Kind:
    """How one kind of value is read from a cell and shown in one. ``show`` takes the value and the language."""

    parse: Callable[[Plain], Any]
    show: Callable[[Any, str], Plain]

    def __call__(self, value: Plain) -> Any:
        """The typed value. Raises CellFault."""
        return self.parse(value)


def as_text(value: Plain) -> str:
    """A cell's content as people see it: numbers without ``.0``, dates as ``YYYY-MM-DD``. Raises CellFault."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        if abs(value) >= PRECISE:
            raise CellFault("cell-digits-lost")
        return str(int(value)) if float(value).is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, str):
        if not value.isprintable() and _CONTROL.search(value):
            raise CellFault("cell-bad-character")
        return value.strip()
    return "" if value is None else str(value)


def _unchanged(value: Any, language: str) -> Plain:
    shown: Plain = value
    return shown


def _folded(value: Plain) -> str:
    return unicodedata.normalize("NFKC", as_text(value)).strip()


def _whole(value: Plain, least: int, most: int) -> int:
    written = _folded(value).replace(",", "")
    if not re.fullmatch(r"[+-]?\d{1,15}", written):
        raise CellFault("cell-not-whole")
    number = int(written)
    if not least <= number <= most:
        raise CellFault("cell-out-of-range", least=least, most=most)
    return number


def _fen(value: Plain) -> int:
    written = _folded(value).replace(",", "").removeprefix("¥").removesuffix("元").strip()
    try:
        yuan = Decimal(repr(round(value, 6)) if isinstance(value, float) else written)
    except InvalidOperation:
        raise CellFault("cell-not-money") from None
    if not yuan.is_finite() or abs(yuan) >= PRECISE or yuan * 100 != (yuan * 100).to_integral_value():
        raise CellFault("cell-not-money")
    return int(yuan * 100)


def _yuan(fen: Any, language: str) -> Plain:
    return None if fen is None else Decimal(fen) / 100


def _day(value: Plain) -> date:
    if isinstance(value, date):
        found = value.date() if isinstance(value, datetime) else value
    else:
        matched = _DAY.fullmatch(_folded(value))
        if matched is None:
            raise CellFault("cell-not-a-day")
        parts = [int(part) for part in matched.groups() if part]
        try:
            found = date(*parts)
        except ValueError:
            raise CellFault("cell-not-a-day") from None
    if not EARLIEST <= found.year <= LATEST:
        raise CellFault("cell-not-a-day")
    return found


def _local(value: Plain) -> datetime:
    """Date and time as written, to the second. A day alone is its beginning."""
    if isinstance(value, datetime):
        return (value + timedelta(milliseconds=500)).replace(microsecond=0)  # a spreadsheet's fractions are inexact
    written = _folded(value)
    matched = _MOMENT.fullmatch(written)
    try:
        day = _day(value if matched is None else matched[1])
        clock = time(int(matched[2]), int(matched[3]), int(matched[4] or 0)) if matched else time()
    except (CellFault, ValueError):
        raise CellFault("cell-not-a-moment") from None
    return datetime.combine(day, clock)


def whole(least: int = 0, most: int = 10**12) -> Kind:
    """A whole number between two bounds."""
    return Kind(lambda value: _whole(value, least, most), _unchanged)


def moment(zone: str) -> Kind:
    """An instant, written in local time of ``zone``; the value is UTC."""
    place = ZoneInfo(zone)

    def shown(value: Any, language: str) -> Plain:
        return None if value is None else value.astimezone(place).replace(tzinfo=None)

    return Kind(lambda value: _local(value).replace(tzinfo=place).astimezone(UTC), shown)


def choice(options: Mapping[str, tuple[str, str]]) -> Kind:
    """One of the codes in ``options`` (code to its Chinese and English name); any of the three may be written."""
    known = {_fold(word): code for code, names in options.items() for word in (code, *names)}
    zh, en = ("、".join(n[0] for n in options.values()), ", ".join(n[1] for n in options.values()))

    def parse(value: Plain) -> str:
        code = known.get(_fold(as_text(value)))
        if code is None:
            raise CellFault("cell-not-in-list", options_zh=zh, options_en=en)
        return code

    def shown(code: Any, language: str) -> Plain:
        return None if code is None else options[code][0 if language == "zh" else 1]

    return Kind(parse, shown)


def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip().casefold()


def _phone(value: Plain) -> str:
    found = e164(_folded(value))
    if found is None:
        raise CellFault("phone-malformed")
    return found


def _phone_shown(value: Any, language: str) -> Plain:
    """A Chinese mobile number without its country, as everybody writes it."""
    return value[3:] if value and re.fullmatch(r"\+861[3-9]\d{9}", value) else value


_YES = {"是", "有", "yes", "y", "true", "1", "√", "✓"}
_NO = {"否", "无", "no", "n", "false", "0", "×", "✗"}


def _yes(value: Plain) -> bool:
    word = _fold(as_text(value))
    if word not in _YES | _NO:
        raise CellFault("cell-not-in-list", options_zh="是、否", options_en="yes, no")
    return word in _YES


def _yes_shown(value: Any, language: str) -> Plain:
    return None if value is None else {"zh": ("否", "是"), "en": ("no", "yes")}[language][bool(value)]


text = Kind(as_text, _unchanged)
fen = Kind(_fen, _yuan)  # money: yuan in the cell, fen as the value
day = Kind(_day, _unchanged)
phone = Kind(_phone, _phone_shown)  # the value is E.164
yes_no = Kind(_yes, _yes_shown)
