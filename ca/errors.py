"""What the certificate authority refuses, and why; every leaf names the fact and the remedy."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotFound, Unavailable, Untrue

# --- requests that cannot be granted ---------------------------------------------------------------------------


class UnknownProfile(Invalid):
    """No profile has this name."""

    code = "ca.unknown_profile"
    zh = "没有名为“{profile}”的证书模板：可用的有 {known}。"
    en = "There is no certificate profile {profile}: use one of {known}."


class UnknownVersion(NotFound):
    """No version of the profile has this hash, or several begin like it."""

    code = "ca.unknown_version"
    zh = "模板“{profile}”没有唯一以 {version} 开头（至少 8 位）的版本：请用 yinxin ca profile list --all 查看。"
    en = "No single version of profile {profile} begins with {version} (8 digits at least): see yinxin ca profile list --all."


class ProfileRefuses(Invalid):
    """A request that its profile does not allow."""

    code = "ca.profile_refuses"
    zh = "模板“{profile}”不允许该请求（{field}：{reason}）。请更正后重新提交。"
    en = "Profile {profile} does not allow the request ({field}: {reason}). Correct it and submit again."


class ForeignName(Invalid):
    """A request that asks for somebody else's name."""

    code = "ca.foreign_name"
    zh = "请求中的 {field} 是“{asked}”，而登记的是“{registered}”：请改正请求，或先更正登记信息。"
    en = "The request asks for {field} “{asked}”, but “{registered}” is on record: correct the request, or the record first."


class UnknownHolder(Invalid):
    """A person who asks without a post."""

    code = "ca.unknown_holder"
    zh = "持有者 {kind} {id} 未填岗位：请填写其任职的岗位。"
    en = "The holder {kind} {id} comes without a post: name the post she holds."


class WeakKey(Invalid):
    """A key that is too weak, or of a kind that the profile does not certify."""

    code = "ca.weak_key"
    zh = "密钥为 {algorithm}（{bits} 位），模板“{profile}”只接受 {accepted}：请更换密钥后重新生成请求。"
    en = "The key is {algorithm} ({bits} bits); profile {profile} certifies {accepted} only: make a new key and request."


class UnfitExponent(WeakKey):
    """An RSA exponent that is even, too small or too large."""

    code = "ca.unfit_exponent"
    zh = "RSA 公钥指数 {exponent} 不合要求（应为奇数，不小于 65537，小于 2 的 256 次方）：请用 65537 重新生成密钥。"
    en = "The RSA exponent {exponent} is not fit for use (odd, at least 65537, below 2^256): make a new key with 65537."


class FactorKnown(WeakKey):
    """An RSA modulus that a small prime divides."""

    code = "ca.factor_known"
    zh = "RSA 模数可被 {factor} 整除，密钥已损坏或生成有误：请用可靠的软件重新生成密钥。"
    en = "The RSA modulus can be divided by {factor}; the key is damaged or badly made: make a new one with sound software."


class RocaKey(WeakKey):
    """An RSA key of the library of CVE-2017-15361."""

    code = "ca.roca_key"
    zh = "该 RSA 密钥由存在 ROCA 缺陷（CVE-2017-15361）的芯片生成，可被分解：请更新芯片固件或改用其他设备，重新生成密钥。"
    en = "The RSA key was made by a chip with the ROCA defect (CVE-2017-15361) and can be factored: update the chip or use another, and make a new key."


class CloseFactors(WeakKey):
    """An RSA modulus whose two primes lie close together."""

    code = "ca.close_factors"
    zh = "RSA 模数的两个素数过于接近，费马法 {steps} 步之内即可分解：请用可靠的软件重新生成密钥。"
    en = "The two primes of the RSA modulus lie so close that Fermat's method factors it within {steps} steps: make a new key with sound software."


class UnfitPoint(WeakKey):
    """An Ed25519 key that is no point of the curve, or one of low order."""

    code = "ca.unfit_point"
    zh = "该 Ed25519 公钥不是曲线上的有效点，或其阶过低，任何人都可伪造签名：请重新生成密钥。"
    en = "The Ed25519 key is no valid point of the curve, or one of low order under which anybody can forge: make a new key."


