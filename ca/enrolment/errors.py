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
