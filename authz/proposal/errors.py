"""What proposals and approvals can be refused for."""

from yinxin.errors import Conflict, Invalid, NotFound, NotPermitted, Untrue

# --- the proposal ----------------------------------------------------------------------------------------------


class ProposalUnknown(NotFound):
    """No such proposal, or none that the asker may see."""

    code = "authz.proposal_unknown"
    zh = "没有提案 {proposal}，或不在您可以查看的范围内：请核对编号。"
    en = "There is no proposal {proposal}, or none that you may see: check its number."


class ProposalKindUnknown(Invalid):
    """No module carries out such proposals."""

    code = "authz.proposal_kind_unknown"
    zh = "没有“{kind}”这一类提案：可用的有 {known}。"
    en = "There is no kind of proposal “{kind}”: use one of {known}."


class BadProposal(Invalid):
    """A proposal that cannot be made so."""

    code = "authz.bad_proposal"
    zh = "提案的 {field} 有误（{reason}）：请更正后重新提出。"
    en = "The proposal's {field} is wrong ({reason}): correct it and propose again."


class ProposalClosed(Conflict):
    """Refused, withdrawn, expired, under way or done: this can no longer be done to it."""

    code = "authz.proposal_closed"
    zh = "提案 {proposal} 现为“{state}”，不能再{act}；如仍需办理，请重新提出。"
    en = "Proposal {proposal} is {state} and cannot be {act} any more; if it is still needed, propose it again."


class ApprovalsMissing(Conflict):
    """Fewer people approved than must, or from fewer organs."""

    code = "authz.approvals_missing"
    zh = "提案 {proposal} 须有 {needed} 人批准（来自至少 {organs} 个机关），现有有效批准 {given} 人：请等待其他岗位批准。"
    en = "Proposal {proposal} needs {needed} people from {organs} organs or more to approve it, and {given} have whose approval holds: wait for the others."


class ExecutionUnderWay(Conflict):
    """Another proposal of this kind is being carried out at this moment."""

    code = "authz.execution_under_way"
    retryable = True
    zh = "同类提案（{kind}）正在执行：请等待其结束后再试。"
    en = "A proposal of this kind ({kind}) is being carried out: wait until it ends, and try again."


class Interrupted(Conflict):
    """The process that carried it out has died, and what it does cannot be done again safely."""

    code = "authz.execution_interrupted"
    zh = "提案 {proposal} 的执行被中断，且不能安全地重做：请核查已完成的部分，需要时另提提案。"
    en = "Carrying out proposal {proposal} was cut off and cannot safely be repeated: look what was done, and propose what is left."


class DocumentAltered(Untrue):
    """What is stored is not what was proposed."""

    code = "authz.proposal_altered"
    zh = "提案 {proposal} 的存储内容与其摘要 {digest} 不符：不予执行，请立即报告安全管理员和审计员。"
    en = "What is stored of proposal {proposal} is not what its digest {digest} says: it is not carried out; report this to the security officer and the auditor at once."


# --- the approval ----------------------------------------------------------------------------------------------


class ApprovalForAnother(Untrue):
    """A signature over something else: another proposal, or other content than is there."""

    code = "authz.approval_for_another"
    zh = "该签名批准的是 {approved}，不是提案 {proposal}（摘要 {digest}）：请重新取得待签内容并签署。"
    en = "The signature approves {approved}, not proposal {proposal} (digest {digest}): fetch the statement again and sign that."


class ApprovalForAnotherSite(Untrue):
    """An approval given at another site."""

    code = "authz.approval_for_another_site"
    zh = "该批准是为站点 {approved} 签的，不是本站点 {site}：请在本站点审阅并批准。"
    en = "The approval was given for the site {approved}, not for this one, {site}: review and approve here."


class ApprovalOfAnotherTime(Untrue):
    """Signed before there was a proposal, after its end, or in the future; or timestamped otherwise than it claims."""

    code = "authz.approval_of_another_time"
    zh = "{person} 的批准签于 {at}，须在提案提出（{created}）之后、截止（{expires}）之前，且不晚于现在：请核对时钟后重新签署。"
    en = "The approval of {person} was signed at {at}; it must be after the proposal ({created}), before its end ({expires}) and not in the future: check the clock and sign again."


