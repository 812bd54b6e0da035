"""What a caller is told for each code of this service, Chinese first."""

from services.chassis.aggregate import Text

TEXTS = {
    "indicator-unknown": Text("没有这个指标,可选:{allowed}。", "There is no such figure; there are: {allowed}.", 404),
    "report-unknown": Text("没有这种报表,可选:{allowed}。", "There is no such report; there are: {allowed}.", 404),
    "dimension-unknown": Text(
        "该指标不能按此维度拆分,可选:{allowed}。", "This figure cannot be split by that; it can by: {allowed}.", 422
    ),
    "figure-not-split": Text("该指标不能拆分。", "This figure cannot be split.", 422),
    "ratio-has-two-lists": Text(
        "比率由两个指标组成,请分别查看分子和分母的明细",
        "A ratio has two lists: open its numerator or its denominator",
        422,
    ),
    "group-too-small": Text(
        "人数过少,为保护个人信息不予显示", "Too few persons: not shown, to protect them", 422
    ),
    "period-ends-before-it-begins": Text("结束日期早于开始日期", "The period ends before it begins", 422),
}

FACTS: dict[str, tuple[str, str]] = {
    "current": ("{to} 之前的事实已全部计入。", "Every fact of before {to} is counted."),
    "behind": (
        "{to} 之前的事实已全部计入;另有 {waiting} 条尚未处理、{parked} 条停放待处理。",
        "Every fact of before {to} is counted; {waiting} later ones wait and {parked} are parked.",
    ),
    "unknown": (
        "目前无法确认数据是否齐全,最近一次确认齐全至 {to}。",
        "Whether anything is missing is not known now; complete up to {to} when that was last known.",
    ),
    "updating": ("您刚提交的内容正在计入,请稍候刷新。", "What you have just sent is being counted; look again."),
}
"""What an answer says of the facts behind it."""
