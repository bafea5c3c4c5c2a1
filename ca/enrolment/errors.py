"""What enrolment on a credential refuses. A stranger is told the same whether the credential or its secret is wrong."""

from yinxin.errors import Conflict, Invalid, NotAuthenticated, NotFound, NotPermitted


class CredentialRefused(NotAuthenticated):
    """No such credential, another protocol's, expired, withdrawn, used up, or its secret is wrong."""

    code = "ca.credential_refused"
    zh = "注册凭据无效：请核对标识和密钥，或请证书注册员重新发放。"
    en = "The enrolment credential is not valid: check its identifier and secret, or ask the registration officer for a new one."


class CredentialSpent(NotPermitted):
    """All certificates of a credential have been had."""

    code = "ca.credential_spent"
    zh = "注册凭据 {credential} 的使用次数已用完：请证书注册员重新发放。"
    en = "Enrolment credential {credential} is used up: ask the registration officer for a new one."


class NotGranted(NotPermitted):
    """A certificate of a kind, or for a name, that the credential was not granted for."""

    code = "ca.not_granted"
    zh = "注册凭据 {credential} 不包括 {field}“{asked}”（允许：{granted}）：请改正请求，或请证书注册员另行发放。"
    en = "Enrolment credential {credential} does not cover {field} “{asked}” (granted: {granted}): correct the request, or ask the registration officer for another."


class UnknownCredential(NotFound):
    """No credential of this identifier, as an officer sees it."""

    code = "ca.unknown_credential"
    zh = "没有注册凭据 {credential}：请用 yinxin ca credential list 核对标识。"
    en = "There is no enrolment credential {credential}: check it with yinxin ca credential list."


class CredentialWithdrawn(Conflict):
    """Withdrawn once already."""

    code = "ca.credential_withdrawn"
    zh = "注册凭据 {credential} 已于 {at} 撤回，无需重复办理。"
    en = "Enrolment credential {credential} was withdrawn at {at}; nothing is left to do."


class BadGrant(Invalid):
    """A grant that cannot be made as asked for."""

    code = "ca.bad_grant"
    zh = "不能这样发放注册凭据（{field}：{reason}）：请改正后重试。"
    en = "A credential cannot be granted so ({field}: {reason}): correct it and try again."


class RenewalDiffers(Invalid):
    """A renewal that asks for another name than the certificate has that vouches for it."""

    code = "ca.renewal_differs"
    zh = "换发申请的 {field}（{asked}）与原证书（{old}）不同：换发不能改名，请按原名申请，或重新注册。"
    en = "The renewal's {field} ({asked}) is not the old certificate's ({old}): a renewal changes no name; ask for the same one, or enrol anew."


class HalfOfPair(NotPermitted):
    """A renewal of one half of a pair: its other half, and the key in escrow, would be left behind."""

    code = "ca.half_of_pair"
    zh = "证书 {serial} 属于双证书 {pair}，两张须一并换发：请证书注册员用 yinxin ca pair issue --renews {pair} 办理。"
    en = "Certificate {serial} is half of the pair {pair}, and the two are renewed together: ask the registration officer, who uses yinxin ca pair issue --renews {pair}."


class ProvedByAcme(NotPermitted):
    """A renewal, without ACME, of a certificate whose names ACME had proved: nobody would prove them again."""

    code = "ca.proved_by_acme"
    zh = "证书 {serial} 的主机名由 ACME 证明，续期须重新证明：请用 ACME 客户端续期。"
    en = "The host names of certificate {serial} were proved by ACME and are proved again for its successor: renew it with the ACME client."


class RequestOver(Conflict):
    """A request that gave a certificate once, which is over."""

    code = "ca.request_over"
    zh = "此申请已签发过证书 {serial}，该证书已过期或被撤销：请重新生成申请。"
    en = "This very request gave certificate {serial}, which has expired or was revoked: make a new request."


class KeyHandedOut(Conflict):
    """A request for a key that was answered before; the key is kept nowhere."""

    code = "ca.key_handed_out"
    zh = "此申请的密钥已经或正在交付，本中心不留存：请重新生成申请，取得另一个密钥。"
    en = "The key for this request was handed out, or is being so, and is kept nowhere: make a new request for another key."


class UnsupportedRequest(Invalid):
    """A part of a protocol that this service does not offer, or a demand it cannot meet."""

    code = "ca.unsupported_request"
    zh = "不支持该请求（{what}）：{remedy}。"
    en = "This request is not supported ({what}): {remedy}."