class ForeignApprover(NotPermitted):
    """A certificate that this site did not issue, or to somebody else than the statement says."""

    code = "authz.foreign_approver"
    zh = "签名证书不是本站点发给 {person} 的（{reason}）：请由本站点登记在岗的人员批准。"
    en = "The certificate behind the approval is not one of this site's for {person} ({reason}): have somebody in a post of this site approve."


class ApproverUntrusted(NotPermitted):
    """A certificate that is revoked, expired or not for signing."""

    code = "authz.approver_untrusted"
    zh = "{person} 批准所用的证书现在不可信（{reason}）：请用有效的证书，或由别人批准。"
    en = "The certificate with which {person} approved is not to be trusted now ({reason}): use a valid one, or have somebody else approve."


class ApproverNotPermitted(NotPermitted):
    """Somebody whose post may not approve it, or not any more."""

    code = "authz.approver_not_permitted"
    zh = "{person}（岗位 {post}）不得批准提案 {proposal}：{reason}。请由有权的岗位批准。"
    en = "{person} in the post {post} may not approve proposal {proposal}: {reason}. Have a post that may approve it."


class NotTheSigner(NotPermitted):
    """Whoever hands in her own approval signed as somebody else, or with another certificate than she signed in with."""

    code = "authz.not_the_signer"
    zh = "批准须由 {person} 本人以登录所用的证书签署：请重新签署；代交他人的批准文件请用 submit。"
    en = "The approval must be signed by {person} with the certificate of the sign-in: sign again; hand in somebody else's file with submit."


class ApproverTwice(NotPermitted):
    """One person in one post a second time."""

    code = "authz.approver_twice"
    zh = "{person} 已批准过：每人只计一次，请由其他人批准。"
    en = "{person} has approved already: each counts once; have somebody else approve."


class ApproverInTwoPosts(NotPermitted):
    """One person in a second post."""

    code = "authz.approver_in_two_posts"
    zh = "{person} 以 {posts} 两个岗位批准：批准人须是不同的人，请由其他人批准。"
    en = "{person} approved in the posts {posts}: approvers are different people; have somebody else approve."


class PostApprovedTwice(NotPermitted):
    """Two people in one post."""

    code = "authz.post_approved_twice"
    zh = "{people} 以同一岗位 {post} 批准：批准人须在不同的岗位，请由其他岗位的人批准。"
    en = "{people} approved in the one post {post}: approvers hold different posts; have somebody in another post approve."


class ApproverStandsForAnother(NotPermitted):
    """One of two approvals is given for the other's approver, by a delegation, or both for the same person."""

    code = "authz.approver_stands_for"
    zh = "{people} 的批准出自同一人：其中有凭授权代行代为批准的；请由与此无关的人批准。"
    en = "The approvals of {people} come from one person: one of them acts for another by a delegation; have somebody else approve."


class ProposerApproves(NotPermitted):
    """Who proposed it approves it, though others could, or where she never may."""

    code = "authz.proposer_approves"
    zh = "{person} 是提案人，本人及其岗位不能批准（另有 {others} 人可以批准）：请由他们批准。"
    en = "{person} proposed it, and neither she nor her post can approve it ({others} others could): have them approve."


class ApproverConcerned(NotPermitted):
    """Whoever it gives something, or whose own it decides on, approves it or carries it out."""

    code = "authz.approver_concerned"
    zh = "{person} 是提案 {proposal} 的当事人，不能批准也不能执行：请由其他人办理。"
    en = "{person} is whom proposal {proposal} concerns and can neither approve it nor carry it out: have somebody else do it."


class ExecutorApproved(NotPermitted):
    """Who approved it carries it out, though others could have approved."""

    code = "authz.executor_approved"
    zh = "{person} 批准了该提案，不能再由其执行（另有 {others} 人可以批准）：请由别人执行。"
    en = "{person} approved it and cannot carry it out too ({others} others could have approved): have somebody else do it."