class CompromisedKey(Invalid):
    """A key on the list of blocked keys."""

    code = "ca.compromised_key"
    zh = "该密钥自 {since} 起列入禁用名单（{reason}，{key}），不再签发：请另行生成密钥。"
    en = "This key is on the list of blocked keys since {since} ({reason}, {key}) and is not certified again: make a new one."


class KeyStaysBlocked(Conflict):
    """A key with a certificate that was revoked as compromised cannot leave the list."""

    code = "ca.key_stays_blocked"
    zh = "密钥 {key} 的证书 {serial} 曾因密钥泄露被撤销，不能移出禁用名单。"
    en = "Certificate {serial} for the key {key} was revoked as compromised: the key stays on the list."


class UnknownBlockedKey(NotFound):
    """The key is not on the list."""

    code = "ca.unknown_blocked_key"
    zh = "禁用名单中没有密钥 {key}：请用 yinxin ca blocklist list 核对。"
    en = "The key {key} is not on the list of blocked keys: see yinxin ca blocklist list."


class RecheckFound(Untrue):
    """Something stored is not as it should be."""

    code = "ca.recheck_found"
    status = 500
    zh = "复查发现 {count} 处存储内容有误，首先是 {subject}（{faults}）：请立即用 yinxin ca recheck 查看，并核对日志与备份。"
    en = "The re-check found {count} stored objects at fault, the first {subject} ({faults}): look with yinxin ca recheck at once, and compare log and backup."


class NoKeyInFile(Invalid):
    """A file, or a digest, that names no key."""

    code = "ca.no_key_in_file"
    zh = "{file} 中没有可识别的密钥：应为 PEM 格式的证书、请求、公钥或私钥，或 64 位十六进制的 SHA-256。"
    en = "{file} holds no key that can be read: give a certificate, request, public or private key in PEM, or a SHA-256 of 64 hexadecimal digits."


class BadKeyList(Invalid):
    """A file of known weak keys that cannot be read as one."""

    code = "ca.bad_key_list"
    zh = "名单文件 {file} 第 {line} 行不是 20 位（Debian 弱密钥）或 64 位（SubjectPublicKeyInfo 的 SHA-256）十六进制数，未导入任何内容。"
    en = "Line {line} of {file} is neither 20 (Debian's weak keys) nor 64 hexadecimal digits (SHA-256 of a SubjectPublicKeyInfo); nothing was imported."


class KeyInUse(Conflict):
    """A key that another holder, or an authority, already has a certificate for."""

    code = "ca.key_in_use"
    zh = "该密钥已用于证书 {serial}，其持有者或用途不同：请另行生成密钥。"
    en = "This key is in certificate {serial} of another holder or use: make a new key."


class HolderTaken(Conflict):
    """A service by the identifier of a person, or a person by that of a service: records could not tell them apart."""

    code = "ca.holder_taken"
    zh = "持有者标识 {id} 已属于另一类持有者（{kind}）：请另选标识。"
    en = "The identifier {id} is taken by a holder of another kind ({kind}): choose another."


class LintFailed(Invalid):
    """The certificate that would have been made breaks a rule; nothing was signed."""

    code = "ca.lint_failed"
    zh = "拟签发的证书不符合规则，未签名：{findings}。请更正请求或模板。"
    en = "The certificate that would have been made breaks the rules; nothing was signed: {findings}. Correct the request or the profile."


# --- state -----------------------------------------------------------------------------------------------------


class ReferenceReused(Conflict):
    """The caller's reference belongs to another request."""

    code = "ca.reference_reused"
    zh = "引用号 {reference} 已用于内容不同的请求（证书 {serial}）：请换一个引用号。"
    en = "Reference {reference} was used for a different request (certificate {serial}): use another reference."


class IssuanceUnderWay(Conflict):
    """The same request is being worked on, or its worker died a moment ago."""

    code = "ca.issuance_under_way"
    retryable = True
    zh = "引用号 {reference} 的签发正在进行：请在 {seconds} 秒后用同一引用号重试。"
    en = "Issuance under reference {reference} is under way: try again with the same reference after {seconds} seconds."


