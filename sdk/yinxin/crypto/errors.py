"""What can be wrong with a key, a certificate, a signature or a proof; every leaf names the fact and the remedy."""

from yinxin.errors import Invalid, Misconfigured, Untrue

# --- the tools -------------------------------------------------------------------------------------------------


class LibcryptoMissing(Misconfigured):
    """SM2 needs the system's OpenSSL 3."""

    code = "crypto.libcrypto_missing"
    zh = "找不到可用的 OpenSSL 3（{library}：{reason}），国密 SM2 无法运算：请安装系统软件包 libssl3。"
    en = "No usable OpenSSL 3 ({library}: {reason}), so SM2 cannot run: install the system package libssl3."


class CryptoFailure(Misconfigured):
    """The cryptographic library failed where it must not."""

    code = "crypto.failure"
    zh = "密码库操作 {operation} 失败（{reason}），未产生任何结果：请检查密码库的安装。"
    en = "The cryptographic library failed at {operation} ({reason}); nothing was produced: check its installation."


# --- names of algorithms ---------------------------------------------------------------------------------------


class UnknownSuite(Invalid):
    """No suite has this name."""

    code = "crypto.unknown_suite"
    zh = "没有名为 {name} 的密码套件：可用的有 {known}。"
    en = "There is no suite named {name}: use one of {known}."


class UnsupportedAlgorithm(Invalid):
    """The object uses an algorithm that this kit does not accept."""

    code = "crypto.unsupported_algorithm"
    zh = "不接受 {what} 使用的算法 {algorithm}：请改用 intl、sm 或 pq 套件的算法。"
    en = "The algorithm {algorithm} of the {what} is not accepted: use one of the suites intl, sm or pq."


# --- malformed things ------------------------------------------------------------------------------------------


class Malformed(Invalid):
    """Branch: bytes that are not what they should be."""


class MalformedDer(Malformed):
    """Bytes that are not DER (X.690)."""

    code = "crypto.malformed_der"
    zh = "数据不是规范的 DER 编码（第 {offset} 字节：{reason}）：请向提供者索取未损坏的文件。"
    en = "The data is not DER (byte {offset}: {reason}): ask its sender for an undamaged file."


class MalformedKey(Malformed):
    """A key that cannot be read."""

    code = "crypto.malformed_key"
    zh = "密钥无法读取（{reason}）：请提供 DER 编码的 PKCS#8 私钥或 SubjectPublicKeyInfo 公钥。"
    en = "The key cannot be read ({reason}): give a DER PKCS#8 private key or SubjectPublicKeyInfo."


class MalformedName(Malformed):
    """A distinguished name that cannot be written."""

    code = "crypto.malformed_name"
    zh = "名称中的 {attribute} 不合规定（{reason}）：请更正该项。"
    en = "The name's {attribute} is not allowed ({reason}): correct it."


class MalformedCertificate(Malformed):
    """A certificate that cannot be read."""

    code = "crypto.malformed_certificate"
    zh = "证书无法读取（{reason}）：请提供完整的 PEM 或 DER 证书。"
    en = "The certificate cannot be read ({reason}): give a whole PEM or DER certificate."


class MalformedRequest(Malformed):
    """A PKCS#10 request, OCSP request or timestamp request that cannot be read."""

    code = "crypto.malformed_request"
    zh = "{kind} 请求无法读取（{reason}）：请重新生成请求。"
    en = "The {kind} request cannot be read ({reason}): make it again."


class MalformedJose(Malformed):
    """A JSON Web Signature or key that cannot be read (RFC 7515, 7517)."""

    code = "crypto.malformed_jose"
    zh = "JSON 签名或密钥无法读取（{field}：{reason}）：请检查客户端。"
    en = "The JSON signature or key cannot be read ({field}: {reason}): check the client."


