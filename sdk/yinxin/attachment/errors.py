"""What attachments can refuse."""

from yinxin.errors import Conflict, Invalid, NotFound, Unavailable, Untrue


class NoSuchUpload(NotFound):
    """No such upload of this person's."""

    code = "attachment.no_such_upload"
    zh = "没有您的上传 {upload}，或者它已过期；请重新上传文件。"
    en = "There is no upload {upload} of yours, or it has lapsed; send the file again."


class NoSuchAttachment(NotFound):
    """No such file at this object."""

    code = "attachment.no_such_attachment"
    zh = "{subject} 没有附件 {attachment}；请刷新后再看。"
    en = "{subject} has no attachment {attachment}; reload it and look again."


class FileLarger(Invalid):
    """A file above the limit; refused before an octet of it is taken."""

    code = "attachment.file_larger"
    status = 413
    zh = "文件“{name}”有 {size} 字节，超过 {limit} 字节的上限；请压缩或拆分后再传。"
    en = "File “{name}” has {size} octets, above the limit of {limit}; compress or split it."


class KindNotTaken(Invalid):
    """A name whose ending says nothing that is taken."""

    code = "attachment.kind_not_taken"
    zh = "不接受“{name}”这类文件；可接受的扩展名有 {known}。"
    en = "Files like “{name}” are not taken; the endings that are: {known}."


class NameNotTaken(Invalid):
    """A name that would be shown as another, or lead out of a folder."""

    code = "attachment.name_not_taken"
    zh = "文件名“{name}”过长，或含有路径分隔符、控制字符或改变文字方向的字符；请改名后再传。"
    en = "The file name “{name}” is too long, or has a path separator, a control character or one that turns the direction of writing; rename the file."


class NotWhatItSays(Untrue):
    """The content is not of the kind that the name's ending says."""

    code = "attachment.not_what_it_says"
    zh = "文件“{name}”的内容不是 {kind}；请核对扩展名，或用原来的程序另存后再传。"
    en = "The content of file “{name}” is not {kind}; check the ending, or save it anew with the program it comes from."


class DigestDiffers(Untrue):
    """What arrived is not what its sender declared; it was thrown away."""

    code = "attachment.digest_differs"
    zh = "收到的文件“{name}”与所声明的 {algorithm} 摘要不符，已丢弃；请重新上传。"
    en = "File “{name}” as it arrived does not have the {algorithm} digest that was declared, and was thrown away; send it again."


class WrongOffset(Conflict):
    """A part that does not begin where the last one ended."""

    code = "attachment.wrong_offset"
    zh = "上传 {upload} 已收到 {received} 字节，下一部分应从这里开始；请从该位置续传。"
    en = "Of upload {upload} {received} octets have arrived, and the next part begins there; go on from that place."


class PartLarger(Invalid):
    """A part above the limit, or more octets than the file was said to have."""

    code = "attachment.part_larger"
    status = 413
    zh = "上传 {upload} 的这一部分超过还可接收的 {limit} 字节；请按答复中的 part 分段。"
    en = "This part of upload {upload} has more than the {limit} octets that are still taken; divide as the answer's `part` says."


class Incomplete(Conflict):
    """Completed before the whole has arrived."""

    code = "attachment.incomplete"
    zh = "上传 {upload} 只收到 {received} 字节，共 {size} 字节；请续传完再确认。"
    en = "Of upload {upload} only {received} of {size} octets have arrived; send the rest first."


class UploadBusy(Conflict):
    """Two parts of one upload at once."""

    code = "attachment.upload_busy"
    retryable = True
    zh = "上传 {upload} 的另一部分正在接收；请稍后再传。"
    en = "Another part of upload {upload} is being taken; send this one a little later."


class TooMuchWaiting(Conflict):
    """More octets in uploads that belong to nothing yet than one person may have."""

    code = "attachment.too_much_waiting"
    zh = "您已上传而尚未附到任何对象的文件共 {waiting} 字节，上限为 {limit} 字节；请先附上或等它们过期。"
    en = "Your uploads that belong to nothing yet have {waiting} octets, and {limit} is the limit; attach them, or wait until they lapse."


class NameTaken(Conflict):
    """Another file of the same name."""

    code = "attachment.name_taken"
    zh = "{subject} 已有名为“{name}”的附件；请改名后再附。"
    en = "{subject} has an attachment named “{name}” already; rename the file."


class TooMany(Conflict):
    """As many files as an object may have."""

    code = "attachment.too_many"
    zh = "{subject} 已有 {limit} 个附件，不能再加；请合并后再附。"
    en = "{subject} has {limit} attachments and takes no more; put several into one file."


class ContentMissing(Unavailable):
    """A file that is on record and not in the store: a loss that an operator must mend from the backup."""

    code = "attachment.content_missing"
    retryable = False
    zh = "附件“{name}”（SHA-256 {sha256}）的内容不在存储中；请管理员从备份恢复附件目录。"
    en = "The content of attachment “{name}” (SHA-256 {sha256}) is not in the store; have an operator restore the folder of attachments from the backup."
