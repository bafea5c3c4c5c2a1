"""What ACME refuses, each with its type of RFC 8555 section 6.7 (or of the extension's own document)."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Self

from yinxin.errors import YinxinError
from yinxin.text import Text


class AcmeError(YinxinError):
    """A refusal in ACME's own words; `kind` follows `urn:ietf:params:acme:error:`."""

    status = 400
    exit = 65
    kind: ClassVar[str] = "malformed"

    def extras(self) -> dict[str, Any]:
        """Further members of the problem document."""
        return {}


class Malformed(AcmeError):
    """A request that does not follow the protocol."""

    code = "ca.acme_malformed"
    zh = "ACME 请求不符合协议（{field}：{reason}）：请更正客户端或其配置。"
    en = "The ACME request does not follow the protocol ({field}: {reason}): correct the client or its configuration."


class WrongMediaType(AcmeError):
    """A body that is not application/jose+json (RFC 8555 6.2)."""

    code = "ca.acme_wrong_media_type"
    status = 415
    zh = "ACME 请求的类型是“{given}”，应为 application/jose+json。"
    en = "The ACME request is of type “{given}”; it must be application/jose+json."


class TooLarge(AcmeError):
    """A body larger than is read."""

    code = "ca.acme_too_large"
    status = 413
    zh = "ACME 请求超过 {limit} 字节：请减少名称后重新提交。"
    en = "The ACME request is larger than {limit} octets: ask for fewer names at once."


class NotAllowed(AcmeError):
    """A method that the resource does not have."""

    code = "ca.acme_not_allowed"
    status = 405
    zh = "此 ACME 资源不支持 {method}：除目录、随机数与换发信息外，一律以 POST 提交签名请求。"
    en = "This ACME resource has no {method}: all but directory, nonces and renewal information are asked by signed POST."


class NoResource(AcmeError):
    """An address without an ACME resource, or one of another account."""

    code = "ca.acme_no_resource"
    status = 404
    zh = "没有此 ACME 资源：请从目录重新取得地址。"
    en = "There is no such ACME resource: take addresses from the directory."


class BadNonce(AcmeError):
    """A nonce that this server did not give out, or that was used or has expired."""

    code = "ca.acme_bad_nonce"
    kind = "badNonce"
    zh = "随机数无效、已使用或已过期：请用本回答所附的新随机数重试。"
    en = "The nonce is unknown, used or expired: try again with the one that came with this answer."


class BadAlgorithm(AcmeError):
    """A signature algorithm that is not accepted."""

    code = "ca.acme_bad_algorithm"
    kind = "badSignatureAlgorithm"
    zh = "不接受签名算法“{algorithm}”：可用的有 {known}，且须与密钥相符。"
    en = "The signature algorithm “{algorithm}” is not accepted: use one of {known} that fits the key."

    def extras(self) -> dict[str, Any]:
        """RFC 8555 6.2: the algorithms that are accepted."""
        return {"algorithms": self.facts["known"].split(", ")}


class BadKey(AcmeError):
    """An account key that is not accepted."""

    code = "ca.acme_bad_key"
    kind = "badPublicKey"
    zh = "不接受该账户密钥（{reason}）：请使用 P-256、P-384、Ed25519 或至少 2048 位的 RSA。"
    en = (
        "The account key is not accepted ({reason}): use P-256, P-384, Ed25519, or RSA of at least 2048 bits."
    )


class NotSigned(AcmeError):
    """A signature that the key did not make."""

    code = "ca.acme_not_signed"
    status = 403
    kind = "unauthorized"
    zh = "请求的签名与密钥不符。"
    en = "The signature of the request was not made by the key."


class NoAccount(AcmeError):
    """No account of this address or key."""

    code = "ca.acme_no_account"
    kind = "accountDoesNotExist"
    zh = "没有此 ACME 账户：请先注册。"
    en = "There is no such ACME account: register one first."


