"""Finding and hiding what points at a person in a free text: phones, resident and card numbers, doors, mail, plates.

Names are not found: only a person who reads the text can, which is why a public text is released by one.

Invariants
* ``find_identifiers(mask(text))`` is empty, and what is not part of a finding stays as it was.
* Full-width and Chinese digits, any dash, and spaces or invisible characters between digits do not hide a number.
* Seven digits or more in a row are taken for a number of somebody, whatever they are, unless a unit of measure
  follows: a text too many goes back to its author rather than a number too many to the public.
"""

import re
import unicodedata
from dataclasses import dataclass

MASK = "***"


@dataclass(frozen=True)
class Found:
    """Where something was found (``start`` and ``end`` count characters) and what it looks like; never the text."""

    kind: str
    start: int
    end: int


_GAP = r"[\s\-.·_/()\u200b]{0,3}"
_AREA = r"(?:0\d{2,3})"
_BUILDING = r"(?:号楼|号院|栋|幢|座|#楼?|楼)"
_UNIT = r"(?:单元|门洞|门|梯|#)"
_NUMERAL = r"[\d十百]{1,5}"
_NAME = r"(?:[\d十百]{1,5}|[A-Za-z甲乙丙丁东西南北中])"
_ROOM = r"(?:室|号房|房间|房|号)"
_SEP = r"[ \t\-,,、.·/\u200b]{0,3}"
_COUNTED = r"(?![\d十百]|[ ]?(?:年|月|日|天|户|人|个|元|次|件|平|米|㎡|套|间|块|万|岁|点|时|分|%))"
_MEASURE = r"(?![ ]?(?:万?元|平方|平米|㎡|公里|千米|米|公斤|千克|度|吨|%))"
_PLATES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("email", r"[A-Za-z0-9_.+\-]{1,64}[ ]?@[ ]?[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}"),
        ("resident_number", rf"(?<!\d)[1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx](?![\dA-Za-z])"),
        ("resident_number", rf"(?<!\d)[1-9](?:{_GAP}\d){{14}}(?!\d)"),
        ("bank_card", r"(?<!\d)\d{4}(?:[ \-\u200b]\d{4}){3}(?:[ \-\u200b]?\d{1,3})?(?!\d)"),
        ("phone", rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)"),
        ("phone", rf"(?:\+|00)86{_GAP}0?\d{{2,3}}{_GAP}\d(?:{_GAP}\d){{6,7}}(?!\d)"),
        ("phone", rf"(?<!\d){_AREA}{_GAP}[2-9](?:{_GAP}\d){{6,7}}(?!\d)"),
        ("phone", r"(?<![\d\-])(?!(?:19|20)\d\d-)[2-9]\d{2,3}[ \-\u200b]\d{4}(?![\d\-])" + _MEASURE),
        ("phone", r"(?<!\d)[48]00[ \-]?\d{3}[ \-]?\d{4}(?!\d)"),
        ("plate", rf"[{_PLATES}][ ]?[A-Z][ ·.\-\u200b]{{0,2}}(?=[A-Z]*\d)[A-HJ-NP-Z0-9]{{5,6}}(?![A-Za-z0-9])"),
        ("number", rf"(?<!\d)\d(?:\u200b*\d){{6,}}(?!\d){_MEASURE}"),
        # 3号楼2单元501室, 3栋501, A座1203, 2单元501: a building or unit, then a room
        (
            "door",
            rf"(?:{_NAME}[ ]?{_BUILDING}{_SEP})?{_NAME}[ ]?{_UNIT}{_SEP}(?:{_NUMERAL}[ ]?[楼层]{_SEP})?"
            rf"(?:{_NUMERAL}[ ]?{_ROOM}(?!楼)|[\d十百]{{3,4}}(?:[ ]?户|{_COUNTED})|(?<=[楼层])[东西南北中左右][户边])",
        ),
        (
            "door",
            rf"{_NAME}[ ]?{_BUILDING}{_SEP}(?:{_NUMERAL}[ ]?[楼层]{_SEP})?"
            rf"(?:{_NUMERAL}[ ]?(?:室|号房|房间)|[\d十百]{{3,4}}[ ]?{_ROOM}?{_COUNTED})",
        ),
        ("door", r"(?<![\d\-])\d{1,3}[\-#]\d{1,2}[\-#]\d{3,4}(?![\d\-])"),
        ("door", r"(?<![\d/])\d{1,3}/\d{1,2}/(?!(?:19|20)\d\d)\d{3,4}(?![\d/])"),
        ("door", rf"(?<![\d\-])\d{{1,3}}[\-#]\d{{3,4}}(?=[ ]?{_ROOM})[ ]?{_ROOM}"),
        ("door", r"[\d十百]{3,5}[ ]?(?:室|号房|房间)"),
        ("door", r"(?:房号|门牌号?|室号|房间号)[:是为 ]{0,2}[A-Za-z]?[\d十百]{1,4}"),
    )
)

_CHINESE_DIGITS = dict(zip("〇零一二三四五六七八九幺", "001234567891", strict=True))


def find_identifiers(text: str) -> tuple[Found, ...]:
    """What in ``text`` points at a person, in order and without overlap."""
    plain = "".join(_plain(c) for c in text)
    matches = ((kind, m) for kind, pattern in _PATTERNS for m in pattern.finditer(plain))
    spans = [(m.start(), m.end(), kind) for kind, m in matches if kind != "resident_number" or _dated(m.group())]
    found: list[Found] = []
    for start, end, kind in sorted(spans, key=lambda s: (s[0], -s[1])):
        if found and start < found[-1].end:
            found[-1] = Found(found[-1].kind, found[-1].start, max(found[-1].end, end))
        else:
            found.append(Found(kind, start, end))
    return tuple(found)


def mask(text: str) -> str:
    """``text`` with every finding replaced by ``***``."""
    while found := find_identifiers(text):
        for one in reversed(found):
            text = text[: one.start] + MASK + text[one.end :]
    return text


def _dated(number: str) -> bool:
    """Whether a resident number holds a possible day of birth, which two dates side by side do not."""
    digits = re.sub(r"[^\dXx]", "", number)
    born = digits[6:14] if len(digits) == 18 else "19" + digits[6:12]
    return born[:2] in ("18", "19", "20") and 1 <= int(born[4:6]) <= 12 and 1 <= int(born[6:8]) <= 31


def _plain(char: str) -> str:
    """One character as the patterns know it: ASCII digits, letters and marks, one dash, one space, one invisible."""
    if char.isascii():
        return char
    if char in _CHINESE_DIGITS:
        return _CHINESE_DIGITS[char]
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    if 0xFF01 <= ord(char) <= 0xFF5E:
        return chr(ord(char) - 0xFEE0)
    category = unicodedata.category(char)
    if category == "Pd" or char == "−":
        return "-"
    if category == "Zs":
        return " "
    return "\u200b" if category in ("Cf", "Mn", "Me") else char
