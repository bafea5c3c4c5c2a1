"""What the log can refuse, and what it can find wrong with itself."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotFound, NotPermitted, Unavailable, YinxinError


class LogUnavailable(Unavailable):
    """The log cannot take or sign records, so no act may be done (fail closed). `reason` is an error code."""

    code = "audit.unavailable"
    zh = "审计日志暂时无法记录（{reason}），本次操作没有执行；请稍后重试，并请管理员查看 yinxin status 中的审计一项。"
    en = "The audit log cannot record ({reason}) and nothing was done; try again later, and have an operator look at audit in yinxin status."


class LogStopped(LogUnavailable):
    """The same, for a reason that does not pass by itself: a key is gone, a PIN is refused. No caller need try again."""

    code = "audit.stopped"
    exit = 78
    retryable = False
    zh = "审计日志无法记录（{reason}），在管理员排除该原因之前不能办理任何操作，重试无用；本次操作没有执行。请管理员查看 yinxin status。"
    en = "The audit log cannot record ({reason}), and until an operator has mended that nothing can be done and trying again does not help; nothing was done. Have an operator look at yinxin status."


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


class NoCheckpointThen(NotFound):
    """No checkpoint, with a quorum where a policy asks for one, bounds the time on one side."""

    code = "audit.no_checkpoint_then"
    zh = "没有可用的检查点来界定 {when}（{reason}）；起始时间早于首个检查点的，请改晚；刚过截止时间的，请待见证方联署后重试。"
    en = "There is no checkpoint that bounds {when} ({reason}); choose a later begin if it is before the first checkpoint, or try again when the witnesses have cosigned if the end has only just passed."


class NoStamp(NotFound):
    """A checkpoint without a timestamp."""

    code = "audit.no_stamp"
    zh = "规模为 {size} 的检查点没有时间戳；每小时盖一次。"
    en = "The checkpoint of size {size} has no timestamp; one is made every hour."


class TimeReversed(Invalid):
    """A time that ends before it begins."""

    code = "audit.time_reversed"
    zh = "止（{until}）早于起（{since}）；请更正。"
    en = "The end ({until}) is before the begin ({since}); correct them."


class StretchTooLong(Invalid):
    """More entries than one file takes."""

    code = "audit.stretch_too_long"
    zh = "这段时间有 {count} 条记录，一份证明最多 {most} 条；请缩短时间。"
    en = "There are {count} entries in that time, and one proof takes {most} at most; ask for a shorter time."


class StretchOfTenant(NotPermitted):
    """A stretch in which something was done for a tenant: the proof would show it, and it is nobody else's to see."""

    code = "audit.stretch_of_tenant"
    zh = (
        "这段时间内有租户的记录，证明会一并展示，因此不能出具；请缩短时间，避开租户的记录，或由租户参与办理。"
    )
    en = "Something was done for a tenant in that time, and the proof would show it; ask for a shorter time without any, or with the tenant."


class VerbUnknown(Invalid):
    """A verb, or a module, that no part of the platform records and no entry has."""

    code = "audit.verb_unknown"
    zh = "没有“{verb}”这种操作{near}；按写错的名称只会“证明”什么都没有发生，请更正。"
    en = "There is no act {verb}{near}. By a misspelt name it would be proved that nothing was ever done: correct it."


class KindUnknown(Invalid):
    """A subject of a kind that nothing is of, and that no entry names."""

    code = "audit.kind_unknown"
    zh = "对象“{subject}”的类别“{kind}”不存在{near}；对象先写类别，再写半角冒号和编号，如 document:01k…，请更正。"
    en = "There is no kind {kind} as in the subject {subject}{near}. A subject is written kind:identifier, such as document:01k…: correct it."


class ActorUnknown(Invalid):
    """An actor whom the directory does not know and who is in no entry."""

    code = "audit.actor_unknown"
    zh = "名录和日志中都没有操作人“{actor}”；请核对编号。确指此人（只有证书、或已被删除）的，请加 --anybody（接口为 anybody=true）。"
    en = "Neither the directory nor the log knows an actor {actor}; check the identifier. If it is meant all the same (known by a certificate alone, or erased), add --anybody (anybody=true over HTTP)."


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


class OpeningBroken(YinxinError):
    """What stands beside an entry is not what it commits to, or is not there and no erasure in the log accounts for that."""

    code = "audit.opening_broken"
    exit = 65
    zh = "日志第 {index} 条记录的个人信息“{field}”不可信：{reason}。请保全数据库，并按安全事件处理。"
    en = "The personal field {field} of entry {index} does not hold: {reason}. Keep the database as it is, and treat this as an incident."


class StateBroken(YinxinError):
    """A row of a table is not what the log says was decided or done, or one that the log has is not there.

    `table` and `row` say which, `reason` what is wrong with it.
    """

    code = "audit.state_broken"
    exit = 65
    zh = "表“{table}”中的 {row} 与日志不符：{reason}。请保全数据库，并按安全事件处理。"
    en = "{row} in {table} is not what the log has: {reason}. Keep the database as it is, and treat this as an incident."


class RecordsMissing(YinxinError):
    """Numbers that sources gave their records do not follow each other: a record that was committed never reached the log, or one was put in."""

    code = "audit.records_missing"
    exit = 65
    zh = "记录编号不连续，有记录未进入日志或被塞入：{faults}。日志中已有的记录均无误；请保全数据库，并按安全事件处理。"
    en = "The numbers of the records do not follow each other, so something never reached the log or was put in: {faults}. What is in the log holds; keep the database as it is, and treat this as an incident."


class StampBroken(YinxinError):
    """A stored timestamp token is not over the checkpoint it stands for."""

    code = "audit.stamp_broken"
    exit = 65
    zh = "{tree} 日志规模 {size} 的检查点的时间戳与其不符；请保全数据库，并按安全事件处理。"
    en = "The timestamp of the checkpoint of size {size} ({tree}) is not over it; keep the database as it is, and treat this as an incident."


class CheckpointBroken(YinxinError):
    """A stored checkpoint is not one this log signed, or commits to other entries than the log has.

    `held` is the size of the last checkpoint that does hold: what was changed lies between the two.
    """

    code = "audit.checkpoint_broken"
    exit = 65
    zh = "规模为 {size} 的检查点与日志不符（{reason}）；前 {held} 条记录无误。请保全数据库与检查点文件，并按安全事件处理。"
    en = "The checkpoint of size {size} contradicts the log ({reason}); the first {held} entries hold. Keep database and checkpoint file as they are, and treat this as an incident."
