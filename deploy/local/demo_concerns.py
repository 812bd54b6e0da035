"""The concerns of the demonstration street as a workbook, as a street would send one for import.

1,869 concerns recorded from 1 January to 30 April, of which 1,594 were solved or answered by then: 58 property problems
solved, 398 disputes coordinated, 1,138 others; 275 stay open. The same year gives the same content every time. All
texts and names are invented.

``python -m deploy.local.demo_concerns concerns.xlsx [year]``
"""

import io
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl

COMMUNITIES = tuple(f"unit_demo-c{number}" for number in range(1, 11))
HEADING = (
    "编号", "社区", "记录时间", "类型", "类别", "渠道", "事项",
    "内容", "反映人", "电话", "地址", "结果", "办结时间", "答复",
)  # fmt: skip
RECORDED, PROPERTY, DISPUTES, OTHERS = 1_869, 58, 398, 1_138
OPEN = RECORDED - PROPERTY - DISPUTES - OTHERS
OPEN_PROPERTY, OPEN_DISPUTES = 21, 44
SOLVED_SHARE = 0.72  # of the others; the rest was answered

CHANNELS = (
    "入户走访",
    "入户走访",
    "入户走访",
    "窗口接待",
    "窗口接待",
    "服务热线",
    "服务热线",
    "网上反映",
    "社情民意反映",
)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗"
GIVEN = (
    "建国",
    "秀英",
    "志强",
    "桂兰",
    "玉珍",
    "国庆",
    "春梅",
    "文斌",
    "淑芬",
    "小军",
    "丽娟",
    "永福",
    "阿依古丽",
    "海燕",
)
PLACES = (
    "小区东门",
    "二期院内",
    "南侧楼道",
    "地下车库",
    "健身角",
    "中心花园",
    "北门岗亭",
    "临街底商",
    "单元门口",
    "楼顶平台",
)

# Category to (subject, reply); a subject with {place} is told of one of PLACES.
TEXTS: dict[str, tuple[tuple[str, str], ...]] = {
    "物业突出问题": (
        ("{place}路灯长期不亮", "物业公司已更换灯具并排定每月巡检。"),
        ("{place}门禁损坏无人修", "物业公司已更换门禁,三方会议明确了维修时限。"),
        ("物业费收支不公开", "物业公司已在公告栏公示收支,并答应每季更新。"),
        ("{place}电梯频繁停运", "维保单位已更换部件,物业公布了应急电话牌。"),
    ),
    "居民矛盾纠纷": (
        ("楼上漏水引起邻里争执", "社区调解后双方签字,楼上住户已修好并赔付。"),
        ("{place}占用车位争执", "调解小组到场,双方同意按约定轮用。"),
        ("夜间噪声扰邻", "双方当面说开,约定晚十点后不再播放音响。"),
        ("{place}堆放杂物起争执", "邻里协商一致,杂物已清走。"),
    ),
    "民生困难": (
        ("独居老人希望有人定期上门", "已联系志愿者每周上门,社区工作者每月走访。"),
        ("家中有病人,生活一时困难", "已协助申请临时救助,社区送去慰问物资。"),
        ("残疾居民出行不便", "已联系康复站借用轮椅,单元口加装了扶手。"),
    ),
    "水电气暖": (
        ("{place}下水管道堵塞", "维修人员当日疏通,并清理了检查井。"),
        ("暖气不热", "供热公司上门排气调试,室温已达标。"),
        ("{place}停水未见通知", "供水单位已恢复供水,并答应提前公告。"),
    ),
    "环境卫生": (
        ("{place}垃圾清运不及时", "保洁单位增加了一次清运。"),
        ("{place}宠物粪便无人清理", "已设投放箱并张贴文明养宠提示。"),
        ("{place}墙面小广告多", "志愿者与保洁员一起清理完毕。"),
    ),
    "公共设施": (
        ("{place}井盖松动", "已更换井盖并加固。"),
        ("{place}健身器材损坏", "已报修并更换受损部件。"),
        ("{place}缺少休息座椅", "已列入本年微改造计划,先加放三张座椅。"),
    ),
    "老旧小区改造": (
        ("外墙保温层脱落", "已设围挡,维修资金申请正在办理,结果已告知居民。"),
        ("希望加装电梯", "已组织楼栋征询意见,结果与政策已向居民说明。"),
    ),
    "治安隐患": (
        ("{place}电动车乱停充电", "已清理飞线,新增充电桩投入使用。"),
        ("{place}夜间照明死角", "巡逻队增加巡查,照明已补装。"),
    ),
    "就业培训": (
        ("下岗后想学一门手艺", "已介绍到街道技能培训班。"),
        ("孩子毕业后求职困难", "已提供岗位信息并约好职业指导。"),
    ),
    "卫生健康": (
        ("老人不会预约体检", "社区工作者上门协助预约完毕。"),
        ("希望开设慢病讲座", "社区卫生站已排定本月讲座。"),
    ),
    "文体活动": (
        ("合唱队缺少排练场地", "已安排每周五上午使用活动室。"),
        ("希望增加少儿活动", "市民学校新开了周末课。"),
    ),
    "政策咨询": (
        ("询问养老补贴办理", "已当面说明条件与材料。"),
        ("询问居住证办理", "已告知流程并协助网上申请。"),
        ("询问医保报销比例", "已查明政策并书面答复。"),
    ),
}  # fmt: skip
OTHER_CATEGORIES = tuple(name for name in TEXTS if name not in ("物业突出问题", "居民矛盾纠纷"))
Line = tuple[str | datetime | None, ...]


