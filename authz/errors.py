"""What identity and authorization can refuse; each says what to do next."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotAuthenticated, NotFound, Unavailable

# --- the directory's file ---------------------------------------------------------------------------------------


class BadDirectory(Invalid):
    """Branch: a directory file that is refused as a whole; `row` and `field` say where."""


class UnreadableDirectory(BadDirectory):
    """A file that is no TOML."""

    code = "authz.directory_unreadable"
    zh = "机构名录文件 {file} 无法读取（{reason}）：请提供 UTF-8 编码的 TOML 文件。"
    en = "The directory file {file} cannot be read ({reason}): give a TOML file in UTF-8."


class BadField(BadDirectory):
    """A field that is missing, unknown or of the wrong type."""

    code = "authz.directory_field"
    zh = "名录 {row} 的 {field} 有误（{reason}）：请按样例文件改正该项，未导入任何内容。"
    en = "Directory {row}: {field} is wrong ({reason}): correct it as in the sample file; nothing was loaded."


class BadIdentifier(BadDirectory):
    """An identifier with other characters than it may have."""

    code = "authz.directory_identifier"
    zh = "名录 {row} 的 id“{value}”不合规定：只能用小写字母、数字和连字符，以字母或数字开头，最长 64 位，且不能是 platform；未导入任何内容。"
    en = "Directory {row}: the id “{value}” is not allowed: use small letters, digits and hyphens, a letter or digit first, at most 64, and not “platform”; nothing was loaded."


class DuplicateRow(BadDirectory):
    """The same row twice."""

    code = "authz.directory_duplicate"
    zh = "名录 {row} 的 {field}“{value}”与前面重复：请删去或改名，未导入任何内容。"
    en = "Directory {row}: {field} “{value}” stands there twice: remove or rename one; nothing was loaded."


class UnknownReference(BadDirectory):
    """A row that names something nobody declared."""

    code = "authz.directory_reference"
    zh = "名录 {row} 的 {field} 指向不存在的“{value}”：请补上该项或更正名称，未导入任何内容。"
    en = "Directory {row}: {field} names “{value}”, which does not exist: add it or correct the name; nothing was loaded."


class TreeCycle(BadDirectory):
    """An organ above itself."""

    code = "authz.directory_cycle"
    zh = "机关 {organ} 的上级关系成环（{path}）：请更正 parent，未导入任何内容。"
    en = "Organ {organ} stands above itself ({path}): correct the parents; nothing was loaded."


class BadDivision(BadDirectory):
    """A division code that has not the form of its level."""

    code = "authz.directory_division"
    zh = "名录 {row} 的行政区划代码 division“{value}”有误：{level}应写作 {form}（GB/T 2260、GB/T 10114），未作任何更改。"
    en = "Directory {row}: division “{value}” is wrong: for a {level} it is {form} (GB/T 2260, GB/T 10114); nothing was changed."


class DivisionOutside(BadDirectory):
    """A division that does not lie within that of the organ above."""

    code = "authz.division_outside"
    zh = "名录 {row} 的行政区划代码“{value}”不在上级机关 {parent} 的行政区划“{parent_value}”之内：请更正代码或上级，未作任何更改。"
    en = "Directory {row}: division “{value}” does not lie within “{parent_value}”, that of {parent} above: correct the code or the parent; nothing was changed."


class BadUscc(BadDirectory):
    """A unified social credit code that does not check."""

    code = "authz.directory_uscc"
    zh = "名录 {row} 的统一社会信用代码 uscc“{value}”有误：应为 18 位，其校验码和所含组织机构代码的校验码都正确（GB 32100-2015、GB 11714-1997），请核对登记证书，未作任何更改。"
    en = "Directory {row}: uscc “{value}” is wrong: 18 characters are needed, with a right check digit and a right one of the organisation code inside (GB 32100-2015, GB 11714-1997); compare the registration; nothing was changed."


class BadPeriod(BadDirectory):
    """An appointment that ends before it begins."""

    code = "authz.directory_period"
    zh = "名录 {row} 的 valid_to 不晚于 valid_from：请更正任职起止时间，未导入任何内容。"
    en = "Directory {row}: valid_to is not after valid_from: correct the period; nothing was loaded."


class PowersMeet(BadDirectory):
    """Two of the three powers in one person at one time (law 4)."""

    code = "authz.powers_meet"
    zh = "{person} 自 {since} 起将同时担任“{first}”（{first_post}）和“{second}”（{second_post}）：系统管理员、安全管理员、审计员不得由一人兼任，请改派他人或错开任期；未导入任何内容。"
    en = "From {since} {person} would be both {first} ({first_post}) and {second} ({second_post}): administrator, security officer and auditor may not meet in one person; appoint somebody else or separate the periods; nothing was loaded."


class PowersMeetInPost(BadDirectory):
    """Two of the three powers in one post."""

    code = "authz.powers_meet_in_post"
    zh = "名录 {row} 把 {powers} 放在同一岗位：三员须分设岗位，请拆分；未导入任何内容。"
    en = "Directory {row} puts {powers} into one post: the three powers need posts of their own; split it; nothing was loaded."


# --- look-ups ---------------------------------------------------------------------------------------------------


class UnknownOrgan(NotFound):
    """No such organ."""

    code = "authz.unknown_organ"
    zh = "名录中没有机关 {organ}：请核对标识。"
    en = "The directory has no organ {organ}: check the identifier."


class UnknownPerson(NotFound):
    """No such person."""

    code = "authz.unknown_person"
    zh = "名录中没有人员 {person}：请核对标识。"
    en = "The directory has no person {person}: check the identifier."


class UnknownPost(NotFound):
    """No such post."""

    code = "authz.unknown_post"
    zh = "名录中没有岗位 {post}：请核对标识。"
    en = "The directory has no post {post}: check the identifier."


class UnknownAction(Invalid):
    """No module declares this action."""

    code = "authz.unknown_action"
    zh = "没有名为 {action} 的操作：请核对名称（形如 kms.sign）。"
    en = "There is no action {action}: check the name (such as kms.sign)."


class BadQuestion(Invalid):
    """A resource or context that is not as the schema declares it."""

    code = "authz.bad_question"
    zh = "对 {resource} 的 {action} 无法判定（{reason}）：请按该类对象的定义给出属性。"
    en = "{action} on {resource} cannot be decided ({reason}): give the attributes that its type declares."


# --- certificates and posts -------------------------------------------------------------------------------------


class CannotBind(Conflict):
    """A certificate for somebody who does not hold the post."""

    code = "authz.cannot_bind"
    zh = "{person} 现未担任岗位 {post}，不能把证书发给此人此岗：请先办理任职。"
    en = "{person} does not hold the post {post}, so no certificate can be bound to it: appoint first."


class AlreadyBound(Conflict):
    """A certificate that belongs to somebody else."""

    code = "authz.already_bound"
    zh = "证书 {certificate} 已绑定给 {person}：同一证书不能改绑，请另行签发。"
    en = "Certificate {certificate} is bound to {person} already: a certificate is never bound anew; issue another."


class NotBound(NotFound):
    """A certificate that belongs to nobody here."""

    code = "authz.not_bound"
    zh = "证书 {certificate} 没有绑定任何人：请核对指纹。"
    en = "Certificate {certificate} is bound to nobody: check the fingerprint."


# --- signing in -------------------------------------------------------------------------------------------------


class ChallengeUnknown(NotAuthenticated):
    """A challenge that was never given out, or long ago."""

    code = "authz.challenge_unknown"
    zh = "登录质询不存在或早已失效：请重新取得质询再签名。"
    en = "This sign-in challenge was never given out, or long ago: fetch a new one and sign that."


class ChallengeUsed(NotAuthenticated):
    """A challenge answered before: a replay."""

    code = "authz.challenge_used"
    zh = "登录质询已被使用过，本次登录被拒绝：请重新取得质询；若不是您本人重复提交，请联系安全管理员。"
    en = "This sign-in challenge was used before, so this sign-in is refused: fetch a new one; if it was not you who sent it twice, tell the security officer."


class ChallengeExpired(NotAuthenticated):
    """A challenge answered too late."""

    code = "authz.challenge_expired"
    zh = "登录质询已过期（有效 {seconds} 秒）：请重新取得质询再签名。"
    en = "This sign-in challenge has expired (it lasts {seconds} seconds): fetch a new one and sign that."


class WrongSignature(NotAuthenticated):
    """A signature that is not over this challenge at this site."""

    code = "authz.wrong_signature"
    zh = "登录签名无效：请用本人的证书对本网站（{origin}）刚发出的质询签名。"
    en = "The sign-in signature does not hold: sign the challenge just given out by this site ({origin}) with your own certificate."


class NoCertificateShown(NotAuthenticated):
    """A TLS connection without a client certificate."""

    code = "authz.no_certificate_shown"
    zh = "本次连接没有出示证书：请在浏览器或客户端中选择您的证书，或改用质询签名登录。"
    en = "This connection showed no certificate: choose yours in the browser or client, or sign a challenge instead."


class UnknownCertificate(NotAuthenticated):
    """A stranger's certificate: from elsewhere, or bound to nobody here."""

    code = "authz.unknown_certificate"
    zh = "本平台不认识证书 {certificate}：请使用本平台签发给您的证书，或请注册员办理。"
    en = "Certificate {certificate} is not known here: use the one this platform issued to you, or ask a registration officer."


