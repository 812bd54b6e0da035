"""What a caller is told for each code of this service, Chinese first."""

from services.chassis.aggregate import Text

TEXTS = {
    "lines-missing": Text("请至少选择一个服务项目", "Choose at least one line of service", 422),
    "line-unknown": Text("本区没有这个服务项目", "The district has no such line of service", 422),
    "training-without-line": Text(
        "已培训的技能必须属于所选服务项目", "Training is given for a line that is not offered", 422
    ),
    "consent-missing": Text("登记志愿者须本人同意", "A volunteer is registered only with consent", 422),
    "volunteer-closed": Text("该志愿者已退出", "This volunteer has left"),
    "volunteer-not-named": Text("点名服务须指明志愿者", "A named order needs the volunteer's id", 422),
    "volunteer-unfit": Text(
        "该志愿者目前不符合此订单的条件(项目、培训、负荷或时间)",
        "This volunteer does not fit the order now (line, training, load or time)",
    ),
    "activity-day-missing": Text("活动日服务须指明日期", "An activity-day order needs its day", 422),
    "activity-day-past": Text("活动日已过", "The activity day is past", 422),
    "activity-day-is-open": Text(
        "活动日订单由志愿者自行报名,不派单", "Volunteers take activity-day orders themselves; nobody is matched"
    ),
    "offer-open": Text("已派给一名志愿者,正等待答复", "It is offered to a volunteer whose answer is awaited"),
    "offer-none": Text("此订单目前没有派给任何人", "This order is offered to nobody now"),
    "offer-not-yours": Text("此订单没有派给该志愿者", "This order is not offered to that volunteer"),
    "order-not-yours": Text("此订单不由该志愿者承担", "That volunteer does not serve this order"),
    "minutes-out-of-range": Text("服务时长须在 1 至 1440 分钟之间", "Minutes must be from 1 to 1440", 422),
    "total-unchanged": Text("更正后的时长与原时长相同", "The corrected total is the present one", 422),
    "reason-missing": Text("请说明原因", "Say why", 422),
    "member-already": Text("该志愿者已在队中", "That volunteer is a member already"),
    "member-unknown": Text("该志愿者不在队中", "That volunteer is not a member"),
    "leader-stays": Text("队长不能退出,请先更换队长", "The leader cannot leave the team"),
    "account-not-a-volunteer": Text(
        "此账号尚未登记为志愿者", "This account is not registered as a volunteer", 404
    ),
}