class IntentLost(Conflict):
    """The intent was abandoned or revoked while its certificate was being signed; nothing was handed out."""

    code = "ca.intent_lost"
    retryable = True
    zh = "证书 {serial} 在签名期间已被作废或放弃，未交付：请重新提交。"
    en = "Certificate {serial} was revoked or abandoned while being signed and was not handed out: submit again."


class NoSerial(Unavailable):
    """The random source gave only serial numbers that exist."""

    code = "ca.no_serial"
    zh = "随机源连续 {tries} 次给出已存在的序列号，未签发：请管理员检查随机源。"
    en = "The random source gave {tries} serial numbers that exist already; nothing was issued: have an operator check it."


class UnknownCertificate(NotFound):
    """No certificate of this authority has this serial number or fingerprint."""

    code = "ca.unknown_certificate"
    zh = "本机构没有序列号或指纹为 {certificate} 的证书：请核对后重试。"
    en = "No certificate of this authority has the serial number or fingerprint {certificate}: check it and try again."


class AlreadyRevoked(Conflict):
    """A second revocation."""

    code = "ca.already_revoked"
    zh = "证书 {serial} 已于 {revoked_at} 撤销（{reason}），无需再次操作。"
    en = "Certificate {serial} was revoked at {revoked_at} ({reason}); nothing is left to do."


class NotSuspended(Conflict):
    """A hold that is to be lifted, where there is none."""

    code = "ca.not_suspended"
    zh = "证书 {serial} 未处于暂停状态（{state}），无从恢复：请核对序列号。"
    en = "Certificate {serial} is not suspended ({state}), so there is nothing to resume: check the serial number."


class NotInForce(Conflict):
    """An act that takes a certificate in force."""

    code = "ca.not_in_force"
    zh = "证书 {serial} 不在有效状态（{state}），不能执行该操作：请先查询其状态。"
    en = "Certificate {serial} is not in force ({state}), which this act takes: look at its state first."


class WrongCount(Conflict):
    """An act on many that was confirmed for another number of them."""

    code = "ca.wrong_count"
    zh = "将影响 {found} 张证书，而确认的是 {expected} 张，未作任何更改：请先试运行核对，再以实际张数确认。"
    en = "It would change {found} certificates, and {expected} were confirmed; nothing was changed: look at a dry run, then confirm their number."


class BadReason(Invalid):
    """A reason code that RFC 5280 5.3.1 does not have, or that this authority does not use."""

    code = "ca.bad_reason"
    zh = "撤销原因“{reason}”不可用：请从 {known} 中选择。"
    en = "The revocation reason {reason} cannot be used: choose one of {known}."


class UnknownAuthority(NotFound):
    """No such authority, or it has not been made yet."""

    code = "ca.unknown_authority"
    zh = "没有名为 {name} 的签发机构，或其尚未建成：请用 yinxin ca authority list 核对名称，新机构以密钥仪式建立。"
    en = "There is no authority {name}, or it is not made yet: look for its name with yinxin ca authority list; a ceremony makes a new one."


class AuthorityRetired(Conflict):
    """An authority that signs no certificates any more."""

    code = "ca.authority_retired"
    zh = "签发机构 {name} 已于 {since} 停止签发，只继续提供证书状态：请改用其他签发机构。"
    en = "The authority {name} stopped issuing at {since} and only tells status: use another authority."


class AuthorityRevoked(Conflict):
    """An authority whose own certificate is revoked."""

    code = "ca.authority_revoked"
    zh = "签发机构 {name} 的证书已于 {since} 被撤销，不再签发：请改用其他签发机构。"
    en = "The certificate of the authority {name} was revoked at {since}; it issues no more: use another authority."


class UnderARoot(Conflict):
    """A certificate whose revocation takes a ceremony."""

    code = "ca.authority_certificate"
    zh = "证书 {serial} 属于签发机构，不能按普通证书撤销：须经多人批准的仪式。"
    en = "Certificate {serial} belongs to an authority and cannot be revoked like any other: that takes a ceremony of several people."


# --- proofs that did not hold ----------------------------------------------------------------------------------