class CertificateExpired(NotAuthenticated):
    """A certificate outside its validity."""

    code = "authz.certificate_expired"
    zh = "证书 {certificate} 不在有效期内：请办理换发后再登录。"
    en = "Certificate {certificate} is outside its validity: have it renewed, then sign in."


class CertificateRevoked(NotAuthenticated):
    """A certificate that was revoked or taken out of use."""

    code = "authz.certificate_revoked"
    zh = "证书 {certificate} 已被撤销或停用：请联系注册员办理新证书。"
    en = (
        "Certificate {certificate} was revoked or taken out of use: ask a registration officer for a new one."
    )


class NoAppointment(NotAuthenticated):
    """A person whose appointment to the post is not in force."""

    code = "authz.no_appointment"
    zh = "{person} 在岗位 {post} 的任职未生效或已终止：请所在机关的人事岗位核实任职。"
    en = "The appointment of {person} to {post} is not in force: have the organ's personnel post check it."


class TooManyAttempts(Unavailable):
    """More sign-ins with one certificate than a person makes."""

    code = "authz.too_many_attempts"
    status = 429
    zh = "证书 {certificate} 登录过于频繁：请一分钟后再试。"
    en = "Certificate {certificate} signs in too often: try again in a minute."


class NotSignedIn(NotAuthenticated):
    """No session has this token."""

    code = "authz.not_signed_in"
    zh = "尚未登录，或登录凭据不对：请重新登录。"
    en = "Nobody is signed in with this token: sign in again."


