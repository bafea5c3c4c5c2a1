"""What can be wrong with copies outward. None of it stops an act."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotFound, Unavailable, YinxinError


class ReceiverUnreachable(Unavailable):
    """No connection, or one that broke. `reason` is the name of the fault."""

    code = "audit.receiver_unreachable"
    zh = "审计副本接收端 {receiver} 连不上或连接中断（{reason}）；副本会从断点继续发送，请检查网络与接收端。"
    en = "The receiver of audit copies {receiver} cannot be reached, or hung up ({reason}); copies will go on from where they stopped: check the network and the receiver."


class ReceiverRefused(Unavailable):
    """The handshake failed: on its side, or because it could not prove what we ask of it."""

    code = "audit.receiver_refused"
    zh = "与审计副本接收端 {receiver} 的握手失败（{reason}）；请核对共享密钥、用户名和证书。"
    en = "The handshake with the receiver of audit copies {receiver} failed ({reason}); check the shared key, the user and the certificates."


class NotAcknowledged(Unavailable):
    """A batch was sent, and no acknowledgement of it came."""

    code = "audit.not_acknowledged"
    zh = "审计副本接收端 {receiver} 没有确认收到第 {first} 条起的一批；这一批会重发。"
    en = "The receiver of audit copies {receiver} did not acknowledge the batch that begins at entry {first}; it will be sent again."


class ReceiverSecretUnreadable(Misconfigured):
    """A file with a key, a password or a certificate for a receiver cannot be used."""

    code = "audit.receiver_secret_unreadable"
    zh = "审计副本接收端 {receiver} 的文件 {file} 无法使用（{reason}）；请检查路径、权限和内容。"
    en = "File {file} for the receiver of audit copies {receiver} cannot be used ({reason}); check its path, rights and content."


class UnknownReceiver(NotFound):
    """No receiver of that name is configured."""

    code = "audit.unknown_receiver"
    zh = "没有名为 {receiver} 的审计副本接收端；配置中有：{known}。"
    en = "There is no receiver of audit copies named {receiver}; configured are: {known}."


class UnreadableReport(Invalid):
    """A line of a receiver's file that is none of the forms we read."""

    code = "audit.unreadable_report"
    zh = "接收端文件第 {line} 行无法识别；每行应是一条收到的记录（JSON，可带时间和标签），或一个区间 first 与 last。"
    en = "Line {line} of the receiver's file cannot be read; each line is a received record (JSON, after time and tag if they are there), or a range with first and last."


class CopiesDiffer(YinxinError):
    """What a receiver acknowledged is not what the log holds, or not what the receiver has. `first` is the first such entry."""

    code = "audit.copies_differ"
    exit = 65
    zh = "接收端 {receiver} 的副本与日志不符：缺 {missing} 条，不同 {altered} 条，最早是第 {first} 条；缺失的可加 --resend 重发，不同的请按安全事件处理。"
    en = "The copies of receiver {receiver} do not agree with the log: {missing} are missing, {altered} are different, the first is entry {first}; missing ones are sent again with --resend, different ones are an incident."


class LeaseLost(Conflict):
    """Another process sends to this receiver now; it goes on from the same cursor."""

    code = "audit.forward_lease_lost"
    retryable = True
    zh = "另一个进程正在向接收端 {receiver} 发送审计副本。"
    en = "Another process is sending copies to receiver {receiver}."
