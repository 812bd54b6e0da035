"""Texts of what the ideas in the kernel refuse, idea by idea."""

from services.chassis.aggregate import Text


def _state(zh: str, en: str) -> Text:
    """The present state does not allow it."""
    return Text(zh, en, 409)


def _input(zh: str, en: str) -> Text:
    """The request itself is wrong."""
    return Text(zh, en, 422)


KERNEL: dict[str, Text] = {
    # policy
    "parameter-not-set": _state("本辖区尚未规定所需参数({key})。", "The district has not set what this needs ({key})."),
    "policy-unsound": _state(
        "规定 {key}(由 {unit} 发布,自 {since} 起)无法读取,问题在 {at};请发布单位发布更正版本。",
        "The policy {key} (of {unit}, from {since}) cannot be read, at {at}; its unit should publish a correction.",
    ),
    "policy-unknown": _state("没有这一版规定。", "There is no such version."),
    "policy-known": _state(
        "自 {start} 起已有一版规定;如要更正,请注明 replace。",
        "A version begins on {start} already; to correct it, say replace.",
    ),
    "policy-ended": _state("这一版规定届时已失效。", "That version no longer holds then."),
    "policy-overlaps": _state("与另一版规定的期间重叠(自 {start})。", "It overlaps the version from {start}."),
    "policy-back-dated": _state(
        "不能早于今天({today}):已过日期的规定不再改变。",
        "It cannot begin before today ({today}): what was in force on a past day never changes.",
    ),
    "value-missing": _input("请填写规定值。", "The value is missing."),
    "policy-empty-interval": _input("结束须晚于开始。", "It must end after it begins."),
    "float-refused": _input(
        "不接受小数,请用整数(金额以分计)。", "Fractions are not taken; use whole numbers (money in fen)."
    ),
    "code-twice": _input("代码与前面的一行重复。", "This code stands in a row above already."),
    "extendable-below-limit": _input("可延长至的数应大于 n。", "What it can be extended to must be more than n."),
    "near-outweighed": _input(
        "near 须大于 free 的 50 倍与 after_hours 之和,才能保证就近优先。",
        "near must be more than 50 times free and after_hours together, so that the grid comes first.",
    ),
    "table-too-wide": _input("决策表组合超过 {most} 种。", "The table has more than {most} combinations."),
    "table-fact-unknown": _input("决策表用到未声明的事实。", "The table uses a fact that it does not declare."),
    "table-condition-never-met": _input("这一条件永远不会成立。", "This condition can never be met."),
    "table-gap": _input("决策表没有覆盖所有情形。", "The table leaves a combination without an answer."),
    "table-contradiction": _input("决策表对同一情形给出不同结果。", "The table gives two answers for one combination."),
    "fact-missing": _input("缺少所需事实:{missing}。", "Facts are missing: {missing}."),
    "fact-outside-domain": _input("事实的值超出范围。", "The value lies outside what is declared."),
    # register
    "fact-not-there": _state("没有登记这一项。", "This is not on record."),
    "fact-overlaps": _state("与已登记的期间重叠(自 {start})。", "It overlaps what is on record from {start}."),
    "fact-known": _state("这一项已登记。", "This is on record already."),
    "verified-later": _state("已有更晚的核实。", "A later verification is known."),
    "merge-into-merged": _state("目标已并入 {into}。", "That entry was merged into {into}."),
    "entry-closed": _state("该档案已关闭或合并({stage})。", "The entry is {stage}."),
    "fact-unknown": _input("没有这一登记项,可选:{allowed}。", "There is no such fact; there are: {allowed}."),
    "fact-name-changed": _input("更正不能改变登记项。", "A correction keeps the name of the fact."),
    "fact-empty-interval": _input("结束须晚于开始。", "It must end after it begins."),
    "merge-into-self": _input("不能并入自身。", "It cannot be merged into itself."),
    "merge-across-kinds": _input("不同类别不能合并。", "Entries of different kinds cannot be merged."),
    "merge-across-districts": _input("不同区的档案不能合并。", "Entries of different districts cannot be merged."),
    "merge-cycle": _input("合并不能成环。", "Merges cannot form a circle."),
    "twice-given": _input("同一编号给了两次。", "An id is given twice."),
    "zone-unknown": _input(
        "没有这个时区;时区写作 Asia/Shanghai。", "There is no such time zone; one is written Asia/Shanghai."
    ),
    # accountability
    "tie-known": _state("这一任职或联系已登记。", "This tie is known already."),
    "tie-unknown": _state("没有这一任职或联系。", "There is no such tie."),
    "consent-given": _state("该方已经同意。", "This side has agreed already."),
    "consent-missing": _state("尚缺应有的同意。", "A consent that this needs is missing."),
    "tie-not-running": _state("目前不在生效状态({stage})。", "It is not in force (it is {stage})."),
    "tie-not-proposed": _state("目前不在待同意状态({stage})。", "It does not wait for consent (it is {stage})."),
    "party-closed": _state("该单位或人员已注销。", "The party is closed."),
    "tie-duplicate": _state("同一时期已有相同的任职或联系。", "The same tie is in force in that time."),
    "tie-second-scope": _state("同一时期只能任职于一处。", "In that time it may hold in one place only."),
    "tie-over-most": _state("已达上限 {most} 个。", "There may be {most} at once."),
    "tie-cycle": _state("上下级关系不能成环。", "Nobody can stand above themselves."),
    "tie-excluded": _state("与另一任职({type})不能兼任。", "It may not be held together with {type}."),
    "consent-not-asked": _input("不需要该方({side})同意。", "No consent of this side ({side}) is asked for."),
    "tie-end-outside": _input("结束日期不在任期之内。", "The day lies outside its term."),
    "tie-type-unknown": _input(
        "没有这一类任职或联系,可选:{allowed}。", "There is no such type of tie; there are: {allowed}."
    ),
    "tie-kind-unfit": _input("该类单位或人员不能承担。", "A party of this kind cannot hold it."),
    "tie-to-self": _input("不能与自身建立联系。", "Nobody can be tied to themselves."),
    "tie-empty-interval": _input("结束须晚于开始。", "It must end after it begins."),
    "tie-over-term": _input("任期最长 {days} 天。", "The term is at most {days} days."),
    # case
    "deadline-before-start": _input("时间早于开始。", "The time lies before the start."),
    "extension-not-longer": _input("延长后须长于 {n}。", "An extension must be longer than {n}."),
    "extension-too-long": _input("最多延长至 {maximum}。", "It can be extended to {maximum} at most."),
    "reason-missing": _input("请说明原因。", "Please give a reason."),
    "stage-unknown": _input("没有这个阶段。", "There is no such stage."),
    "step-unknown": _input("没有这一步骤。", "There is no such step."),
    "data-missing": _input("缺少所需内容:{missing}。", "What this needs is missing: {missing}."),
    "outcome-missing": _input("请写明结果。", "The outcome is missing."),
    # workflow
    "step-not-from-here": _state("当前阶段({stage})不能办理此步。", "This step cannot be taken at the stage {stage}."),
    "workflow-starts-settled": _input(
        "流程不能从已办结阶段({stage})开始。", "A workflow cannot begin settled ({stage})."
    ),
    "workflow-core-bypassed": _input(
        "流程可绕过法定步骤 {step}。", "The workflow can bypass the demanded step {step}."
    ),
    "workflow-core-removed": _input("流程缺少法定步骤 {step}。", "The workflow lacks the demanded step {step}."),
    "workflow-core-changed": _input("法定步骤 {step} 不得更改。", "The demanded step {step} may not be changed."),
    "workflow-stage-twice": _input("阶段 {stage} 重复。", "The stage {stage} stands twice."),
    "workflow-step-twice": _input("步骤 {step} 重复。", "The step {step} stands twice."),
    "workflow-end-unsettled": _input("终点阶段 {stage} 须为已办结。", "The end {stage} must be settled."),
    "workflow-deadline-undeclared": _input(
        "阶段 {stage} 未写明有无时限。", "The stage {stage} does not say whether it has a deadline."
    ),
    "workflow-deadline-at-end": _input("终点阶段 {stage} 不设时限。", "The end {stage} has no deadline."),
    "workflow-step-without-role": _input(
        "步骤 {step} 没有可办理的角色。", "The step {step} has no role that may take it."
    ),
    "workflow-stage-unknown": _input("没有阶段 {stage}。", "There is no stage {stage}."),
    "workflow-outcome-unsettled": _input(
        "步骤 {step} 未办结,不应有结果。", "The step {step} settles nothing and has an outcome."
    ),
    "workflow-outcome-missing": _input("步骤 {step} 办结须有结果。", "The step {step} settles and has no outcome."),
    "workflow-stage-unreachable": _input("阶段 {stage} 无法到达。", "The stage {stage} cannot be reached."),
    "workflow-stage-dead": _input("阶段 {stage} 无法走到终点。", "No end can be reached from the stage {stage}."),
    # custody
    "offer-open": _state("已转交 {to},对方尚未答复。", "It is offered to {to}, who has not answered yet."),
    "offer-not-yours": _state("您不是承办方或接收方,无权办理。", "You are not the party who may do this."),
    "offer-final": _state("这是指定承办,不能退回或变更。", "This is a ruling; it cannot be returned."),
    "offer-none": _state("没有待答复的转交。", "Nothing is on offer."),
    "offer-up": _state("上报事项只能继续上报。", "A question sent up goes only further up."),
    "offer-to-self": _state("已由该方承办。", "That party handles it already."),
    "offer-unchanged": _state(
        "该方已退回过,须有新的理由才能再转。", "That party has returned it; a new ground is needed."
    ),
    "question-none": _state("没有待答复的请示。", "No question waits for a reply."),
    "question-not-yours": _state("这项请示不是向您提出的。", "The question was not put to you."),
    "question-open": _state("还有请示未得到答复。", "A question still waits for its reply."),
    "level-unknown": _state("该单位不在上报层级之中。", "That unit is not on the ladder."),
    "level-highest": _state("已到最高一级。", "There is no higher level."),
    # deadlines
    "deadline-unknown": _state("没有这项时限。", "There is no such deadline."),
    "deadline-not-paused": _state("时限没有暂停。", "The deadline is not paused."),
    "deadline-missed": _state("已经超时。", "It has been missed already."),
    "deadline-paused": _state("时限正在暂停。", "The deadline is paused."),
    "deadline-not-passed": _state("时限尚未到。", "The deadline has not passed yet."),
    "deadline-passed": _state("时限已过。", "The deadline has passed."),
    # links
    "link-unknown": _state("没有这项关联。", "There is no such link."),
    "link-known": _state("这项关联已登记。", "This link is known already."),
    "link-ended": _state("这项关联已经结束。", "This link has ended."),
    "link-open": _state("还有未结束的关联事项:{refs}。", "These must end first: {refs}."),
    # account
    "hold-known": _state("这笔预留已登记。", "This hold is known already."),
    "hold-unknown": _state("没有这笔预留。", "There is no such hold."),
    "hold-open": _state("还有未结清的预留:{holds}。", "There are open holds: {holds}."),
    "cause-posted": _state("这一事由已经入账。", "This cause has been entered already."),
    "counter-of-counter": _state("冲正分录不能再冲正。", "A counter-entry has none of its own."),
    "entry-unknown": _state("没有这笔分录。", "There is no such entry."),
    "entry-reversed": _state("这笔分录已被冲正。", "This entry has been taken back already."),
    "entry-not-countered": _state("冲正与原分录不符。", "The counter-entry does not match the entry."),
    "account-closed": _state("该账期({period})已结账。", "The account of {period} is closed."),
    "below-floor": _state("余额不足:可用 {available}。", "Not enough is left: {available} available."),
    "release-missing": _state("须由另一人核准。", "Somebody else must release this."),
    "release-by-proposer": _state("提出人不能自己核准。", "Who proposes it may not release it."),
    "amount-not-positive": _input("数额应为正整数。", "The amount must be above zero."),
    "leg-missing": _input("分录没有涉及本账户。", "The entry has no leg for this account."),
    "leg-zero": _input("分录金额不能为零。", "A leg cannot be zero."),
    "legs-unbalanced": _input("分录借贷不平。", "The legs do not sum to zero."),
    "leg-account-twice": _input("同一账户在分录中出现两次。", "An account stands twice in the entry."),
    "kind-mixed": _input("账户类别({kind})不符。", "The account is of the kind {kind}."),
    "purpose-foreign": _input("该账户不能用于 {purpose}。", "The account may not be used for {purpose}."),
    # document
    "document-not-draft": _state("只有草稿可以发布。", "Only a draft can be released."),
    "document-not-released": _state("只有已发布的可以撤回。", "Only what is released can be withdrawn."),
    "kind-changed": _state("文种规定已更新,请重新拟稿。", "The rules for this kind have changed; draft it again."),
    "subject-releases": _state("当事人不能自己发布。", "Whom it is about may not release it."),
    "document-erased": _state("内容已删除。", "Its text has been erased."),
    "document-shown": _state("公示期内不能删除。", "It cannot be erased while it is shown."),
    "releaser-missing": _input("请写明发布人。", "Who releases it is missing."),
    "day-out-of-reach": _input("日期应在 1900 年到 2199 年之间。", "A day lies in the years 1900 to 2199."),
    "window-backwards": _input("时段的结束应晚于开始。", "A window ends after it begins."),
    "window-too-short": _input("公示期至少 {days} 天。", "It must be shown for at least {days} days."),
    "field-not-allowed": _input("公开内容不得包含这一项。", "This field may not be shown."),
    "unmasked-number": _input("公开内容含有 {count} 处未遮盖的号码。", "It shows {count} numbers that must be masked."),
    "role-missing": Text("您的角色不能办理此步({step})。", "Your role may not take this step ({step}).", 403),
}
