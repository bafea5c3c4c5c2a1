"""What goes wrong with receivers."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotFound, Unavailable


class BadReceiver(Invalid):
    """A registration that is refused; nothing was registered."""

    code = "authz.scim_bad_receiver"
    zh = "接收系统的 {field} 有误（{reason}）：请更正后重新登记，未作任何更改。"
    en = "The receiver's {field} is wrong ({reason}): correct it and register again; nothing was changed."


class ReceiverTaken(Conflict):
    """An identifier that was given out before."""

    code = "authz.scim_receiver_taken"
    zh = "接收系统标识 {receiver} 已用过：标识不重复使用，请另取一个。"
    en = "The receiver identifier {receiver} was used before: identifiers are never used twice; choose another."


class UnknownReceiver(NotFound):
    """No such receiver, or one that was ended."""

    code = "authz.scim_unknown_receiver"
    zh = "没有登记接收系统 {receiver}，或已停用：请用 yinxin authz scim receiver list 核对。"
    en = "No receiver {receiver} is registered, or it was ended: look at yinxin authz scim receiver list."


class BadSecretFile(Misconfigured):
    """A file of a secret that is not there, or that others could have read."""

    code = "authz.scim_bad_secret_file"
    zh = "口令文件 {file} 不可用（{reason}）：须是本服务属主、权限 0600 的普通文件，内容为一行文字。"
    en = "The secret's file {file} cannot be used ({reason}): a regular file of this service's user, mode 0600, with one line of text."


class ReceiverUnreachable(Unavailable):
    """A receiver that does not answer, or not as SCIM says."""

    code = "authz.scim_receiver_unreachable"
    zh = "接收系统 {receiver} 没有应答或应答有误（{reason}）：将自动重试。"
    en = "The receiver {receiver} does not answer, or not as it must ({reason}): it is tried again by itself."
    #: seconds after which the receiver wants to be asked again, if it said so
    after: int | None = None


class ReceiverRefused(Conflict):
    """A receiver that does not take one thing."""

    code = "authz.scim_receiver_refused"
    zh = "接收系统 {receiver} 拒绝了该内容（{reason}）：请与其管理员核对，将自动重试。"
    en = "The receiver {receiver} refused it ({reason}): see its administrator; it is tried again by itself."


class TooManyLeave(Conflict):
    """Very many would be deactivated at a receiver at once."""

    code = "authz.scim_too_many_leave"
    zh = "将有 {count} 个人员或岗位在接收系统 {receiver} 停用，超过 authz.scim.leaving_most，未发送任何内容：请核对机构、策略和范围；确属应当，请用 yinxin authz scim push {receiver} --confirm。"
    en = "{count} people or posts would leave the receiver {receiver}, more than authz.scim.leaving_most, so nothing was sent: look at organs, policies and scopes; if it is right, use yinxin authz scim push {receiver} --confirm."
