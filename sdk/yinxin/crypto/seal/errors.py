"""What can be wrong with an electronic seal, or with what was sealed by it."""

from yinxin.crypto.errors import Malformed
from yinxin.errors import Untrue


class MalformedSeal(Malformed):
    """Neither a seal nor a seal signature as the standards write them."""

    code = "crypto.malformed_seal"
    zh = "电子印章数据不合规定（{reason}）：请提供符合 GB/T 38540 或 GM/T 0031 的完整数据。"
    en = "The electronic seal is not as it must be ({reason}): give the whole data in the form of GB/T 38540 or GM/T 0031."


class SealInvalid(Untrue):
    """Branch: a seal that cannot be trusted for what it was put on."""


class SealMakerUntrusted(SealInvalid):
    """The seal is intact, but who made it is not to be trusted."""

    code = "crypto.seal_maker_untrusted"
    zh = "印章“{seal}”的制章者不可信：{reason}"
    en = "The maker of the seal “{seal}” is not to be trusted: {reason}"


class NotASealUser(SealInvalid):
    """Whoever signed is not among those whom the seal is bound to."""

    code = "crypto.not_a_seal_user"
    zh = "证书 {subject} 不在印章“{seal}”绑定的签章者之列：此章不是由有权使用者加盖的。"
    en = "The certificate {subject} is not among those that the seal “{seal}” is bound to: it was not put on by anybody who may use it."


class SealNotInForce(SealInvalid):
    """The seal was used before or after the time it is valid for."""

    code = "crypto.seal_not_in_force"
    zh = "印章“{seal}”的有效期为 {valid_from} 至 {valid_until}，在 {at} 不能使用。"
    en = "The seal “{seal}” is valid from {valid_from} to {valid_until}; it must not be used at {at}."


class SealUserUntrusted(SealInvalid):
    """The certificate of whoever sealed does not hold at the time of sealing."""

    code = "crypto.seal_user_untrusted"
    zh = "印章“{seal}”签章者的证书不可信：{reason}"
    en = "The certificate that used the seal “{seal}” is not to be trusted: {reason}"


class SealTimeUnproved(SealInvalid):
    """No timestamp proves when it was sealed, or the one that is there does not hold."""

    code = "crypto.seal_time_unproved"
    zh = "印章“{seal}”的签章时间没有得到可信时间戳的证明：{reason}"
    en = "No trusted timestamp proves when the seal “{seal}” was put on: {reason}"


class SealEnded(SealInvalid):
    """The seal was suspended, replaced or destroyed when it was used."""

    code = "crypto.seal_ended"
    zh = "印章“{seal}”自 {since} 起已停用或注销，在 {at} 不能使用。"
    en = "The seal “{seal}” is out of use since {since}; it must not be used at {at}."
