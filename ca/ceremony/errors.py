"""What a ceremony refuses, and why."""

from yinxin.errors import Conflict, Invalid, NotPermitted, Untrue


class CeremonyUnfinished(Conflict):
    """Another ceremony was begun and not ended."""

    code = "ca.ceremony_unfinished"
    zh = "计划摘要为 {digest} 的仪式（{kind}）已开始而未完成：请先用原计划把它做完，或在新计划中以 instead_of 写明放弃它。"
    en = "The ceremony ({kind}) of the plan {digest} was begun and not ended: end it with its own plan first, or give it up by instead_of in the new plan."


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


# --- approvals -------------------------------------------------------------------------------------------------


class ApprovalsMissing(NotPermitted):
    """Fewer people approved than must."""

    code = "ca.approvals_missing"
    zh = "该仪式须有 {needed} 人批准，现有 {given} 人：请其他安全管理员用 yinxin ca ceremony approve 审阅并批准。"
    en = "This ceremony needs the approval of {needed} people and has {given}: have other security officers review and approve it with yinxin ca ceremony approve."


class ApproverTwice(NotPermitted):
    """One person gave two approvals in one post."""

    code = "ca.approver_twice"
    zh = "{person} 批准了两次：每人只计一次，请由其他人批准，并移走多余的批准文件。"
    en = (
        "{person} approved twice: each counts once; have somebody else approve and take the second file away."
    )


class ApproverInTwoPosts(NotPermitted):
    """One person approved in two posts."""

    code = "ca.approver_in_two_posts"
    zh = "{person} 以 {posts} 两个岗位批准：批准人须是不同的人，请由其他人批准，并移走多余的批准文件。"
    en = "{person} approved in the posts {posts}: approvers are different people; have somebody else approve and take the second file away."


class PostApprovedTwice(NotPermitted):
    """Two people approved in one post."""

    code = "ca.post_approved_twice"
    zh = "{people} 以同一岗位 {post} 批准：批准人须在不同的岗位，请由其他岗位的人批准，并移走多余的批准文件。"
    en = "{people} approved in the one post {post}: approvers hold different posts; have somebody in another post approve and take the second file away."


class ConductorApproves(NotPermitted):
    """Whoever holds the ceremony is among its approvers, though others could have approved."""

    code = "ca.conductor_approves"
    zh = "{person} 主持仪式，不能同时批准（另有 {others} 人可以批准）：请由他们批准，或由别人主持。"
    en = "{person} holds the ceremony and cannot approve it too ({others} others could): have them approve, or somebody else hold it."


class ApprovalForAnother(Untrue):
    """A signature over another plan: the plan was altered after it, or the file belongs elsewhere."""

    code = "ca.approval_for_another"
    zh = "批准文件 {file} 批准的是摘要为 {approved} 的计划，不是 {digest}：计划在批准后被改动，或文件放错了。请重新审阅并批准。"
    en = "The approval {file} is for the plan {approved}, not for {digest}: the plan was altered after it, or it is the wrong file. Review and approve again."


class ApprovalForAnotherSite(Untrue):
    """An approval given at another site."""

    code = "ca.approval_for_another_site"
    zh = "批准文件 {file} 是为站点 {approved} 签的，不是本站点 {site}：请在本站点审阅并批准。"
    en = "The approval {file} was given for the site {approved}, not for this one, {site}: review and approve here."


class ApprovalExpired(NotPermitted):
    """An approval that is too old, or from the future."""

    code = "ca.approval_expired"
    zh = "{person} 的批准签于 {at}，有效期 {days} 天，现在不能用：请重新审阅并批准。"
    en = "The approval of {person} was signed at {at} and holds for {days} days; it cannot be used now: review and approve again."


class ForeignApprover(NotPermitted):
    """A certificate that this site did not issue, or to somebody else than the statement says."""

    code = "ca.foreign_approver"
    zh = "批准文件 {file} 的签名证书不是本站点发给 {person} 的（{reason}）：请由本站点的安全管理员批准。"
    en = "The certificate behind the approval {file} is not one of this site's for {person} ({reason}): have a security officer of this site approve."


class ApproverRevoked(NotPermitted):
    """A certificate that is revoked, expired or not for signing."""

    code = "ca.approver_untrusted"
    zh = "{person} 批准所用的证书现在不可信（{reason}）：请用有效的证书重新批准，或由别人批准。"
    en = "The certificate with which {person} approved is not to be trusted now ({reason}): approve again with a valid one, or have somebody else approve."


class ApproverNotPermitted(NotPermitted):
    """Somebody whose post may not approve ceremonies."""

    code = "ca.approver_not_permitted"
    zh = "{person}（岗位 {post}）不得批准仪式：{reason}。请由安全管理员批准。"
    en = "{person} in the post {post} may not approve ceremonies: {reason}. Have a security officer approve."
