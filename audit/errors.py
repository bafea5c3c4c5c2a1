"""What the log can refuse, and what it can find wrong with itself."""

from yinxin.errors import Conflict, Misconfigured, NotFound, NotPermitted, Unavailable, YinxinError


class LogUnavailable(Unavailable):
    """The log cannot take or sign records, so no act may be done (fail closed). `reason` is an error code."""

    code = "audit.unavailable"
    zh = "审计日志暂时无法记录（{reason}），本次操作没有执行；请稍后重试，并请管理员查看 yinxin status 中的审计一项。"
    en = "The audit log cannot record ({reason}) and nothing was done; try again later, and have an operator look at audit in yinxin status."


class EntryNotFound(NotFound):
    """No entry of that identifier, in the log or on its way there."""

    code = "audit.entry_not_found"
    zh = "审计日志中没有编号为 {event} 的记录；请核对编号。"
    en = "The audit log has no entry {event}; check the identifier."


class NobodyMayAsk(NotPermitted):
    """The log was assembled without anybody who decides who may read it."""

    code = "audit.nobody_may_ask"
    zh = "本进程没有装配授权模块，任何人都不能查阅审计日志；请用完整的平台进程。"
    en = "This process was assembled without authorization, so nobody may read the log; use a whole platform process."


class NotYetSigned(Conflict):
    """The entry is recorded, but no checkpoint covers it yet."""

    code = "audit.not_yet_signed"
    retryable = True
    zh = "记录 {event} 已在日志中，但检查点尚未签发；请一秒后重试。"
    en = "Entry {event} is in the log but no signed checkpoint covers it yet; try again in a second."


class TileNotFound(NotFound):
    """A tile that the signed log does not have."""

    code = "audit.tile_not_found"
    zh = "日志没有分块 {tile}；请先取得最新的检查点。"
    en = "The log has no tile {tile}; fetch the newest checkpoint first."


class NothingSigned(NotFound):
    """The log has no checkpoint yet."""

    code = "audit.nothing_signed"
    zh = "日志还没有检查点；有了第一条记录后一秒内签发。"
    en = "The log has no checkpoint yet; one is signed within a second of the first entry."


class LogKeysMismatch(Misconfigured):
    """The keys handed in are not exactly one for each tree."""

    code = "audit.keys_mismatch"
    zh = "日志签名密钥不对：需要 {needed} 各一把，得到 {given}；请检查密钥中心中用途为 log 的密钥。"
    en = "The log's keys are wrong: one each of {needed} is needed, {given} was given; check the keys of purpose log in the key centre."


class LogRolledBack(Misconfigured):
    """The database lacks entries that the checkpoint file proves to have been there, or has others in their place."""

    code = "audit.rolled_back"
    zh = (
        "数据库中的日志与检查点文件 {file} 不符：文件证明曾有 {file_size} 条记录，数据库现有 {log_size} 条或内容不同。"
        "为防篡改，系统拒绝启动；请保全现场，按恢复规程处理，不要删除该文件。"
    )
    en = (
        "The log in the database contradicts the checkpoint file {file}: the file proves {file_size} entries, the "
        "database has {log_size} or different ones. Nothing starts until this is resolved: keep everything as it is "
        "and follow the restore procedure; do not delete the file."
    )


class CheckpointFileMissing(Misconfigured):
    """The log has signed checkpoints, but the file that guards them is gone or unreadable."""

    code = "audit.checkpoint_file_missing"
    zh = "检查点文件 {file} 不存在或已损坏（{reason}），无法排除日志被回滚；请从备份或其他节点取回该文件。"
    en = "The checkpoint file {file} is missing or damaged ({reason}), so a rollback of the log cannot be excluded; bring it back from the backup or another node."


class UnreadableRecord(YinxinError):
    """A row in the outbox that the store did not write."""

    code = "audit.unreadable_record"
    zh = "待记录的第 {number} 行不是本系统写入的内容；日志停止记录，请检查数据库权限与来源。"
    en = "Outbox row {number} was not written by this platform; the log has stopped: check who can write to the database."


class LogTampered(YinxinError):
    """A whole check of the log found the first thing that does not hold. `part` names the column or table."""

    code = "audit.tampered"
    exit = 65
    zh = "日志第 {index} 条记录不可信：{part} 与重新计算的结果不符。请保全数据库与检查点文件，并按安全事件处理。"
    en = "Entry {index} of the log does not hold: {part} differs from what was recomputed. Keep database and checkpoint file as they are, and treat this as an incident."


class CheckpointBroken(YinxinError):
    """A stored checkpoint is not one this log signed, or commits to other entries than the log has.

    `held` is the size of the last checkpoint that does hold: what was changed lies between the two.
    """

    code = "audit.checkpoint_broken"
    exit = 65
    zh = "规模为 {size} 的检查点与日志不符（{reason}）；前 {held} 条记录无误。请保全数据库与检查点文件，并按安全事件处理。"
    en = "The checkpoint of size {size} contradicts the log ({reason}); the first {held} entries hold. Keep database and checkpoint file as they are, and treat this as an incident."
