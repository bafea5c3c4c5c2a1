"""What archives can refuse, and what can be wrong with one."""

from yinxin.errors import Conflict, Invalid, NotFound, Unavailable, YinxinError


class EntrySealed(NotFound):
    """The entry stands in an archive; the log keeps its hashes."""

    code = "audit.entry_sealed"
    status = 410
    zh = "记录 {event} 已过保存期，内容在归档 {archive} 中；请用 yinxin audit archive prove 从归档文件取出。"
    en = "Entry {event} is past its period and stands in the archive {archive}; take it out of that file with yinxin audit archive prove."


class NothingDue(NotFound):
    """No entry is past its period, signed, indexed and acknowledged by every receiver."""

    code = "audit.nothing_due"
    zh = "没有可归档的记录：都未过保存期，或尚未签入检查点、建立索引、由各接收端确认。"
    en = "No entry can be archived: none is past its period, or those that are wait for a checkpoint, the index or a receiver's acknowledgement."


class ArchiveUnderWay(Conflict):
    """Another process makes an archive."""

    code = "audit.archive_under_way"
    retryable = True
    zh = "另一个进程正在归档，请稍后重试。"
    en = "Another process is making an archive; try again later."


class ArchiveNotWritten(Unavailable):
    """The file could not be written, or was not the same when it was read back; nothing left the log."""

    code = "audit.archive_not_written"
    zh = "归档文件 {file} 没有写好（{reason}），日志未作任何更改；请检查目录、权限和磁盘空间。"
    en = "The archive file {file} was not written ({reason}) and the log is unchanged; check the folder, its rights and the disk's room."


class BadArchive(Invalid):
    """A file that is no archive, or one in which something does not hold. `part` says where."""

    code = "audit.bad_archive"
    zh = "归档文件不成立：{part}。请从另一份副本取回，并按安全事件处理。"
    en = "The archive does not hold: {part}. Take it from another copy, and treat this as an incident."


class ArchiveBroken(YinxinError):
    """An archive that the log names is not one it sealed, or seals other entries than the log has. `part` says which."""

    code = "audit.archive_broken"
    exit = 65
    zh = "日志中归档 {archive} 的封存记录不可信（{part}）。请保全数据库与归档文件，并按安全事件处理。"
    en = "The log's own seal of the archive {archive} does not hold ({part}). Keep database and archives as they are, and treat this as an incident."


class NotInArchive(NotFound):
    """No entry of that identifier stands in the file."""

    code = "audit.not_in_archive"
    zh = "归档 {archive} 中没有记录 {event}；请用 yinxin audit archive list 查看它在哪个归档。"
    en = "The archive {archive} has no entry {event}; yinxin audit archive list tells which has."
