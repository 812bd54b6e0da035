"""Every code of this service with its text, Chinese first, and the words for stages, kinds and outcomes."""

from services.chassis.aggregate import Text
from services.chassis.texts.public import PUBLIC

STAGES: dict[str, tuple[str, str]] = {
    "recorded": ("已登记,待受理", "Recorded, waiting to be taken up"),
    "accepted": ("已受理", "Taken up"),
    "assigned": ("已派单,待承办", "Assigned, waiting for the handler"),
    "in_progress": ("办理中", "In progress"),
    "reopened": ("重新办理", "Reopened"),
    "done": ("已办结,待确认", "Done, waiting for your word"),
    "confirmed": ("居民已确认", "Confirmed by the resident"),
    "closed": ("已归档", "Closed"),
}
OUTCOMES: dict[str, tuple[str, str]] = {"solved": ("已解决", "Solved"), "answered": ("已答复", "Answered")}
KINDS: dict[str, tuple[str, str]] = {
    "condition": ("民情", "Condition"),
    "voice": ("民声", "Voice"),
    "view": ("民意", "View"),
}


def _input(zh: str, en: str) -> Text:
    return Text(zh, en, 422)


TEXTS: dict[str, Text] = {
    # recording
    "view-names-person": _input(
        "民意不记名:请去掉反映人、居民、走访和重复诉求的信息。",
        "A view names nobody: leave out reporter, resident, visit and repeated concern.",
    ),
    "category-unknown": _input(
        "本区没有这个类别,可选:{allowed}。", "The district has no such category; there are: {allowed}."
    ),
    "category-not-of-kind": _input(
        "类别 {category} 不适用于 {kind},可选:{allowed}。",
        "The category {category} is not for {kind}; there are: {allowed}.",
    ),
    "channel-unknown": _input(
        "本区没有这个渠道,可选:{allowed}。", "The district has no such channel; there are: {allowed}."
    ),
    "recorded-in-future": _input("记录时间不能晚于现在。", "It cannot have been recorded in the future."),
    "settled-before-recorded": _input("办结时间早于记录时间。", "It was settled before it was recorded."),
    "settled-in-future": _input("办结时间不能晚于现在。", "It cannot have been settled in the future."),
    "unit-without-level": _input(
        "这个单位({kind})不在任何受理层级之下。", "This unit ({kind}) lies under none of the levels that take concerns."
    ),
    "promise-not-set": Text(
        "本区尚未规定 {urgency} 类事项的 {promise} 时限,请先发布承诺时限。",
        "The district has not set the time for {promise} of {urgency} concerns; publish it first.",
    ),
    # handling
    "not-yours": Text(
        "此事由 {handler} 承办,您不是承办人、首接负责人或其同事。",
        "It is handled by {handler}; you neither handle nor answer for it.",
    ),
    "party-cannot-see": _input(
        "该单位不在此事的管辖范围内,无法承办。", "That unit does not see this concern and cannot handle it."
    ),
    "reason-unknown": _input(
        "本区没有这个原因({purpose}),可选:{allowed}。",
        "The district has no such reason for {purpose}; there are: {allowed}.",
    ),
    "queue-unknown": Text("没有这个队列,可选:{allowed}。", "There is no such queue; there are: {allowed}.", 404),
    "case-ended": Text("此事已归档。", "This concern is closed."),
    "case-settled": Text("此事已有结果,处于 {stage} 阶段。", "This concern has its outcome; it stands at {stage}."),
    # orders
    "volunteer-missing": _input("点名服务需写明志愿者。", "A named order needs its volunteer."),
    "volunteer-not-asked": _input("{mode} 不指定志愿者。", "An order by {mode} names no volunteer."),
    "activity-day-and-mode": _input(
        "活动日服务需写明日期,其他方式({mode})不写日期。", "Only an activity-day order has a day; this is {mode}."
    ),
    # the wall
    "wall-empty": Text("此事没有公开内容。", "Nothing of this concern hangs on the wall."),
    # residents
    "online-not-open": Text(
        "本区尚未开通网上反映(没有 online 渠道)。", "Concerns cannot be told online here: there is no channel online."
    ),
    "code-or-tail-wrong": Text(
        "没有找到:请核对查询码,以及登记时所留电话的后四位。",
        "Nothing was found: please check the code, and the last four digits of the telephone that was given.",
        404,
    ),
    # imports
    "number-twice": _input("编号在文件中出现了两次。", "This number stands twice in the file."),
    "row-differs": Text("此编号已导入过,但内容不同。", "This number was imported before with other content."),
    "file-without-rows": _input("文件中没有数据行。", "The file has no rows."),
    "dry-run-is-a-check": _input("试导入请用 POST /imports/check。", "For a dry run, use POST /imports/check."),
}

PUBLIC_TEXTS: dict[str, Text] = {
    "online-not-open": PUBLIC["parameter-not-set"],
    "promise-not-set": PUBLIC["parameter-not-set"],
    "view-names-person": Text(
        "提意见建议不记名:请不要填写姓名、电话和地址。",
        "Views are kept without a name: please leave out name, telephone and address.",
    ),
    "category-unknown": Text("没有这个类别,请重新选择。", "There is no such category; please choose again."),
    "category-not-of-kind": Text(
        "所选类别与事项类型不符,请重新选择。", "The category does not go with this kind of matter; please choose again."
    ),
    "reason-unknown": Text("请从列出的原因中选择一项。", "Please choose one of the reasons listed."),
    "step-not-from-here": Text(
        "这件事目前不能确认或提出异议:可能尚未办结,或者您已经答复过。请先查询办理进度。",
        "It cannot be confirmed or objected to now: it may not be done yet, or you have answered already. "
        "Please look how far it is.",
    ),
}
"""What residents are told instead."""