class MalformedStatus(Malformed):
    """A CRL or OCSP response that cannot be read."""

    code = "crypto.malformed_status"
    zh = "{kind} 无法读取（{reason}）：请重新获取。"
    en = "The {kind} cannot be read ({reason}): fetch it again."


class MalformedSignature(Malformed):
    """A CMS signature or timestamp that cannot be read."""

    code = "crypto.malformed_signature"
    zh = "{kind} 无法读取（{reason}）：请提供完整的签名文件。"
    en = "The {kind} cannot be read ({reason}): give the whole signature file."


class MalformedEnvelope(Malformed):
    """Not an EnvelopedData that this kit reads."""

    code = "crypto.malformed_envelope"
    zh = "加密信封无法读取（{reason}）：请发件方按 RFC 5652 重新生成。"
    en = "The envelope cannot be read ({reason}): ask its sender to make it again by RFC 5652."


class MalformedTemplate(Malformed):
    """A certificate template that contradicts itself."""

    code = "crypto.malformed_template"
    zh = "证书模板的 {field} 不合规定（{reason}）：请更正模板。"
    en = "The certificate template's {field} is not allowed ({reason}): correct the template."


class CannotOpenKeyFile(Invalid):
    """A PKCS#12 file that its password does not open."""

    code = "crypto.cannot_open_key_file"
    zh = "无法打开密钥文件 {path}（{reason}）：请核对口令和文件。"
    en = "The key file {path} does not open ({reason}): check the password and the file."


class WrongPassword(CannotOpenKeyFile):
    """The password is wrong, or the file was changed: the check cannot tell which."""

    code = "crypto.wrong_password"
    zh = "密钥文件 {path} 的口令不对，或文件已被改动：请核对口令；如口令无误，请取回原文件。"
    en = "The password does not open the key file {path}, or the file was changed: check the password, then the file."


class KeyMismatch(Invalid):
    """A key and a certificate that do not belong together."""

    code = "crypto.key_mismatch"
    zh = "私钥与证书 {subject} 不匹配：请使用该证书对应的私钥。"
    en = "The private key does not belong to the certificate {subject}: use the key it was issued for."


# --- things that do not hold -----------------------------------------------------------------------------------


class BadSignature(Untrue):
    """A signature that does not verify."""

    code = "crypto.bad_signature"
    zh = "{what} 的签名无效：内容已被改动，或签名者另有其人。"
    en = "The signature on the {what} is not valid: the content was changed, or somebody else signed."


class DigestMismatch(Untrue):
    """A digest that is not the content's."""

    code = "crypto.digest_mismatch"
    zh = "{what} 与其摘要不符：内容已被改动，或取错了文件。"
    en = "The {what} does not match its digest: the content was changed, or it is the wrong file."


class CannotDecrypt(Untrue):
    """A ciphertext that the key does not open."""

    code = "crypto.cannot_decrypt"
    zh = "密文无法用 {algorithm} 解密：密钥不对，或密文已被改动。"
    en = "The ciphertext does not open with {algorithm}: the key is wrong, or the ciphertext was changed."


class WrongIssuer(Untrue):
    """A certificate that names another issuer."""

    code = "crypto.wrong_issuer"
    zh = "证书 {subject} 不是由 {issuer} 签发的：请提供其真正签发者的证书。"
    en = "The certificate {subject} was not issued by {issuer}: give the certificate of its real issuer."


# --- a path that does not lead to an anchor ---------------------------------------------------------------------


class PathInvalid(Untrue):
    """Branch: a certificate that cannot be trusted for what it was shown for."""


class UnknownIssuer(PathInvalid):
    """No way from the certificate to a trusted authority."""

    code = "crypto.unknown_issuer"
    zh = "证书 {subject} 的签发者 {issuer} 不在信任之列：请提供中间证书，或安装所信任的根证书。"
    en = "The issuer {issuer} of {subject} is not trusted: give the intermediate certificates or install its root."