class SessionEnded(NotAuthenticated):
    """A session that was signed out."""

    code = "authz.session_ended"
    zh = "此登录已退出：请重新登录。"
    en = "This session was signed out: sign in again."


class SessionExpired(NotAuthenticated):
    """A session that lasted its time."""

    code = "authz.session_expired"
    zh = "此登录已满时限：请重新登录。"
    en = "This session has lasted its time: sign in again."


class SessionIdle(NotAuthenticated):
    """A session that nobody used for too long."""

    code = "authz.session_idle"
    zh = "此登录已超过 {minutes} 分钟未使用：请重新登录。"
    en = "This session was not used for {minutes} minutes: sign in again."


class UnknownSession(NotFound):
    """No open session of this identifier, or not the caller's."""

    code = "authz.unknown_session"
    zh = "没有登录 {session}，或已结束：请刷新列表后再试。"
    en = "There is no open session {session}, or it is over: look at the list again."


class SessionOfAnother(NotAuthenticated):
    """A session used over a connection that holds another certificate."""

    code = "authz.session_of_another"
    zh = "此登录属于另一张证书，本次请求被拒绝：请用当前证书重新登录。"
    en = "This session belongs to another certificate, so the request is refused: sign in with the certificate you are using."


# --- policies ---------------------------------------------------------------------------------------------------


class BadPolicies(Misconfigured):
    """Policies that cannot be put in force; the platform does not start."""

    code = "authz.bad_policies"
    zh = "授权策略 {file} 有误（{reason}），平台未启动：请更正策略文件。"
    en = "The policies in {file} are wrong ({reason}) and the platform does not start: correct the file."


class DecisionFailed(Unavailable):
    """A policy could not be evaluated: nothing is permitted."""

    code = "authz.decision_failed"
    retryable = False
    zh = "授权判定失败（{reason}），未作任何更改：请报告安全管理员。"
    en = "The authorization decision failed ({reason}) and nothing was changed: report it to the security officer."


class ReplayDiffers(Misconfigured):
    """A recorded decision that does not come out again."""

    code = "authz.replay_differs"
    zh = "重放判定与记录不符（{field}）：记录、策略或实体已被改动，请交审计员核查。"
    en = "Deciding again does not give what was recorded ({field}): the record, the policies or the entities were changed; have an auditor look."


class NothingDecided(Invalid):
    """An entry that records no decision."""

    code = "authz.nothing_decided"
    zh = "记录 {entry} 中没有授权判定，无从重放；请选择办理或拒绝类的记录。"
    en = "Entry {entry} records no decision that could be taken again; choose an act or a refusal."
