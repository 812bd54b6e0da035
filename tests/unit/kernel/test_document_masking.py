import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.kernel.document import find_identifiers, mask

PHONES = [
    "13800138000",
    "138 0013 8000",
    "138-0013-8000",
    "138.0013.8000",
    "138\n0013\n8000",
    "1 3 8 0 0 1 3 8 0 0 0",
    "138\u200b0013\u200b8000",
    "138—0013—8000",
    "１３８００１３８０００",
    "一三八零零一三八零零零",
    "幺三八〇〇一三八〇〇〇",
    "①③⑧00138000",
    "+8613800138000",
    "+86 138 0013 8000",
    "0086-13800138000",
    "0472-5201234",
    "(0472)5201234",
    "（０４７２）５２０１２３４",
    "010 8888 6666",
    "01088886666",
    "+86-10-8888-6666",
    "88886666",
    "8888 6666",
    "520-1234",
    "400-810-8888",
]
RESIDENT_NUMBERS = ["11010519491231002X", "110105 19491231 002x", "110105491231002", "110105-1949-1231-0021"]
CARDS = ["6222020000000000123", "6222 0200 0000 0000 123", "6222-0200-0000-0000"]
DOORS = [
    "3号楼2单元501室",
    "3号楼2单元501",
    "３号楼２单元５０１室",
    "三号楼二单元五百零一室",
    "三号楼二单元五零一",
    "3-2-501",
    "3－2－501",
    "3#2-501",
    "3/2/501",
    "3栋501",
    "3号楼-501",
    "3幢1单元1201房",
    "A座1203",
    "2单元501",
    "东单元302室",
    "5楼501",
    "501室",
    "12号楼1门302号",
    "3号楼2单元502户",
    "7号楼五单元六楼东户",
    "房号：501",
]
OTHERS = ["a.b@c.com.cn", "ａ＠ｃ．ｃｏｍ", "京A12345", "蒙B·AD1234"]
ALL = PHONES + RESIDENT_NUMBERS + CARDS + DOORS + OTHERS

HARMLESS = [
    "2026-02-14",
    "2026年2月14日 10:30",
    "2026-02-14 至 2026-03-01",
    "2026-02-14 2026-03-01",
    "2025-2026年",
    "12345热线",
    "拨打110",
    "共22,004户",
    "3室1厅",
    "12户居民",
    "3号楼2单元漏水",
    "3号楼120户",
    "3号楼2026年改造",
    "维修费1200000元",
    "400平方米",
    "100-200人",
    "1000-2000元",
    "第3-5号楼",
    "一室一厅",
    "85.3%",
    "2026-0012",
    "1869件中1594件",
    "2月14日至3月1日",
    "一号楼二号楼",
    "星期一三五",
]


@pytest.mark.mechanism("CMP-07")
@pytest.mark.parametrize("secret", ALL)
def test_a_number_is_found_however_it_is_written(secret):
    text = f"反映人来电，{secret}，请处理"
    assert find_identifiers(text)
    assert mask(text) == "反映人来电，***，请处理" or secret not in mask(text)


@pytest.mark.parametrize("kind, secret", [("phone", "13800138000"), ("email", "a@b.cn"), ("door", "3-2-501")])
def test_a_finding_says_what_and_where_and_nothing_else(kind, secret):
    (found,) = find_identifiers(f"见{secret}。")
    assert (found.kind, found.start, found.end) == (kind, 1, 1 + len(secret))


@pytest.mark.parametrize("text", HARMLESS)
def test_dates_amounts_counts_and_short_numbers_stay(text):
    assert mask(text) == text


def test_several_numbers_in_one_text_are_all_masked():
    assert mask("张先生13800138000，住3号楼2单元501室，邮箱a@b.cn") == "张先生***，住***，邮箱***"


pieces = st.one_of(
    st.sampled_from(ALL),
    st.sampled_from(HARMLESS),
    st.text("漏水 电话：，。\n0123456789-一二三号楼单元室xX@.+()#/", max_size=25),
    st.text(max_size=10),
)
texts = st.lists(pieces, max_size=6).map("".join)


@pytest.mark.mechanism("CMP-07")
@given(texts)
def test_nothing_is_found_in_a_masked_text_and_masking_again_changes_nothing(text):
    masked = mask(text)
    assert find_identifiers(masked) == ()
    assert mask(masked) == masked


@given(texts)
def test_findings_are_in_order_inside_the_text_and_apart(text):
    found = find_identifiers(text)
    ends = [0, *(f.end for f in found)]
    assert all(end <= f.start < f.end <= len(text) for end, f in zip(ends, found, strict=False))


@given(texts)
def test_what_is_not_found_stays_as_it_was_and_in_its_order(text):
    assume("*" not in text)
    position = 0
    for piece in mask(text).split("***"):
        assert piece in text[position:]
        position = text.index(piece, position) + len(piece)


gaps = st.sampled_from(["", " ", "-", "—", ".", "\u200b", "  ", "\u3000", " - "])


@pytest.mark.mechanism("CMP-07")
@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.lists(gaps, min_size=10, max_size=10), st.booleans())
def test_no_gap_between_the_digits_of_a_mobile_number_hides_it(number, between, wide):
    digits = [chr(ord(d) + 0xFEE0) if wide else d for d in number]
    written = "".join(d + g for d, g in zip(digits, [*between, ""], strict=True))
    masked = mask(f"电话{written}转")
    assert "***" in masked
    assert not any(d in masked for d in digits)


def test_a_long_text_is_read_in_a_moment():
    text = "1 3-" * 5000 + "(0" * 5000 + "一" * 5000 + "a." * 5000
    assert find_identifiers(text) is not None
