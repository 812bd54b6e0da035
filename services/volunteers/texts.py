"""Every code of this service with its text, Chinese first, and the words for the stages of an order."""

from services.chassis.aggregate import Text

STAGES: dict[str, tuple[str, str]] = {
    "requested": ("正在寻找志愿者", "Looking for a volunteer"),
    "offered": ("已派单,等待答复", "Offered, waiting for the answer"),
    "accepted": ("志愿者已接单", "A volunteer has accepted"),
    "done": ("服务已完成,待您确认", "Done, waiting for your word"),
    "confirmed": ("已确认", "Confirmed"),
    "unfilled": ("暂无志愿者承接", "No volunteer was found"),
    "cancelled": ("已撤单", "Cancelled"),
}


def _input(zh: str, en: str) -> Text:
    return Text(zh, en, 422)


TEXTS: dict[str, Text] = {
    # the register
    "lines-missing": _input("请至少选择一个服务项目。", "Choose at least one line of service."),
    "line-unknown": _input(
        "本区没有这个服务项目,可选:{allowed}。", "The district has no such line of service; there are: {allowed}."
    ),
    "training-without-line": _input(
        "已培训的技能必须属于所选服务项目。", "Training is given for a line that is not offered."
    ),
    "consent-missing": _input("登记志愿者须本人同意。", "A volunteer is registered only with consent."),
    "consent-withdrawn": Text(
        "该志愿者已撤回同意,不能查看其个人信息。", "This volunteer has withdrawn consent; the person is not shown."
    ),
    "resident-not-linked": Text(
        "该志愿者没有关联居民档案,无法查询是否党员;请先在联系方式中补录居民编号。",
        "This volunteer is not linked to a resident's file; add the resident's id to the person first.",
    ),
    "resident-unknown": Text(
        "居民名录中没有所关联的档案(或不在本区),请核对居民编号。",
        "The register holds no such resident in this district; please check the linked id.",
    ),
    "account-taken": Text("此账号已属于另一名志愿者。", "This account belongs to another volunteer."),
    "account-not-a-volunteer": Text("此账号尚未登记为志愿者。", "This account is not registered as a volunteer.", 404),
    "volunteer-closed": Text("该志愿者已退出。", "This volunteer has left."),
    "volunteer-not-closed": Text("请先办理退出,再删除个人信息。", "The volunteer has to leave first."),
    "unit-elsewhere": _input("该单位不在您的管辖范围内。", "That unit is not one of yours."),
    # teams
    "team-closed": Text("该服务队已撤销。", "This team has ended."),
    "team-full": Text("服务队最多 {most} 人。", "A team has at most {most} members."),
    "member-already": Text("该志愿者已在队中。", "That volunteer is a member already."),
    "member-unknown": Text("该志愿者不在队中。", "That volunteer is not a member."),
    "leader-stays": Text("队长不能退出,请先更换队长。", "The leader cannot leave; name another one first."),
    # orders
    "volunteer-not-named": _input("点名服务须指明志愿者。", "A named order needs the volunteer's id."),
    "volunteer-not-asked": _input("只有点名服务才指明志愿者。", "Only a named order names a volunteer."),
    "volunteer-unknown": _input("本区没有这名志愿者。", "The district has no such volunteer."),
    "volunteer-unfit": Text(
        "该志愿者目前不符合此订单的条件(项目、培训、负荷、时间或意愿)。",
        "This volunteer does not fit the order now (line, training, load, time or consent).",
    ),
    "activity-day-and-mode": _input(
        "活动日服务须指明日期,其他方式不填活动日。", "An activity-day order has its day, and no other order has one."
    ),
    "time-incomplete": _input(
        "开始和结束时间须同时填写,活动日服务不填时间。",
        "Start and end go together, and an activity day has neither.",
    ),
    "time-unsound": _input("结束时间须晚于开始时间,且在一天之内。", "The end must be after the start, within a day."),
    "order-past": _input("服务时间已过。", "Its time is past."),
    "order-over": Text("此订单已结束({stage})。", "This order is over ({stage})."),
    "order-not-over": Text("此订单尚未结束。", "This order is not over yet."),
    "activity-day-is-open": Text(
        "活动日订单由志愿者自行报名,不派单。", "Volunteers take activity-day orders themselves; nobody is matched."
    ),
    "offer-open": Text("已派给一名志愿者。", "It is with a volunteer already."),
    "offer-none": Text("此订单目前没有派给任何人。", "This order is offered to nobody now."),
    "offer-not-yours": Text("此订单没有派给该志愿者。", "This order is not offered to that volunteer."),
    "order-not-yours": Text("此订单不由该志愿者承担。", "That volunteer does not serve this order."),
    "task-after-acceptance": Text("接单后方可查看服务内容。", "What is to be done is told to who has accepted."),
    "not-begun": Text("服务时间尚未开始。", "Its time has not begun yet."),
    "own-deed": Text(
        "不能确认或更正本人的服务,请由他人办理。", "Nobody vouches for a deed of his own; ask somebody else."
    ),
    # hours
    "minutes-out-of-range": _input("服务时长不能超过 {most} 分钟,且须大于零。", "From 1 to {most} minutes."),
    "total-unchanged": _input("与现有时长相同。", "That is the present total."),
    # residents
    "code-wrong": Text("没有找到:请核对查询码。", "Nothing was found: please check the code.", 404),
    "hours-not-yours": Text("这不是您的服务记录。", "These hours are not yours.", 404),
    "correction-none": Text("没有待答复的更正申请。", "No correction was asked for."),
}

PUBLIC_TEXTS: dict[str, Text] = {
    "step-not-from-here": Text(
        "这次服务目前不能确认或提出异议:可能尚未完成,或者您已经答复过。请先查询进度。",
        "It cannot be confirmed or objected to now: it may not be done yet, or you have answered already. "
        "Please look how far it is.",
    ),
}
"""What residents are told instead."""
