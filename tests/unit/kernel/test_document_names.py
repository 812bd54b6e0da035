"""Names in a subject: what is hidden, what is not, and what stays readable."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.document import find_names, mask_names

BARE = ["李小红占道", "张三家漏水", "赵敏和钱进打架", "隔壁小红太吵", "wang xiaoming de jia", "亓先锋占道"]
ADDRESSED = [
    ("王先生反映漏水", "***反映漏水"),
    ("反映王小明先生家漏水", "反映***家漏水"),
    ("张三先生", "***"),
    ("三楼李阿姨养狗", "三楼***养狗"),
    ("欧阳女士求助", "***求助"),
    ("欧阳晓红女士求助", "***求助"),
    ("管先生停车", "***停车"),
    ("业主周\u3000先生", "业主***"),
    ("７号楼王女士", "７号楼***"),
    ("物业张经理不接电话", "物业***不接电话"),
    ("东门李师傅占道", "东门***占道"),
    ("独居的陈奶奶摔倒", "独居的***摔倒"),
    ("老王家漏水", "***家漏水"),
    ("小李反映噪音", "***反映噪音"),
    ("王先生与李女士争吵", "***与***争吵"),
    ("Mrs. Wang Hua complains", "*** complains"),
]
READABLE = [
    "小区路灯不亮", "老房子漏水", "小马路积水", "高龄老太买菜难", "安装师傅没来", "维修师傅态度差", "工程师傅违规",
    "施工经理失联", "项目经理失联", "物业公司经理不在", "居委会主任不在", "社区书记接待日", "关爱老太",
    "独居老人无人照料", "广场舞大妈噪音", "周边大爷打牌", "门卫大爷睡觉", "停车场大爷收费", "家庭医生签约",
    "英语老师", "儿童老师", "语文老师", "保洁阿姨", "宿管阿姨", "钟点工阿姨", "青年女士晕倒", "网格员同志",
    "一位先生晕倒", "那位女士求助", "老先生走失", "和平小区漏水", "厨房水管漏水",
]  # fmt: skip
OWN = [
    ("王小明", "王小明家漏水", "***家漏水"),
    ("王小明", "王 小 明家漏水", "***家漏水"),
    ("王小明", "小明家漏水", "***家漏水"),
    ("王小明(业主)", "业主王小明家漏水", "业主***家漏水"),
    ("王大妈", "王大妈家漏水", "***家漏水"),
    ("张三", "张三家漏水", "***家漏水"),
    ("欧阳暗桐", "联系暗桐", "联系***"),
    ("买买提·艾力", "艾力家、买买提•艾力", "***家、***"),
    ("巴图", "巴图家漏水", "***家漏水"),
    ("John Smith", "smith's kitchen", "***'s kitchen"),
    ("ｊｏｈｎ", "John's kitchen", "***'s kitchen"),
]
NOBODY = [
    ("居民", "居民楼漏水"),
    ("匿名", "匿名反映噪音"),
    ("王", "王府小区漏水"),
    ("A", "A座漏水"),
    ("***", "***漏水"),
    ("", "漏水"),
]


@pytest.mark.parametrize("text", BARE)
def test_somebody_elses_bare_name_is_not_found_and_nobody_should_count_on_it(text: str) -> None:
    assert find_names(text) == ()


@pytest.mark.parametrize("text", READABLE)
def test_ordinary_words_stay_readable(text: str) -> None:
    assert mask_names(text) == text


@pytest.mark.parametrize(("name", "text"), NOBODY)
def test_what_names_nobody_hides_nothing(name: str, text: str) -> None:
    assert mask_names(text, [name]) == text


def test_a_part_of_a_longer_word_in_letters_is_not_a_name() -> None:
    assert mask_names("annual check, Ann's door", ["Ann"]) == "annual check, ***'s door"


@pytest.mark.mechanism("CMP-36")
@pytest.mark.parametrize(("text", "masked"), ADDRESSED)
def test_a_form_of_address_is_hidden_with_the_name_before_it(text: str, masked: str) -> None:
    assert mask_names(text) == masked


@pytest.mark.mechanism("CMP-36")
@pytest.mark.parametrize(("name", "text", "masked"), OWN)
def test_the_reporters_own_name_is_hidden_however_it_is_written(name: str, text: str, masked: str) -> None:
    assert mask_names(text, [name]) == masked


def test_a_name_that_is_a_common_word_is_hidden_where_it_means_something_else_too() -> None:
    assert mask_names("和平小区漏水", ["李和平"]) == "***小区漏水"


pieces = st.sampled_from([*BARE, *READABLE, *(text for text, _ in ADDRESSED), *(text for _, text, _ in OWN)])
texts = st.lists(st.one_of(pieces, st.text("王李小明先生女士阿姨家 ·*A", max_size=8), st.text(max_size=6)), max_size=5)
names = st.lists(st.one_of(st.sampled_from([name for name, _, _ in OWN]), st.text(max_size=5)), max_size=3)


@settings(deadline=None)
@given(texts.map("".join), names)
def test_masking_again_finds_nothing_and_what_is_not_found_stays(text: str, known: list[str]) -> None:
    masked = mask_names(text, known)
    assert find_names(masked, known) == () and mask_names(masked, known) == masked
    if "*" not in text:
        position = 0
        for piece in masked.split("***"):
            assert piece in text[position:]
            position = text.index(piece, position) + len(piece)


def test_a_long_text_is_read_in_a_moment() -> None:
    assert mask_names("王" * 3000 + "先生" + "李小" * 3000, ["王小明"] * 50)