class TokenSpent(Untrue):
    """A lint token used twice."""

    code = "ca.token_spent"
    status = 500
    zh = "该次检查的凭据已用过，拒绝再次签名：请重新检查。"
    en = "This lint token was redeemed already; nothing was signed: lint again."


class TokenForeign(Untrue):
    """A lint token used for other octets, or for another issuer."""

    code = "ca.token_foreign"
    status = 500
    zh = "检查凭据不属于这份待签内容或签发者（{issuer}），拒绝签名。"
    en = "The lint token does not belong to these octets or this issuer ({issuer}); nothing was signed."


class Misissued(Untrue):
    """The signed certificate is not, octet for octet, what was linted; it was not handed out."""

    code = "ca.misissued"
    status = 500
    zh = "签出的证书 {serial} 与检查过的内容不一致，未交付：请立即通知安全管理员检查密码设备。"
    en = "Certificate {serial} as signed is not what was linted and was not handed out: have the security officer check the HSM at once."


class CrlNotNewer(Untrue):
    """A revocation list that would not follow the one in force."""

    code = "ca.crl_not_newer"
    status = 500
    zh = "{authority} 的新撤销列表未通过核对（{reason}），仍使用原列表。"
    en = "The new revocation list of {authority} failed its check ({reason}); the one in force stays."


# --- status and time -------------------------------------------------------------------------------------------


class NoDelta(NotFound):
    """No delta list: the list in force is the first of its line."""

    code = "ca.no_delta"
    zh = "{name} 的撤销列表是第一份，尚无增量列表：请取完整列表。"
    en = "The revocation list of {name} is the first one and has no delta yet: fetch the whole list."


class StatusUnavailable(Unavailable):
    """The status service lacks a part it needs."""

    code = "ca.status_unavailable"
    zh = "{authority} 的证书状态服务尚不可用（{reason}）：请先完成仪式。"
    en = "The certificate status service of {authority} is not available ({reason}): complete the ceremony first."


class ClockUncertain(Unavailable):
    """Nobody vouches for the clock; no timestamp is made."""

    code = "ca.clock_uncertain"
    retryable = False
    zh = "系统时钟是否准确无法确认（{reason}），已停止签发时间戳：请管理员检查时间同步（{report}）。"
    en = "Nothing vouches for the clock ({reason}); no timestamps are made: have an operator look at time synchronisation ({report})."


class ClockWentBack(Unavailable):
    """The clock stands before the last timestamp issued; no timestamp is made."""

    code = "ca.clock_went_back"
    retryable = False
    zh = "系统时钟（{now}）早于最近一次签发的时间戳（{last}），已停止签发时间戳：请管理员校正时钟。"
    en = "The clock ({now}) stands before the last timestamp issued ({last}); no timestamps are made: have an operator set the clock right."


class TimestampFailed(Unavailable):
    """Our own timestamp unit did not grant what the platform itself asked of it."""

    code = "ca.timestamp_failed"
    zh = "时间戳服务未能盖时间戳（{reason}）：未做任何更改，请检查时钟与时间戳服务后重试。"
    en = "The timestamp unit gave no timestamp ({reason}): nothing was changed; check the clock and the unit, and try again."


# --- the ceremony ----------------------------------------------------------------------------------------------


class BadPlan(Misconfigured):
    """A ceremony plan or profile that cannot be carried out."""

    code = "ca.bad_plan"
    zh = "文件 {file} 有误（{field}：{reason}）：请改正并重新审阅后再执行。"
    en = "The file {file} is wrong ({field}: {reason}): correct it, have it reviewed again, and start over."


class RootMissing(Misconfigured):
    """An authority of ours whose root this machine does not have in its folder of trust."""

    code = "ca.root_missing"
    zh = "{folder} 中没有签发机构 {authority} 的根证书，其证书在本机不被信任：请从举行仪式的节点复制该目录；若没有举行过这样的仪式，是有人改动了数据库，请用 yinxin audit check 查明。"
    en = "The root of the authority {authority} is not in {folder}, and nothing that it certified counts on this machine: copy that folder from the ceremony's machine; if there was no such ceremony, somebody wrote in the database: see yinxin audit check."
