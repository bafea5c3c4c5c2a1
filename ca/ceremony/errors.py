"""What a ceremony refuses, and why."""

from yinxin.errors import Conflict, Invalid, NotPermitted, Untrue


class CeremonyUnfinished(Conflict):
    """Another ceremony was begun and not ended."""

    code = "ca.ceremony_unfinished"
    zh = "计划摘要为 {digest} 的仪式（{kind}）已开始而未完成：请先用原计划把它做完，或在新计划中以 instead_of 写明放弃它。"
    en = "The ceremony ({kind}) of the plan {digest} was begun and not ended: end it with its own plan first, or give it up by instead_of in the new plan."


class CeremonyHeld(Conflict):
    """This very plan was carried out already: holding it again would make nothing."""

    code = "ca.ceremony_held"
    zh = "这份计划（摘要 {digest}）已于 {at} 执行完毕，再次执行不会签发任何证书：如需再办（如续签服务证书），请改写 title（如写明年份）后重新演练、提出。"
    en = "This very plan (digest {digest}) was carried out at {at}, and holding it again would issue nothing: to have it done anew, such as the renewal of helpers, write another title (with the year, say), rehearse and propose that."


class PlanRefused(Invalid):
    """A plan that reads well and does not fit what is there."""

    code = "ca.plan_refused"
    zh = "计划的 {field} 与现状不符（{reason}）：未做任何更改，请改正计划并重新审阅。"
    en = "The plan's {field} does not fit what is there ({reason}): nothing was changed; correct the plan and have it reviewed again."


class FileDiffers(Untrue):
    """A file beside the plan that is not the one that was reviewed."""

    code = "ca.ceremony_file_differs"
    zh = "文件 {file} 的 SHA-256 是 {found}，与计划所写的 {wanted} 不符：请取回经审阅的文件。"
    en = "The SHA-256 of the file {file} is {found}, and the plan says {wanted}: get the file that was reviewed."


class FileMissing(Invalid):
    """A file that the plan names is not beside it."""

    code = "ca.ceremony_file_missing"
    zh = "计划所写的文件 {file} 不能读取（{reason}）：请把它放在计划文件旁边。"
    en = "The file {file} that the plan names cannot be read ({reason}): put it beside the plan."


class ProposalNeeded(NotPermitted):
    """A ceremony that nobody holds without several people's approval."""

    code = "ca.proposal_needed"
    zh = "该仪式须经 {needed} 人批准（现有 {given} 人）：请用 yinxin ca ceremony propose 提出，由其他安全管理员批准后执行。"
    en = "This ceremony needs the approval of {needed} people and has {given}: propose it with yinxin ca ceremony propose, and have it carried out when other security officers have approved."


class CeremonyDiffers(Conflict):
    """Something of this name exists already and is not what the plan says."""

    code = "ca.ceremony_differs"
    zh = "{what} 已存在且与计划不一致，未做任何覆盖：请核对计划，或换用新的数据目录。"
    en = "{what} exists already and is not what the plan says; nothing was overwritten: check the plan, or use a new data directory."


class CeremonyUnderWay(Conflict):
    """Another ceremony holds the lock."""

    code = "ca.ceremony_under_way"
    retryable = True
    zh = "另一个仪式正在进行（锁文件 {lock}）：请等待其结束。"
    en = "Another ceremony is under way (lock file {lock}): wait until it ends."