def rows(year: int) -> Iterator[Line]:
    """The rows of the workbook, in the order in which the concerns were recorded."""
    chance = random.Random(year)
    kinds = (
        [("物业突出问题", "已解决")] * PROPERTY
        + [("居民矛盾纠纷", "已解决")] * DISPUTES
        + [(chance.choice(OTHER_CATEGORIES), "other") for _ in range(OTHERS)]
        + [("物业突出问题", None)] * OPEN_PROPERTY
        + [("居民矛盾纠纷", None)] * OPEN_DISPUTES
        + [(chance.choice(OTHER_CATEGORIES), None) for _ in range(OPEN - OPEN_PROPERTY - OPEN_DISPUTES)]
    )
    end = datetime(year, 4, 30, 18)
    dated = [(_working_hour(chance, year, outcome is None), category, outcome) for category, outcome in kinds]
    for number, (at, category, outcome) in enumerate(sorted(dated, key=lambda one: one[0]), start=1):
        yield _row(chance, f"MQ{year}-{number:04d}", category, outcome, at, end)


def _working_hour(chance: random.Random, year: int, is_open: bool) -> datetime:
    """An instant from 1 January to 30 April; what is still open tends to be younger."""
    days = 119 + (year % 4 == 0)
    day = max(chance.randrange(days), chance.randrange(days)) if is_open else chance.randrange(days)
    return datetime(year, 1, 1, 8, 30) + timedelta(days=day, minutes=chance.randrange(540))


def _row(chance: random.Random, number: str, category: str, outcome: str | None, at: datetime, end: datetime) -> Line:
    template, reply = chance.choice(TEXTS[category])
    subject = template.format(place=chance.choice(PLACES))
    if outcome == "other":
        outcome = "已答复" if category == "政策咨询" or chance.random() > SOLVED_SHARE else "已解决"
    kind = _kind(chance, category)
    settled = min(at + timedelta(days=chance.randrange(1, 12), minutes=chance.randrange(300)), end) if outcome else None
    if settled is not None and settled <= at:
        settled = at + timedelta(minutes=30)
    return (
        number, chance.choice(COMMUNITIES), at, kind, category, chance.choice(CHANNELS), subject,
        f"居民反映:{subject},希望尽快处理。", *_person(chance, kind), outcome, settled, reply if outcome else None,
    )  # fmt: skip


def _kind(chance: random.Random, category: str) -> str:
    if category in ("物业突出问题", "居民矛盾纠纷", "水电气暖"):
        return "民情" if chance.random() < 0.8 else "民声"
    return chance.choices(("民情", "民声", "民意"), (6, 3, 1))[0]


def _person(chance: random.Random, kind: str) -> tuple[str | None, str | None, str | None]:
    """Name, telephone and address; of a view nobody is written down. The numbers belong to nobody."""
    name = chance.choice(SURNAMES) + chance.choice(GIVEN)
    phone = f"199{chance.randrange(10**8):08d}"
    address = (
        f"{chance.randrange(1, 30)}号楼{chance.randrange(1, 5)}单元{chance.randrange(1, 19)}0{chance.randrange(1, 5)}室"
    )
    known = chance.random() < 0.85
    return (name, phone, address) if known and kind != "民意" else (None, None, None)


def workbook(year: int) -> bytes:
    """The .xlsx file."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("民情台账")
    sheet.append(list(HEADING))
    for row in rows(year):
        sheet.append(list(row))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def last_full_year(now: datetime) -> int:
    """The year whose April is over."""
    return now.year if now.month > 4 else now.year - 1


if __name__ == "__main__":
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else last_full_year(datetime.now())
    Path(sys.argv[1]).write_bytes(workbook(chosen))