class Expired(PathInvalid):
    """Too late."""

    code = "crypto.expired"
    zh = "证书 {subject} 已于 {not_after} 过期（核验时刻 {at}）：请使用有效的证书。"
    en = "The certificate {subject} expired at {not_after} (judged at {at}): use a valid one."


class NotYetValid(PathInvalid):
    """Too early."""

    code = "crypto.not_yet_valid"
    zh = "证书 {subject} 自 {not_before} 起有效（核验时刻 {at}）：请核对时钟或稍后再试。"
    en = "The certificate {subject} is valid from {not_before} (judged at {at}): check the clock or wait."


class CertificateRevoked(PathInvalid):
    """Revoked at or before the moment that counts."""

    code = "crypto.certificate_revoked"
    zh = "证书 {subject} 已于 {revoked_at} 被撤销（原因：{reason}），在 {at} 不可信。"
    en = "The certificate {subject} was revoked at {revoked_at} (reason: {reason}); it is not to be trusted at {at}."


class RevocationUnknown(PathInvalid):
    """No usable statement says whether it was revoked."""

    code = "crypto.revocation_unknown"
    zh = "无法得知证书 {subject} 在 {at} 是否已被撤销：请提供其签发者适用于该时刻的 OCSP 应答或 CRL。"
    en = "Whether {subject} was revoked at {at} is unknown: give an OCSP answer or CRL of its issuer for that time."


class RevocationUnusable(RevocationUnknown):
    """There are statements, and none of them can be believed; `reason` is what is wrong with the first."""

    code = "crypto.revocation_unusable"
    zh = "所给的撤销信息不能证明证书 {subject} 在 {at} 的状态：{reason}"
    en = "The revocation statements given do not tell the status of {subject} at {at}: {reason}"


class UsageNotAllowed(PathInvalid):
    """The certificate was not issued for this."""

    code = "crypto.usage_not_allowed"
    zh = "证书 {subject} 不得用于 {usage}（证书限于：{allowed}）：请使用为此用途签发的证书。"
    en = "The certificate {subject} must not be used for {usage} (it allows: {allowed}): use one issued for that."


class NotAnAuthority(PathInvalid):
    """The issuer is no authority: no CA flag, or a key usage without keyCertSign."""

    code = "crypto.not_an_authority"
    zh = "证书 {subject} 不是 CA 证书，不得签发证书：请提供由 CA 签发的证书。"
    en = "The certificate {subject} is no CA certificate and must not issue: use a certificate issued by an authority."


class PathTooLong(PathInvalid):
    """An authority further down than the one above it allows."""

    code = "crypto.path_too_long"
    zh = "CA 证书 {subject} 之下只允许 {limit} 级下级 CA，证书链超过了此限：请使用在限内签发的证书。"
    en = "Below {subject} only {limit} further authorities are allowed, and the path has more: use a certificate within."


class UnsupportedExtension(PathInvalid):
    """A critical extension that this kit does not process."""

    code = "crypto.unsupported_extension"
    zh = "证书 {subject} 含有不能处理的关键扩展 {oid}，按规定必须拒绝。"
    en = "The certificate {subject} has the critical extension {oid}, which is not processed here, so it is refused."


class AlternativeMissing(PathInvalid):
    """A second signature was demanded, and a certificate of the path has none, or its issuer no second key."""

    code = "crypto.alternative_missing"
    zh = "证书 {subject} 没有备用签名或备用公钥，不满足抗量子要求：请使用双签名体系签发的证书。"
    en = "The certificate {subject} has no alternative signature or key, as is demanded: use one of a hybrid hierarchy."


class BadAlternative(PathInvalid):
    """A second signature that was not made by the issuer's second key, or cannot be read."""

    code = "crypto.bad_alternative"
    zh = "证书 {subject} 的备用签名未通过验证，证书不可信。"
    en = "The alternative signature of the certificate {subject} does not verify: do not trust it."


