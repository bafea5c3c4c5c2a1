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
    zh = "不接受 {what} 使用的算法 {algorithm}：请改用 intl 或 sm 套件的算法。"
    en = "The algorithm {algorithm} of the {what} is not accepted: use one of the suites intl or sm."


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
