"""What a caller is told for each code of this service, Chinese first."""

from services.chassis.aggregate import Text


def _no(zh: str, en: str) -> Text:
    return Text(zh, en, 409)


def _wrong(zh: str, en: str) -> Text:
    return Text(zh, en, 422)


UNITS: dict[str, Text] = {
    "unit-closed": _no("该单位已撤销。", "The unit is closed."),
    "zone-missing": _wrong("区县须写明时区。", "A district needs its time zone."),
    "only-for-grids": _wrong("只有网格才有此项。", "Only grids have this."),
    "grid-level-missing": _wrong("网格须写明级别和层。", "A grid needs its level and layer."),
    "superior-missing": _wrong("须写明上级单位。", "The superior is missing."),
    "superior-of-wrong-kind": _wrong("{kind} 不能直属于 {superior}。", "A {kind} cannot sit under a {superior}."),
    "superior-below-itself": _no("不能移到自己的下级之下。", "A unit cannot be moved below itself."),
    "zone-not-narrower": _wrong("责任区的级别须低于上级网格。", "A zone must be narrower than the grid above it."),
    "from-in-future": _wrong("生效日期不能在将来。", "The day cannot lie in the future."),
    "from-before-present": _no("日期早于现有记录。", "The day lies before what is recorded."),
    "move-across-districts": _no("跨区县迁移须另行办理。", "A move across districts is a migration of its own."),
    "not-a-grid": _wrong("这不是网格。", "This is not a grid."),
    "grid-level-differs": _wrong("{level} 级网格不能覆盖 {kind}。", "A grid of level {level} does not cover a {kind}."),
    "grid-of-another-community": _no("网格属于另一个社区。", "The grid belongs to another community."),
    "units-below-open": _no("下面还有 {count} 个单位未撤销。", "{count} units below it are still open."),
    "grid-still-covers": _no("网格还覆盖 {count} 个单位。", "The grid still covers {count} units."),
}
PEOPLE: dict[str, Text] = {
    "household-closed": _no("该户已注销。", "The household is closed."),
    "household-not-empty": _no("该户还有 {count} 名居民。", "{count} residents still belong to the household."),
    "tenancy-of-permanent-household": _wrong("常住户没有租期。", "A permanent household has no tenancy."),
    "door-taken": _no("该门牌已登记一户。", "A household is registered behind this door."),
    "identity-missing": _wrong("须填写姓名。", "The identity is missing."),
    "number-malformed": _wrong("证件号码应为 18 位。", "A resident number has 18 characters."),
    "number-checksum": _wrong("证件号码校验位不对,请核对。", "The check digit of the number is wrong."),
    "birth-differs": _wrong("出生日期与证件号码不一致。", "The birth differs from the resident number."),
    "resident-number-known": _no("该证件号码已登记。", "The resident number is registered already."),
    "resident-merged": _no("该档案已并入另一份。", "The file has been merged into another."),
    "resident-closed": _no("该档案已注销。", "The file is closed."),
    "merge-into-merged": _no("目标档案自身已被合并。", "The other file has itself been merged."),
    "merge-into-younger": _no("请将较新的档案并入较早的档案。", "Merge the younger file into the elder one."),
    "marker-unknown": _wrong("没有这个特殊类别,可选:{allowed}。", "There is no such marker; there are: {allowed}."),
    "consent-undated": _wrong("同意联系须写明同意日期。", "A consent needs the day on which it was given."),
    "marker-backwards": _wrong("特殊类别的截止日期应晚于起始日期。", "A marker ends after it begins."),
    "marker-in-future": _wrong("特殊类别的日期不能在将来。", "The day of a marker cannot lie in the future."),
    "search-by-one": _wrong(
        "请按一项查询:phone、tail、number 或 name。", "Search by exactly one of phone, tail, number and name."
    ),
    "nothing-given": _wrong("没有填写任何内容。", "Nothing was given."),
    "visit-in-future": _wrong("走访时间不能在将来。", "A visit cannot lie in the future."),
    "visit-of-nobody": _wrong("须写明走访的居民、住户或单位。", "Say whom or where the visit was to."),
    "resident-of-another-household": _wrong("居民不属于该户。", "The resident belongs to another household."),
}
BODIES: dict[str, Text] = {
    "post-not-held": _no("没有担任此岗位。", "The post is not held."),
    "staff-ended": _no("该人员已离任。", "The person has left."),
    "place-kind-unknown": _wrong(
        "没有这种类型,可选:{allowed}。", "There is no such kind of place; there are: {allowed}."
    ),
    "place-closed": _no("该单位或服务点已注销。", "The place is closed."),
    "supervisor-is-itself": _wrong("监督单位不能是自己。", "A place does not supervise itself."),
    "supervisor-missing": _wrong("须写明监督单位。", "The supervisor is missing."),
    "position-missing": _wrong("服务点须有位置。", "A point of service needs a position."),
    "promise-missing": _wrong("须写明服务承诺时限。", "The service promise is missing."),
    "policy-key-unknown": _wrong("没有这个参数,可用的有:{allowed}。", "There is no such policy; there are: {allowed}."),
    "policy-value-malformed": _wrong(
        "规定 {key} 的值不符合要求,请按各项说明改正后重新发布。",
        "The value of {key} is not right; mend what each entry says and publish it again.",
    ),
    "file-without-rows": _wrong("文件中没有数据行。", "The file has no rows."),
    "portion-missing": _no("待导入的数据缺失。", "Rows of the import are missing."),
    "export-too-large": _wrong("超过 {most} 条,请选择较小的单位。", "More than {most} records: choose a smaller unit."),
    "number-region-unknown": Text("证件号码的地区码不在名单中。", "The region of the number is not listed.", 200),
}
TEXTS: dict[str, Text] = UNITS | PEOPLE | BODIES
