"""What a witness refuses, and what witnesses can find wrong with this site's log."""

from yinxin.errors import (
    Conflict,
    Invalid,
    Misconfigured,
    NotFound,
    NotPermitted,
    Unavailable,
    Untrue,
    YinxinError,
)


class LogNotWitnessed(NotFound):
    """A checkpoint of a log that this witness was not asked to watch."""

    code = "audit.log_not_witnessed"
    zh = "本见证方没有登记日志 {origin}；请先由双方办理登记（提案 audit.witness-log）。"
    en = (
        "This witness does not watch the log {origin}; have it registered first (proposal audit.witness-log)."
    )


class NotSignedByLog(NotPermitted):
    """A checkpoint without a good signature by a registered key of its log."""

    code = "audit.not_signed_by_log"
    zh = "检查点没有日志 {origin} 已登记公钥的有效签名；请核对日志公钥。"
    en = "The checkpoint has no good signature by a registered key of the log {origin}; check the log's key."


class SizeMoved(Conflict):
    """The size that the log believes to be the last cosigned is another one; `size` is what this witness holds."""

    code = "audit.size_moved"
    retryable = True
    zh = "本见证方最近一次为该日志联署的规模是 {size}；请从该规模重新提交一致性证明。"
    en = "This witness last cosigned that log at size {size}; submit a consistency proof from there."


class NotContinued(Untrue):
    """A checkpoint that is not proved to continue the one cosigned last. It is never cosigned."""

    code = "audit.not_continued"
    zh = "规模为 {size} 的检查点没有被证明是此前联署的 {held} 条的延续，不予联署；日志可能已分叉。"
    en = "The checkpoint of size {size} is not proved to continue the {held} entries cosigned before, so it is not cosigned; the log may have forked."


class NeverCosigned(NotFound):
    """No checkpoint of that log was ever cosigned here."""

    code = "audit.never_cosigned"
    zh = "本见证方从未联署过该日志的检查点。"
    en = "This witness has never cosigned a checkpoint of that log."


class WitnessRolledBack(Unavailable):
    """The witness's database is behind its own memory; cosigning now could cosign a fork."""

    code = "audit.witness_rolled_back"
    zh = "见证数据库落后于文件 {file} 所记（{remembered} > {held}），可能被回滚，暂停为 {origin} 联署；请按恢复规程处理，不要删除该文件。"
    en = "The witness's database is behind what the file {file} remembers ({remembered} > {held}), so nothing of {origin} is cosigned; follow the restore procedure and do not delete the file."


class WitnessClockBehind(Unavailable):
    """The clock is behind the last cosignature; one dated earlier would say something untrue of a larger tree."""

    code = "audit.witness_clock_behind"
    retryable = True
    zh = "本机时钟落后于上一次为 {origin} 联署的时间 {at}，暂不联署；请校准时钟。"
    en = "The clock is behind the last cosignature for {origin}, made at {at}, so nothing is cosigned; set the clock right."


class LogContradicted(YinxinError):
    """A witness refused to cosign, because it has seen another history of this log."""

    code = "audit.contradicted"
    exit = 65
    zh = "见证方 {witness} 拒绝联署：{finding}。请保全数据库与检查点文件，并按安全事件处理。"
    en = "The witness {witness} refused to cosign: {finding}. Keep database and checkpoint file as they are, and treat this as an incident."


class CosignatureBroken(YinxinError):
    """A stored cosignature is not what that witness signed over the stored checkpoint."""

    code = "audit.cosignature_broken"
    exit = 65
    zh = "规模 {size} 的检查点上 {witness} 的联署无效或来历不明；请保全数据库，并按安全事件处理。"
    en = "The cosignature of {witness} on the checkpoint of size {size} does not hold or is by nobody known; keep the database as it is, and treat this as an incident."


class NoQuorum(NotFound):
    """No witness policy is in force for the tree."""

    code = "audit.no_policy"
    zh = "套件 {suite} 还没有见证规则；请用提案 audit.set-quorum 设定。"
    en = "There is no witness policy for the suite {suite} yet; set one with the proposal audit.set-quorum."


class UnknownWitness(NotFound):
    """A witness that the policy in force does not name."""

    code = "audit.unknown_witness"
    zh = "见证规则中没有 {witness}；请核对名称（yinxin audit witness show）。"
    en = "The witness policy names no {witness}; check the name (yinxin audit witness show)."


class BadWitnessing(Invalid):
    """A proposal about witnesses that could not work."""

    code = "audit.bad_witnessing"
    zh = "{field} 不能采用：{reason}。"
    en = "{field} cannot be used: {reason}."


class NothingToTake(Invalid):
    """A witness's answer that holds no cosignature of a witness known here over a checkpoint known here."""

    code = "audit.nothing_to_take"
    zh = "文件中没有可采用的联署（{reason}）；请核对是否为本日志的答复。"
    en = "The file holds no cosignature that can be used ({reason}); check that it answers this log."


class TooMuchForCode(Invalid):
    """More octets than one QR code holds."""

    code = "audit.too_much_for_code"
    zh = "内容有 {size} 字节，一个二维码放不下；请用文件传递。"
    en = "{size} octets do not fit one QR code; carry the file instead."


class NoHttp(Misconfigured):
    """Witnesses have addresses, but this process was assembled without a way out."""

    code = "audit.no_http"
    zh = "本进程没有对外连接的能力，无法联系见证方；请用完整的平台进程，或用文件交换。"
    en = "This process was assembled without a way out, so it cannot ask witnesses; use a whole platform process, or exchange files."
