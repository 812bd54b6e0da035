"""What residents are told on routes that are open to all, where the sentence for staff would not help them.

They have no account, administer nothing and see no key of a header: they fill in a page. The code stays the same.
"""

from services.chassis.aggregate import Text

AGAIN = ("页面没有正确提交,请刷新页面后再试。", "The page was not sent properly; please load it again and try anew.")
ASK = ("请拨打社区服务热线或到社区服务站办理。", "please call your community or go to its service point")


def _again() -> Text:
    return Text(*AGAIN)


def _ask(zh: str, en: str) -> Text:
    """It cannot be done here; where it can."""
    return Text(f"{zh},{ASK[0]}", f"{en}; {ASK[1]}.")


NOT_HERE = ("这里暂时不能在网上办理", "This cannot be done online here at present")

PUBLIC: dict[str, Text] = {
    # what the page sent
    "request-malformed": _again(),
    "json-malformed": _again(),
    "json-too-deep": _again(),
    "json-key-repeated": _again(),
    "media-type-unknown": _again(),
    "header-repeated": _again(),
    "body-missing": _again(),
    "not-an-object": _again(),
    "field-unknown": _again(),
    "idempotency-key-missing": _again(),
    "idempotency-key-invalid": _again(),
    "idempotency-key-reused": Text(
        "这份内容与刚才提交的不同,请刷新页面后重新提交。",
        "This differs from what was sent just now; please load the page again and send it anew.",
    ),
    "filter-unknown": _again(),
    "filter-invalid": _again(),
    "limit-invalid": _again(),
    "cursor-invalid": Text("请从第一页重新查看。", "Please start again from the first page."),
    "body-too-large": Text("内容过长,请缩短后再提交。", "This is too long; please shorten it and send it again."),
    "record-too-large": Text("内容过长,请缩短后再提交。", "This is too long; please shorten it and send it again."),
    "body-too-slow": Text("网络较慢,没有提交成功,请再试一次。", "The network was too slow; please try once more."),
    "value-not-storable": Text(
        "内容中有无法保存的字符,请改用普通文字。", "It holds characters that cannot be kept; please use plain text."
    ),
    "text-not-unicode": Text("含有无法保存的字符,请重新填写。", "This holds characters that cannot be kept."),
    "text-holds-nul": Text("含有无法保存的字符,请重新填写。", "This holds characters that cannot be kept."),
    # where and what
    "not-found": Text("没有找到,请核对后再试。", "Nothing was found; please check it and try again."),
    "unit-unknown": Text("没有找到这个社区,请重新选择。", "This community was not found; please choose it again."),
    "conflict": Text("现在不能这样办理,请刷新页面查看最新情况。", "This cannot be done now; please load it again."),
    "already-exists": Text("已经提交过了,请勿重复提交。", "This was sent before; there is no need to send it again."),
    "contended": Text("现在办理的人较多,请稍后再试。", "Many people are here just now; please try again shortly."),
    "stage-unknown": Text("这件事现在不能这样办理,请联系您的社区。", "This cannot be done now; ask your community."),
    "step-unknown": Text("这件事现在不能这样办理,请联系您的社区。", "This cannot be done now; ask your community."),
    "step-not-from-here": Text(
        "这件事现在还不能这样办理,请先查看办理进度。", "This cannot be done yet or any more; please look how far it is."
    ),
    "role-missing": Text("这一步由工作人员办理。", "This step is taken by the staff."),
    "outcome-missing": Text("这件事还没有办理结果。", "There is no result yet."),
    "reason-missing": Text("请选择原因。", "Please choose a reason."),
    # what the district has not decided, or not soundly
    "parameter-not-set": _ask(*NOT_HERE),
    "policy-unsound": _ask(*NOT_HERE),
    "unit-without-level": _ask("这个地方暂时不能在网上反映", "Concerns cannot be told online for this place"),
    # trouble
    "unavailable": Text(
        "暂时无法确认是否提交成功,请稍后再点一次提交,不会重复登记。",
        "It is not known whether this was kept; please send it again in a moment: it will not be recorded twice.",
    ),
    "write-refused": Text("没有保存成功,请稍后再试。", "It could not be kept; please try again later."),
    "sealing-broken": Text("暂时无法显示,请稍后再试。", "This cannot be shown at present; please try again later."),
    "peer-unknown": _ask(*NOT_HERE),
    "peer-away": Text("暂时办理不了,请稍后再试。", "This cannot be done just now; please try again shortly."),
    "peer-forbids": _ask(*NOT_HERE),
    "busy": Text("现在使用的人较多,请稍后再试。", "Many people are here just now; please try again shortly."),
    "stopping": Text("系统正在更新,请稍后再试。", "The system is being updated; please try again shortly."),
    "personal-data-absent": Text("这项内容已经删除。", "This has been deleted."),
    "personal-data-shredded": Text("这项内容已经删除。", "This has been deleted."),
}
