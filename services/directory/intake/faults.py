"""What can be wrong with a row beyond its single cells, told by cell in plain words; never what stands in the cell."""

from collections.abc import Mapping, Sequence

from openpyxl.utils import get_column_letter

from services.chassis.files.spreadsheets import CellError, Column

MOST = 500

FAULTS: dict[str, tuple[str, str]] = {
    "code-twice": ("编号与第 {other} 行重复", "The code stands in row {other} already"),
    "unit-not-found": ("没有这个编号的单位，或不在本辖区", "No unit of this code, or not in this unit"),
    "unit-closed": ("该单位已撤销", "This unit is closed"),
    "superior-of-wrong-kind": ("上级的类型不对", "The superior is of the wrong kind"),
    "superior-in-circle": ("上级关系成环", "The superiors run in a circle"),
    "grid-level-missing": ("网格须填写级别和层", "A grid needs a level and a layer"),
    "only-for-grids": ("只有网格才填此项", "Only grids have this"),
    "not-a-grid": ("这不是该层的网格", "This is no grid of that layer"),
    "grid-of-another-community": ("网格属于另一个社区", "The grid belongs to another community"),
    "grid-level-differs": ("该级别的网格不能覆盖这类单位", "A grid of this level does not cover such a unit"),
    "kind-differs": ("该编号已登记为另一类型", "This code is registered with another kind"),
    "not-a-dwelling": ("住户只能登记在小区、楼栋或单元", "Households live in a compound, building or entrance"),
    "tenancy-of-permanent-household": ("常住户不填租期", "A permanent household has no tenancy"),
    "household-differs": ("同一户的类型或租期与第 {other} 行不同", "Tenure or tenancy differ from row {other}"),
    "name-missing": ("有人员信息的行须填姓名", "A row about a person needs the name"),
    "number-malformed": ("证件号码应为 18 位", "A resident number has 18 characters"),
    "number-checksum": ("证件号码校验位不对，请核对", "The check digit is wrong; compare with the document"),
    "number-twice": ("证件号码与第 {other} 行重复", "The resident number stands in row {other} already"),
    "person-twice": ("同一户中姓名和出生日期与第 {other} 行重复", "Same name and birth as row {other} of it"),
    "birth-differs": ("出生日期与证件号码不一致", "The birth differs from the resident number"),
    "consent-undated": ("填“是”时须填同意日期", "A consent needs its day"),
    "marker-incomplete": ("填特殊类别时须填来源和起始日期", "Markers need their source and the day since"),
    "marker-in-future": ("日期在将来", "The day lies in the future"),
}


class Faults:
    """Collects what is wrong in one file."""

    def __init__(self, columns: Sequence[Column], places: Mapping[str, int], errors: Sequence[CellError]) -> None:
        self._names = {column.key: column.name_zh for column in columns}
        self._places = places
        self.errors = list(errors)
        self.cut = False

    def add(self, row: int, key: str, code: str, **params: int) -> None:
        """One cell, by row number and column key."""
        if len(self.errors) >= MOST:
            self.cut = True
            return
        zh, en = FAULTS[code]
        cell = f"{get_column_letter(self._places.get(key, 0) + 1)}{row}"
        name = self._names.get(key, "")
        self.errors.append(CellError(cell, name, code, zh.format(**params), en.format(**params)))
