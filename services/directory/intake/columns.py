"""The columns of the files that come in and go out, in Chinese and English."""

import re
from collections.abc import Mapping

from services.chassis.files.cells import CellFault, Kind, Plain, as_text, choice, day, phone, yes_no
from services.chassis.files.spreadsheets import Column
from services.directory.domain.markers import CODES

_BETWEEN = re.compile(r"[、,，;；/\n]+")

KINDS = {
    "street": ("街道", "street"),
    "community": ("社区", "community"),
    "grid": ("网格", "grid"),
    "compound": ("小区", "compound"),
    "building": ("楼栋", "building"),
    "entrance": ("单元", "entrance"),
}
LEVELS = {
    "community": ("社区级", "community"),
    "compound": ("小区级", "compound"),
    "building": ("楼栋级", "building"),
    "entrance": ("楼道级", "entrance"),
}
LAYERS = {"community": ("社区网格", "community"), "party": ("党网格", "party")}
CAPABILITIES = {
    "social_work": ("社工", "social work"),
    "city_management": ("城管", "city management"),
    "comprehensive_governance": ("综治", "comprehensive governance"),
}
TENURES = {
    "permanent": ("常住", "permanent"),
    "floating": ("流动", "floating"),
    "rented": ("租赁", "rented"),
}
RELATIONS = {
    "head": ("户主", "head"),
    "spouse": ("配偶", "spouse"),
    "child": ("子女", "child"),
    "parent": ("父母", "parent"),
    "grandchild": ("孙子女", "grandchild"),
    "grandparent": ("祖父母", "grandparent"),
    "sibling": ("兄弟姐妹", "sibling"),
    "other": ("其他", "other"),
}
SEXES = {"female": ("女", "female"), "male": ("男", "male")}


def several(options: Mapping[str, tuple[str, str]]) -> Kind:
    """Some of the codes in ``options``, written one after the other."""
    one = choice(options)

    def parse(value: Plain) -> tuple[str, ...]:
        words = [word.strip() for word in _BETWEEN.split(as_text(value)) if word.strip()]
        return tuple(sorted({one(word) for word in words}))

    def shown(codes: object, language: str) -> Plain:
        listed = codes if isinstance(codes, (list, tuple)) else ()
        return "、".join(options[code][0 if language == "zh" else 1] for code in listed) or None

    return Kind(parse, shown)


def short(most: int) -> Kind:
    """Text of at most so many characters."""

    def parse(value: Plain) -> str:
        written = as_text(value)
        if len(written) > most:
            raise CellFault("cell-too-long", limit=most)
        return written

    def shown(value: object, language: str) -> Plain:
        return value if isinstance(value, str) else None

    return Kind(parse, shown)


UNIT_COLUMNS = (
    Column("编号", "Code", "code", required=True, parse=short(60)),
    Column("类型", "Kind", "kind", required=True, parse=choice(KINDS)),
    Column("名称", "Name", "name", required=True, parse=short(100)),
    Column("上级编号", "Superior", "parent", required=True, parse=short(90)),
    Column("网格级别", "Grid level", "level", parse=choice(LEVELS)),
    Column("网格层", "Grid layer", "layer", parse=choice(LAYERS)),
    Column("网格职能", "Networks", "capabilities", parse=several(CAPABILITIES)),
    Column("所在社区网格", "In community grid", "community", parse=short(90)),
    Column("所在党网格", "In party grid", "party", parse=short(90)),
)

HOUSEHOLD_COLUMNS = (
    Column("楼栋编号", "Building", "building", required=True, parse=short(90)),
    Column("门牌号", "Door", "door", required=True, parse=short(60)),
    Column("户类型", "Tenure", "tenure", required=True, parse=choice(TENURES)),
    Column("租期至", "Tenancy until", "until", parse=day),
    Column("姓名", "Name", "name", parse=short(60)),
    Column("与户主关系", "Relation to head", "relation", parse=choice(RELATIONS)),
    Column("性别", "Sex", "sex", parse=choice(SEXES)),
    Column("证件号码", "Resident number", "number", parse=short(30)),
    Column("出生日期", "Birth", "birth", parse=day),
    Column("户籍地址", "Registered address", "registered_address", parse=short(200)),
    Column("手机号码", "Phone", "phone", parse=phone),
    Column("同意联系", "Consent", "consent", parse=yes_no),
    Column("同意日期", "Consent on", "consent_on", parse=day),
    Column("特殊类别", "Markers", "markers", parse=several(CODES)),
    Column("类别来源", "Source of markers", "marker_source", parse=short(120)),
    Column("类别起始", "Markers since", "marker_since", parse=day),
)
COLUMNS = {"units": UNIT_COLUMNS, "households": HOUSEHOLD_COLUMNS}