class AccountEnded(AcmeError):
    """An account that was deactivated (RFC 8555 7.3.6)."""

    code = "ca.acme_account_ended"
    status = 401
    kind = "unauthorized"
    zh = "该 ACME 账户已停用：请用新密钥注册新账户。"
    en = "This ACME account is deactivated: register a new one with a new key."


class KeyTaken(AcmeError):
    """A new account key that another account has."""

    code = "ca.acme_key_taken"
    status = 409
    zh = "该密钥已属于另一 ACME 账户：请另行生成密钥。"
    en = "The key belongs to another ACME account: make a new one."


class BindingRequired(AcmeError):
    """A new account without an external account binding."""

    code = "ca.acme_binding_required"
    status = 403
    kind = "externalAccountRequired"
    zh = "注册账户须附外部账户绑定（EAB）：请向证书注册员申请 ACME 注册凭据。"
    en = "A new account needs an external account binding: ask the registration officer for an ACME credential."


class BindingRefused(AcmeError):
    """An external account binding that does not prove a credential."""

    code = "ca.acme_binding_refused"
    status = 403
    kind = "unauthorized"
    zh = "外部账户绑定（EAB）无效：请核对凭据标识（kid）和密钥，或请证书注册员重新发放。"
    en = "The external account binding is not valid: check the credential's identifier (kid) and key, or ask the registration officer for a new one."


class CredentialEnded(AcmeError):
    """The credential behind an account can no longer be used."""

    code = "ca.acme_credential_ended"
    status = 403
    kind = "unauthorized"
    zh = "该账户所依据的注册凭据已到期、撤回或用完：请用新凭据以同一密钥重新注册。"
    en = "The credential behind this account has expired, was withdrawn or is used up: register again with the same key and a new credential."


class TermsNotAgreed(AcmeError):
    """A new account without agreement to the terms."""

    code = "ca.acme_terms_not_agreed"
    status = 403
    kind = "userActionRequired"
    zh = "注册账户须同意服务条款：{terms}。"
    en = "A new account must agree to the terms: {terms}."


class BadContact(AcmeError):
    """A contact address that cannot be used."""

    code = "ca.acme_bad_contact"
    kind = "invalidContact"
    zh = "联系地址“{contact}”无效：请写成 mailto:name@example.gov.cn。"
    en = "The contact “{contact}” is not valid: write mailto:name@example.gov.cn."


class ForeignContact(AcmeError):
    """A contact of a scheme that is not supported."""

    code = "ca.acme_foreign_contact"
    kind = "unsupportedContact"
    zh = "不支持联系地址“{contact}”的类型：只接受 mailto:。"
    en = "The kind of contact “{contact}” is not supported: only mailto: is."


class Rejected(AcmeError):
    """Names that this account gets no certificate for, each with its reason."""

    code = "ca.acme_rejected"
    kind = "rejectedIdentifier"
    zh = "不能为 {names} 签发证书：请更正名称，或请证书注册员另行发放凭据。"
    en = "No certificate can be had for {names}: correct the names, or ask the registration officer for another credential."

    def __init__(self, *, names: str, reasons: Sequence[tuple[dict[str, str], str, Text]] = ()) -> None:
        """`reasons`: identifier, type of the problem, and what is wrong with it."""
        super().__init__(names=names)
        self.reasons = reasons

    @classmethod
    def of(cls, reasons: Sequence[tuple[dict[str, str], str, Text]]) -> Self:
        """The refusal for these reasons; names the first eight."""
        return cls(names=", ".join(each["value"][:80] for each, _, _ in reasons[:8]), reasons=reasons)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), names=self.facts["names"], reasons=self.reasons), ()


class BadProfile(AcmeError):
    """A profile that the account cannot use (draft-ietf-acme-profiles)."""

    code = "ca.acme_bad_profile"
    kind = "invalidProfile"
    zh = "不能使用证书模板“{profile}”：本账户可用的有 {known}。"
    en = "Profile “{profile}” cannot be used: this account has {known}."


