"""Names in a short text, as far as they can be found without knowing people: a help for lists, never a promise.

Found are
* a name that came with the text (the reporter's), however it is spaced, dotted, wide or small; and of it the given
  name or any other part alone, of two Chinese characters or three letters and more;
* a form of address after a surname, with up to two characters between: 王先生, 王小明先生, 欧阳女士, Mrs Wang;
* 老 or 小 before a common surname, where somebody speaks or lives: 老王家, 小李反映.

Not found are all other names: a neighbour's that stands bare (李小红占道), a rare surname before a form of address, a
nickname, a name written in pinyin or with another character. So a text for the public is still read by whoever
releases it, and what a resident said is sealed whole.

Invariants
* ``find_names(mask_names(text, names), names)`` is empty, and what is not part of a finding stays as it was.
* Where it is not clear where a name begins, more is hidden rather than less.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from services.kernel.document.masking import MASK, Found

_SINGLE = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟"
    "安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦柳邢骆岳齐梅庄辛祝左涂谷祁舒耿牟卜詹关苗凌费纪靳盛欧甄曲裴屈鲍霍翁隋甘"
    "柏柯阮闵柴冉辜饶瞿戚滕晋邬臧苟褚娄闫肖付"
)
_RARE = frozenset("管童项席卫查景薄单包司宁桂解强华车房边吉丘古米池苑宫沙丰盖楚初仲")  # and part of many words
_PLAIN_ADDRESS = ("先生", "女士", "小姐", "太太", "夫人")  # nothing but a name stands before these
_DOUBLE = frozenset(
    ("欧阳", "上官", "司马", "诸葛", "皇甫", "尉迟", "公孙", "慕容", "令狐", "夏侯", "端木", "长孙", "宇文", "司徒")
)
_ADDRESS = re.compile(
    "先生|女士|小姐|太太|夫人|阿姨|叔叔|大爷|大妈|大娘|大叔|大婶|大伯|大嫂|大哥|大姐|奶奶|爷爷|婆婆|伯伯|姥姥|姥爷|老太|老汉"
    "|师傅|老师|医生|大夫|同志|主任|书记|经理"
)
# Words that begin with, or hold, what could be a surname: a help or an office stands before a form of address there.
_ORDINARY = re.compile(
    "高龄|高级|高层|安装|安保|保安|康复|钟点工|夏令营|金牌|施工|工程|管理|关爱|关心|关于|江边|路边|周边|周末|周一|马路|石材|白发|任何"
    "|方便|万能|常务|单身|单亲|单元|项目|值班|时常|时间|古筝|华人|国文|语文|外语|司机|包工|房东|房管|车辆|强烈|解决|来访|向"
)
_SPOKEN = re.compile(
    "[老小][王李张刘陈赵吴孙周徐郭朱胡郑谢韩冯曹邓彭吕苏蒋蔡贾丁魏薛潘杜姜姚谭邹郝崔邱秦孟钱](?=家|说|称|反映|投诉|要求|希望|来电)"
)
_ENGLISH = re.compile(r"(?<![A-Za-z])(?:Mr|Mrs|Ms|Miss|Dr)\b[. ]{1,3}[A-Z][A-Za-z'\-]*(?: [A-Z][A-Za-z'\-]+)?")
_NEVER_GIVEN = frozenset("的了是在有说称与和跟对被把为到从住楼号区室层门路街村院位名个家里您我你他她们及并又还请让给")
_NOBODY = frozenset(
    ("匿名", "居民", "群众", "业主", "本人", "未知", "不详", "保密", "市民", "村民", "住户", "租户", "网友", "热心居民")
)
_APART = re.compile(r"[\W_]+")  # what stands between the parts of a name
_GAPS = frozenset(" \t\n\r\u200b·•‧∙⋅・.'-")


def find_names(text: str, names: Iterable[str] = ()) -> tuple[Found, ...]:
    """What in ``text`` is one of ``names`` or looks like a form of address, in order and without overlap."""
    known = "".join(map(_folded, text))
    found: list[Found] = []
    for start, end in sorted({*_given(known, names), *_addressed(known), *_matched(known)}):
        if found and start < found[-1].end:
            found[-1] = Found("name", found[-1].start, max(found[-1].end, end))
        else:
            found.append(Found("name", start, end))
    return tuple(found)


def mask_names(text: str, names: Iterable[str] = ()) -> str:
    """``text`` with every finding replaced by ``***``."""
    names = tuple(names)
    while found := find_names(text, names):
        for one in reversed(found):
            text = text[: one.start] + MASK + text[one.end :]
    return text


def _given(text: str, names: Iterable[str]) -> Iterator[tuple[int, int]]:
    places = [place for place, char in enumerate(text) if char not in _GAPS]
    squeezed = "".join(_small(text[place]) for place in places)
    for part in {part for name in names for part in _parts(name)}:
        at = squeezed.find(part)
        while at >= 0:
            start, end = places[at], places[at + len(part) - 1] + 1
            if not part.isascii() or not (_is_letter(text, start - 1) or _is_letter(text, end)):
                yield start, end
            at = squeezed.find(part, at + 1)


def _parts(name: str) -> list[str]:
    """The name whole, and of it what points at somebody alone. Nothing of what names nobody."""
    written = [part for part in _APART.split("".join(_small(_folded(c)) for c in name)) if part]
    whole = "".join(written)
    if len(whole) < 2 or whole in _NOBODY:
        return []
    own = len(_surname(whole, 0)) if len(written) == 1 and not _ADDRESS.search(whole) else 0
    inner = [*written, *([whole[own:]] if own else [])]
    return [whole, *(part for part in inner if len(part) >= (3 if part.isascii() else 2) and part not in _NOBODY)]


def _folded(char: str) -> str:
    """One character in the width and with the gaps that the rest knows."""
    if char.isascii() or "\u4e00" <= char <= "\u9fff":
        return char
    if 0xFF01 <= ord(char) <= 0xFF5E:
        return chr(ord(char) - 0xFEE0)
    category = unicodedata.category(char)
    return " " if category == "Zs" else "\u200b" if category in ("Cf", "Mn", "Me") else char


def _small(char: str) -> str:
    small = char.lower()
    return small if len(small) == 1 else char


def _is_letter(text: str, place: int) -> bool:
    return 0 <= place < len(text) and text[place].isascii() and text[place].isalpha()


def _addressed(text: str) -> Iterator[tuple[int, int]]:
    """A surname, up to two characters of a given name, a form of address: from the farthest that could be one."""
    ordinary = [word.span() for word in _ORDINARY.finditer(text)]
    for address in _ADDRESS.finditer(text):
        for start in range(max(0, address.start() - 6), address.start()):
            surname = _surname(text, start)
            between = "".join(text[start + len(surname) : address.start()].split())
            if not surname and not between[1:] and address.group() in _PLAIN_ADDRESS and text[start] in _RARE:
                surname, between = text[start], ""
            inside = any(first <= start < last for first, last in ordinary)
            if surname and not inside and len(between) <= 2 and all(map(_could_be_given, between)):
                yield start, address.end()
                break


def _surname(text: str, start: int) -> str:
    if text[start : start + 2] in _DOUBLE:
        return text[start : start + 2]
    return text[start] if text[start] in _SINGLE else ""


def _could_be_given(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" and char not in _NEVER_GIVEN


def _matched(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_SPOKEN, _ENGLISH):
        for match in pattern.finditer(text):
            yield match.span()
