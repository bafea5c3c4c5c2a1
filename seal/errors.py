"""What is refused about seals."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotFound


class SealUnknown(NotFound):
    """No such seal."""

    code = "seal.unknown"
    zh = "没有印章 {seal}；请从印章登记簿中选择。"
    en = "There is no seal {seal}; choose one from the register of seals."


class NoSealOfOrgan(Conflict):
    """The organ has no seal that can be used."""

    code = "seal.none_of_organ"
    zh = "机关 {organ} 没有可用的公章；请先申请制章（yinxin seal propose）并经批准。"
    en = "Organ {organ} has no seal in use; apply for one first (yinxin seal propose) and have it approved."


class SealNotInUse(Conflict):
    """The seal is suspended, replaced, destroyed or past its time."""

    code = "seal.not_in_use"
    zh = "印章“{name}”目前不能使用（{state}）；请联系印章保管人或安全管理员。"
    en = "The seal “{name}” cannot be used now ({state}); ask its keeper or the security officer."


class SealMoved(Conflict):
    """The seal is no longer in the state that the act starts from."""

    code = "seal.moved_on"
    zh = "印章“{name}”当前为“{state}”，不能再作此处理；请刷新后再看。"
    en = "The seal “{name}” is now “{state}”, so this cannot be done; look again."


class NotApproved(Conflict):
    """What is cited as the approval of a use is no approval of it."""

    code = "seal.not_approved"
    zh = "审计记录 {approval} 不是对 {subject} 的批准（{reason}）；用印须引用该对象已完成的签发或批准。"
    en = "The audit entry {approval} is no approval of {subject} ({reason}); a use must cite a completed sign-off or approval of that very object."


class UseUnknown(NotFound):
    """No such use, or not this person's."""

    code = "seal.use_unknown"
    zh = "没有用印记录 {use}，或它由他人登记；请先登记用印。"
    en = "There is no use {use}, or somebody else began it; begin a use first."


class UseOver(Conflict):
    """All that a use may sign has been signed, or it is finished."""

    code = "seal.use_over"
    zh = "用印 {use} 已经结束，不能再签名；如须重新用印，请重新登记。"
    en = "The use {use} is over and signs nothing more; begin it again if it must be repeated."


class NotBoundInSuite(Conflict):
    """The seal is bound to no key of this suite in the key centre."""

    code = "seal.not_bound_in_suite"
    zh = "印章“{name}”没有绑定密钥管理中心内的 {suite} 密钥，不能由平台代为签名。"
    en = (
        "The seal “{name}” is bound to no {suite} key in the key centre, so the platform cannot sign with it."
    )


class NoSealMaker(Misconfigured):
    """The platform's seal maker has no key or no certificate."""

    code = "seal.no_maker"
    zh = "制章者没有可用的密钥或证书（{label}）；请以“增发服务证书”的密钥仪式为其签发 seal-maker 证书。"
    en = "The seal maker has no usable key or certificate ({label}); issue a seal-maker certificate in a ceremony of further services."


class PictureRefused(Invalid):
    """An uploaded picture that cannot be a seal's."""

    code = "seal.picture_refused"
    zh = "印章图片不合要求：{reason}"
    en = "The picture of the seal is not acceptable: {reason}"


class PictureNeeded(Invalid):
    """A seal that is not drawn here."""

    code = "seal.picture_needed"
    zh = "印章“{name}”不能由平台绘制：{reason}"
    en = "The seal “{name}” is not drawn here: {reason}"


class KeeperElsewhere(Invalid):
    """The keeper's post is not one of the organ."""

    code = "seal.keeper_elsewhere"
    zh = "岗位 {post} 不属于机关 {organ}，不能保管其印章；请选择本机关的岗位。"
    en = "The post {post} is not of organ {organ} and cannot keep its seal; choose a post of that organ."


class NotHerOwn(Invalid):
    """A name seal that somebody else would keep."""

    code = "seal.not_her_own"
    zh = "签名章由本人保管：{holder} 不在岗位 {post} 上；请填写本人所在的岗位。"
    en = "A name seal is kept by its holder, and {holder} does not hold the post {post}; name the post that she holds."


class HolderNeeded(Invalid):
    """A personal seal without its holder, or a unit's with one."""

    code = "seal.holder_needed"
    zh = "人名章须指明持有人，单位章不得指明；请更正。"
    en = "A personal seal names its holder and a unit's names none; correct it."


class HolderWithoutCertificate(Conflict):
    """Whose personal seal it would be has no certificate to sign with."""

    code = "seal.holder_without_certificate"
    zh = "{holder} 没有有效的签名证书，无法为其制作人名章；请先申请个人签名证书。"
    en = "{holder} has no signing certificate in force, so no personal seal can be made; apply for a certificate first."


class SealExists(Conflict):
    """There is one in use already."""

    code = "seal.exists"
    zh = "已有在用的印章“{name}”（{seal}）；请改为换发（replaces），或先注销它。"
    en = "There is a seal “{name}” in use already ({seal}); have it replaced (replaces), or destroyed first."
