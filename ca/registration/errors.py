"""What an application for a certificate can meet."""

from yinxin.errors import Conflict, Invalid, NotFound, NotPermitted


class UnknownRegistration(NotFound):
    """No application has this identifier."""

    code = "ca.unknown_registration"
    zh = "没有编号为 {registration} 的证书申请：请核对编号。"
    en = "There is no application {registration}: check the identifier."


class RegistrationReused(Conflict):
    """The applicant's reference belongs to another application."""

    code = "ca.registration_reused"
    zh = "引用号 {reference} 已用于内容不同的申请 {registration}：请换一个引用号。"
    en = "Reference {reference} was used for a different application ({registration}): use another reference."


class WrongState(Conflict):
    """A step that does not follow from where the application stands; somebody was quicker, or it is over."""

    code = "ca.registration_state"
    zh = "申请 {registration} 目前为“{state}”，不能执行该步骤（需为 {needed}）：请先查看其经办情况。"
    en = "Application {registration} is {state} now, and this step takes one that is {needed}: look at what was done with it."


class TooManyOpen(Conflict):
    """An applicant with too many applications that nobody has decided on."""

    code = "ca.registrations_open"
    zh = "您已有 {most} 份申请待办，暂不受理新申请：请等待办理，或先撤回不需要的申请。"
    en = "You have {most} applications waiting to be decided on: wait for them, or withdraw those you do not need."


class BadCheck(Invalid):
    """A vetting that says nothing."""

    code = "ca.bad_check"
    zh = "核验记录不完整（{field}）：请写明核验了什么、结果如何。"
    en = "The vetting says too little ({field}): name what was checked and what was found."


class NotYourRegistration(NotPermitted):
    """Somebody else's application, which only its applicant takes back."""

    code = "ca.not_your_registration"
    zh = "申请 {registration} 不是您提交的，只有申请人可以撤回：如需终止，请由证书注册员驳回。"
    en = "Application {registration} is not yours, and only its applicant withdraws it: an officer may refuse it instead."


class NotRenewable(NotPermitted):
    """A certificate that its holder cannot renew by herself."""

    code = "ca.not_renewable"
    zh = "证书 {serial}（{profile}）不能自助换发：请由安全管理员办理。"
    en = "Certificate {serial} ({profile}) is not renewed by its holder: ask the security officer."


class TooEarly(Conflict):
    """A renewal long before the certificate ends."""

    code = "ca.renewal_too_early"
    zh = "证书 {serial} 自 {begin} 起方可自助换发：请届时再试；如密钥可能泄露，请立即联系证书注册员。"
    en = "Certificate {serial} can be renewed from {begin} on: try again then; if its key may be known to others, see the registration officer now."
