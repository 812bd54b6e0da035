"""What the comparison says, in words: Chinese first, English beside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.chassis.aggregate import Text

if TYPE_CHECKING:
    from services.chassis.reconciling.differences import Difference

Said = dict[str, str]
COMMAND = "python -m services reconcile"


NOT_IN_TIME = """已补发的事件还没有全部生效:请看相关服务的 worker 是否在运行,稍后再运行本命令。
Not everything that was sent again is applied yet: see that the workers run, then run this command again."""

# One sentence for each place where an event can be lost: what it means, and who does what.
WHERE: dict[str, Text] = {
    "not-in-topic": Text(
        "{who}:历史里有,主题里没有。如有很多,先看 relay 是否在运行;--heal 从历史补发。",
        "{who}: in the history, not in the topic. Of many: see first that the relay runs. --heal sends it again.",
    ),
    "waiting": Text(
        "{who}:在主题里,还没有取走。请看 {who} 的 worker 是否在运行(/ready 说明原因)。",
        "{who}: in the topic, not taken yet. See that the worker of {who} runs (/ready says what it waits for).",
    ),
    "passed-over": Text(
        "{who}:已取走,却没有生效:处理位置曾被改回或删除。--heal 从历史补发。",
        "{who}: taken but not applied: its place was put back or deleted. --heal sends it again from the history.",
    ),
    "parked": Text(
        "{who}:停放({reason})。先消除原因;--heal 重放一次。仍不行时由人决定:"
        "python -m services parked discard {row} --service {who} --why …",
        "{who}: parked ({reason}). Mend the cause; --heal replays it once. If it is refused again, a person decides: "
        "python -m services parked discard {row} --service {who} --why …",
    ),
    "forked": Text(
        "{who}:同一序号出现过两个不同事件(历史曾从备份恢复)。由人决定丢弃哪一个:"
        "python -m services parked discard {row} --service {who} --why …",
        "{who}: two different events came under this sequence (a restored backup). A person decides which one goes: "
        "python -m services parked discard {row} --service {who} --why …",
    ),
    "beyond-history": Text(
        "{who}:已处理到第 {seq} 条,历史只有 {history} 条(历史从备份恢复过)。找回较新的历史;找不回时,"
        "由人改正 {who} 的记录(insight 用 rebuild)。本命令不改动。",
        "{who}: applied up to {seq} where the history holds {history} (a restored backup). Bring the newer "
        "history back; else a person corrects the records of {who} (insight: rebuild). Nothing is changed here.",
    ),
    "other-history": Text(
        "{who}:第 {seq} 条处理的不是历史里的那个事件(历史恢复过,或位置被人改过)。由人核对 {who} 的记录"
        "(insight 用 rebuild)。本命令不改动。",
        "{who}: what was applied as {seq} is not the event of the history (a restored backup, or a place changed by "
        "hand). A person checks the records of {who} (insight: rebuild). Nothing is changed here.",
    ),
}


def difference(found: "Difference") -> Said:
    """What one difference means, and who does what about it."""
    reason = " ".join(filter(None, (found.reason, found.code, found.field)))
    # An event that only its topic lacks: every consumer of today has applied it.
    who = {"zh": found.consumer or "主题", "en": found.consumer or "the topic"}
    text = WHERE[found.where]
    told = {"reason": reason, "row": found.row, "seq": found.sequence, "history": found.history}
    return {"zh": text.zh.format(who=who["zh"], **told), "en": text.en.format(who=who["en"], **told)}


def whole(service: str, unapplied: int, lost: int, compared: bool) -> Said:
    """The sum over everything that a service has compared."""
    if not compared:
        return {
            "zh": "还没有可比较的整点:一小时结束五分钟后开始比较。",
            "en": "No hour has closed yet: an hour is compared five minutes after its end.",
        }
    if not unapplied and not lost:
        return {
            "zh": "所有已结束的小时里,写入的事件都已发布并生效。",
            "en": "Of every closed hour, what was written is published and applied.",
        }
    return {
        "zh": f"有 {unapplied} 条事件未生效,{lost} 条不在主题里。{_ask(service)[0]}",
        "en": f"{unapplied} events are not applied, {lost} are not in the topic. {_ask(service)[1]}",
    }


def owners_hour(service: str, events: int, published: int | None, lost: int) -> Said:
    """An hour of one aggregate type as its owner sees it: history against topic."""
    if events == 0:
        return {"zh": "这一小时没有写入。", "en": "Nothing was written in this hour."}
    if published is None:
        return {
            "zh": f"历史有 {events} 条;已超过主题的保存期限,不再与主题比较。",
            "en": f"The histories hold {events} events, older than the topic keeps: it was not looked at.",
        }
    if lost == 0:
        return {
            "zh": f"历史有 {events} 条,主题里都有。",
            "en": f"The histories hold {events} events, and the topic holds them all.",
        }
    return {
        "zh": f"历史有 {events} 条,主题里有 {published} 条,缺 {lost} 条。{_ask(service)[0]}",
        "en": f"The histories hold {events} events, the topic {published}: {lost} are missing. {_ask(service)[1]}",
    }


def consumers_hour(service: str, events: int, unapplied: int, parked: Mapping[str, int]) -> Said:
    """An hour of one aggregate type as a consumer sees it: history against what it has applied."""
    if events == 0:
        return {"zh": "这一小时没有写入。", "en": "Nothing was written in this hour."}
    if unapplied == 0:
        return {
            "zh": f"历史有 {events} 条,{service} 已全部处理。",
            "en": f"The histories hold {events} events, and {service} has applied them all.",
        }
    by_reason = ", ".join(f"{reason} {number}" for reason, number in parked.items())
    lying = sum(parked.values())
    zh = f"其中 {lying} 条停放({by_reason})。" if lying else ""
    en = f"{lying} of them lie parked ({by_reason}). " if lying else ""
    return {
        "zh": f"历史有 {events} 条,{service} 尚有 {unapplied} 条未生效。{zh}{_ask(service)[0]}",
        "en": f"The histories hold {events} events, {service} has yet to apply {unapplied}. {en}{_ask(service)[1]}",
    }


def round_of(source: str, unapplied: int, astray: int) -> Said:
    """What the round through all aggregates of one type found besides the hours."""
    if not unapplied and not astray:
        return {
            "zh": f"{source} 全部记录逐一核对,没有差异。",
            "en": f"Every record of {source} was compared, and none differs.",
        }
    return {
        "zh": f"{source} 逐一核对:另有 {unapplied} 条未生效,{astray} 条记录处理到的与历史不符。",
        "en": f"Every record of {source} was compared: {unapplied} more events are not applied, "
        f"of {astray} records something else is applied than the history holds.",
    }


def _ask(service: str) -> tuple[str, str]:
    return (
        f"逐条说明:{COMMAND} --service {service};修复:加 --heal。",
        f"{COMMAND} --service {service} names each; --heal mends them.",
    )