class NotReady(AcmeError):
    """A finalization of an order that is not ready for it (RFC 8555 7.4)."""

    code = "ca.acme_not_ready"
    status = 403
    kind = "orderNotReady"
    zh = "订单状态为 {status}，不能提交证书请求。"
    en = "The order is {status}; no request can be submitted for it."


class BadRequest(AcmeError):
    """A certification request that does not fit its order, or cannot be granted."""

    code = "ca.acme_bad_csr"
    kind = "badCSR"
    zh = "不接受证书请求：{reason}"
    en = "The certification request is not accepted: {reason}"


class Replaced(AcmeError):
    """A certificate whose replacement was ordered before (RFC 9773 section 5)."""

    code = "ca.acme_replaced"
    status = 409
    kind = "alreadyReplaced"
    zh = "证书 {certificate} 已由另一订单换发：请去掉 replaces 后重新下单。"
    en = "Certificate {certificate} was replaced by another order: order again without replaces."


class NotYours(AcmeError):
    """An act on something that the account has no right to."""

    code = "ca.acme_not_yours"
    status = 403
    kind = "unauthorized"
    zh = "该账户或密钥无权{what}。"
    en = "This account or key may not {what}."


class Revoked(AcmeError):
    """A second revocation."""

    code = "ca.acme_already_revoked"
    kind = "alreadyRevoked"
    zh = "证书已于 {at} 撤销，无需再次操作。"
    en = "The certificate was revoked at {at}; nothing is left to do."


class BadRevocationReason(AcmeError):
    """A reason that cannot be given."""

    code = "ca.acme_bad_reason"
    kind = "badRevocationReason"
    zh = "撤销原因 {reason} 不可用：可用的有 {known}。"
    en = "Revocation reason {reason} cannot be given: use one of {known}."


class TooMany(AcmeError):
    """A rate limit."""

    code = "ca.acme_too_many"
    status = 429
    kind = "rateLimited"
    retryable = True
    zh = "请求过于频繁（{what}，每小时最多 {most} 次）：请在 {seconds} 秒后重试。"
    en = "Too many requests ({what}, at most {most} an hour): try again after {seconds} seconds."


# --- what a challenge ended in ---------------------------------------------------------------------------------


class NoConnection(AcmeError):
    """The client's server could not be reached."""

    code = "ca.acme_no_connection"
    kind = "connection"
    zh = "无法连接 {where}（{reason}）：请确认服务在该端口可从本机构访问。"
    en = "{where} could not be reached ({reason}): see that it answers there from this authority's network."


class NoAddress(AcmeError):
    """A name that the resolver does not answer for."""

    code = "ca.acme_no_address"
    kind = "dns"
    zh = "域名 {name} 查询失败（{reason}）：请检查域名解析。"
    en = "Looking up {name} failed ({reason}): check the name server."


class WrongResponse(AcmeError):
    """An answer that is not the one expected."""

    code = "ca.acme_wrong_response"
    status = 403
    kind = "incorrectResponse"
    zh = "{where} 的回答不符（{seen}）：请确认客户端已把应答放在该处。"
    en = "{where} gave the wrong answer ({seen}): see that the client has put its answer there."


class BadTls(AcmeError):
    """A TLS connection that failed."""

    code = "ca.acme_bad_tls"
    kind = "tls"
    zh = "与 {where} 的 TLS 连接失败（{reason}）：请确认该端口提供 acme-tls/1。"
    en = "The TLS connection with {where} failed ({reason}): see that acme-tls/1 is served there."


class CutOff(AcmeError):
    """An issuance that did not end; what may have been signed is revoked."""

    code = "ca.acme_cut_off"
    status = 500
    kind = "serverInternal"
    retryable = True
    zh = "签发中断，未交付证书：请重新下单。"
    en = "The issuance was cut off and no certificate was handed out: order again."


class Expired(AcmeError):
    """Something that was not completed in time."""

    code = "ca.acme_expired"
    status = 403
    kind = "malformed"
    zh = "已于 {at} 到期：请重新下单。"
    en = "It expired at {at}: order again."
