"""What keeping and renewing can refuse, and what can be wrong with a proof that is kept."""

from yinxin.errors import Conflict, Invalid, NotFound, Unavailable, YinxinError


class RenewalUnderWay(Conflict):
    """Another process renews."""

    code = "audit.renewal_under_way"
    retryable = True
    zh = "另一个进程正在续期，请稍后重试。"
    en = "Another process is renewing; try again later."


class NoYoungerTimestamp(Unavailable):
    """No timestamp authority gives a token that lasts longer than what is to be renewed. `tried` names the suites."""

    code = "audit.no_younger_timestamp"
    zh = "没有时间戳服务能给出更耐久的时间戳（试过：{tried}），{count} 件证明没有续期；请先为时间戳服务换发证书，或启用新算法的签发机构。"
    en = "No timestamp authority gives a token that lasts longer (tried: {tried}), so {count} proofs were not renewed; renew the authority's certificate, or found one with younger algorithms, first."


class NoRecord(NotFound):
    """Nothing of that kind and name has an evidence record."""

    code = "audit.no_record"
    zh = "没有 {kind} {name} 的证据记录；请用 yinxin audit archive list 或 yinxin audit kept 核对名称，检查点写作 sha256/规模。"
    en = "There is no evidence record of {kind} {name}; check the name with yinxin audit archive list or yinxin audit kept. A checkpoint is written sha256/SIZE."


class NotYetStamped(NoRecord):
    """It is there, and its first timestamp is still to be made."""

    code = "audit.not_yet_stamped"
    zh = "{kind} {name} 尚未盖上第一个时间戳，还没有证据记录；后台任务会自动办理；急需时请审计员或管理员执行 yinxin audit renew。"
    en = "{kind} {name} has no first timestamp yet, so no evidence record; the job makes it by itself; where it is urgent, have an auditor or administrator run yinxin audit renew."


class NotEvidence(Invalid):
    """A file that is no bundle of evidence was to be kept as one."""

    code = "audit.not_evidence"
    zh = "这不是证据包（{reason}），不予保管；请交付由本平台导出的 .asice 文件，先用 yinxin verify 核验。"
    en = "This is no bundle of evidence ({reason}) and is not kept; give an .asice file as it was exported, and check it with yinxin verify first."


class KeptFileLost(Unavailable):
    """A file in keeping is not where it was put, or is another."""

    code = "audit.kept_file_lost"
    zh = "保管的文件 {file} 不在原处或已被改动；请从备份取回，或用 --look-in 指明它现在所在的目录。"
    en = "The kept file {file} is gone or was changed; bring it back from a backup, or name its folder with --look-in."


class RenewalBroken(YinxinError):
    """A stored evidence record is not one of what it stands for."""

    code = "audit.renewal_broken"
    exit = 65
    zh = "{kind} {name} 的证据记录不成立（{reason}）；请保全数据库，并按安全事件处理。"
    en = "The evidence record of {kind} {name} does not hold ({reason}); keep the database as it is, and treat this as an incident."