class PathTooComplex(PathInvalid):
    """More work than honest hierarchies make; `what` says of which kind."""

    code = "crypto.path_too_complex"
    zh = "核验证书 {subject} 所需的{what}超过 {limit}：请只提供相关的中间证书和撤销信息。"
    en = "Judging {subject} takes more than {limit} {what}: give only the certificates and statements that it needs."


class NameNotPermitted(PathInvalid):
    """A name outside those in which an authority above may issue."""

    code = "crypto.name_not_permitted"
    zh = (
        "CA {authority} 无权为名称 {name} 签发证书，而证书 {subject} 含有该名称：请使用由有权机构签发的证书。"
    )
    en = "The authority {authority} may not have the name {name} issued, which {subject} bears: use a certificate of an authority that may."


class NameNotJudged(PathInvalid):
    """A name of a kind that an authority above limits, and that cannot be compared here."""

    code = "crypto.name_not_judged"
    zh = "CA {authority} 限制了 {kind} 类名称，而证书 {subject} 中的 {name} 无法据此判断，按规定必须拒绝。"
    en = "The authority {authority} limits names of the kind {kind}, and {name} in {subject} cannot be judged by that, so it is refused."


class PolicyNotAccepted(PathInvalid):
    """A policy is demanded, and none holds along the whole path."""

    code = "crypto.policy_not_accepted"
    zh = "证书 {subject} 的证书链没有贯穿始终的可接受策略（要求：{wanted}）：请使用按该策略签发的证书。"
    en = "No acceptable policy holds along the path of {subject} (wanted: {wanted}): use a certificate issued under one."


class PolicyMappingInvalid(PathInvalid):
    """anyPolicy mapped to another policy, or another to it."""

    code = "crypto.policy_mapping_invalid"
    zh = "CA 证书 {subject} 的策略映射涉及 anyPolicy，按规定必须拒绝：请该机构重新签发。"
    en = "The authority {subject} maps anyPolicy, which is forbidden, so it is refused: its issuer must issue it anew."


# --- status and time --------------------------------------------------------------------------------------------


class StatusNotCurrent(Untrue):
    """A CRL or OCSP answer of another time."""

    code = "crypto.status_not_current"
    zh = "{kind} 的有效期为 {this_update} 至 {next_update}，不适用于 {at}：请获取最新的。"
    en = "The {kind} speaks for {this_update} to {next_update}, not for {at}: fetch a newer one."


class ResponderNotAuthorized(Untrue):
    """An OCSP answer signed by somebody who may not answer for this issuer."""

    code = "crypto.responder_not_authorized"
    zh = "OCSP 应答的签名者无权代表 {issuer} 答复（{reason}）。"
    en = "The signer of the OCSP answer may not answer for {issuer} ({reason})."


class StatusRefused(Untrue):
    """The OCSP responder answered with an error."""

    code = "crypto.status_refused"
    zh = "OCSP 服务拒绝答复：{reason}。"
    en = "The OCSP responder refused to answer: {reason}."


class TimestampRejected(Untrue):
    """The timestamp authority did not grant the request."""

    code = "crypto.timestamp_rejected"
    zh = "时间戳服务拒绝了请求：{reason}。"
    en = "The timestamp authority rejected the request: {reason}."


class TimestampRefused(Invalid):
    """A timestamp request that the authority must refuse; `failure` is a PKIFailureInfo name (RFC 3161 2.4.2)."""

    code = "crypto.timestamp_refused"
    zh = "时间戳请求不能受理（{failure}）：请更正后重新请求。"
    en = "The timestamp request cannot be granted ({failure}): correct it and ask again."


class AnswerMismatch(Untrue):
    """An answer to another question than the one asked."""

    code = "crypto.answer_mismatch"
    zh = "{kind} 应答与请求不符（{field} 不同）：请重新请求。"
    en = "The {kind} answer does not fit the request (another {field}): ask again."
