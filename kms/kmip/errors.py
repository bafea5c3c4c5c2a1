"""What KMIP's face refuses: to systems, in the protocol's own reasons, and to officers who look after them."""

from typing import ClassVar

from kms.kmip.words import Reason
from yinxin.errors import (
    Conflict,
    Invalid,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    YinxinError,
)


class KmipRefusal(YinxinError):
    """A branch: what stands in a KMIP answer with its reason (KMIP 1.2, 11)."""

    reason: ClassVar[Reason] = Reason.GENERAL_FAILURE


class KmipInvalidMessage(KmipRefusal, Invalid):
    """The octets are no message, or not one of this version."""

    code = "kms.kmip_invalid_message"
    reason = Reason.INVALID_MESSAGE
    zh = "不是有效的 KMIP 消息（{reason}）：请核对客户端的协议版本与实现。"
    en = "This is no KMIP message that can be read ({reason}): check the client's version of the protocol."


class KmipMissingData(KmipRefusal, Invalid):
    """A field that the operation needs is not there."""

    code = "kms.kmip_missing_data"
    reason = Reason.MISSING_DATA
    zh = "KMIP 请求缺少 {field}：请补充后重试。"
    en = "The KMIP request has no {field}: give it and try again."


class KmipInvalidField(KmipRefusal, Invalid):
    """A field has a value that is not allowed."""

    code = "kms.kmip_invalid_field"
    reason = Reason.INVALID_FIELD
    zh = "KMIP 请求的 {field} 不合规定（{rule}）：请更正后重试。"
    en = "The KMIP request's {field} is not allowed ({rule}): correct it and try again."


class KmipOperationUnknown(KmipRefusal, Invalid):
    """The operation is not offered here."""

    code = "kms.kmip_operation_not_supported"
    reason = Reason.OPERATION_NOT_SUPPORTED
    zh = "本平台不提供 KMIP 操作 {operation}：可用 Query 查看支持的操作。"
    en = "The KMIP operation {operation} is not offered: Query tells which are."


class KmipFeatureUnknown(KmipRefusal, Invalid):
    """Something of the protocol that is not offered here."""

    code = "kms.kmip_feature_not_supported"
    reason = Reason.FEATURE_NOT_SUPPORTED
    zh = "本平台不支持 {feature}：请按手册中的支持范围调整客户端。"
    en = "{feature} is not offered: set the client up for what the manual lists."


class KmipFormUnknown(KmipRefusal, Invalid):
    """The key is not kept in the format that is asked for, or brought in one that is not kept."""

    code = "kms.kmip_format_not_supported"
    reason = Reason.KEY_FORMAT_TYPE_NOT_SUPPORTED
    zh = "不支持密钥格式 {form}：请改用 {kept}。"
    en = "The key format {form} is not supported: use {kept}."


class KmipObjectUnknown(KmipRefusal, NotFound):
    """No such object, or not this client's."""

    code = "kms.kmip_object_unknown"
    reason = Reason.ITEM_NOT_FOUND
    zh = "没有编号 {object} 的 KMIP 对象，或不属于该客户端：请核对编号。"
    en = "There is no KMIP object {object} of this client: check the identifier."


class KmipAttributeUnknown(KmipRefusal, NotFound):
    """The object has no such attribute."""

    code = "kms.kmip_attribute_unknown"
    reason = Reason.ITEM_NOT_FOUND
    zh = "对象没有属性 {attribute}：请用 Get Attribute List 查看。"
    en = "The object has no attribute {attribute}: Get Attribute List tells which it has."


class KmipIndexUnknown(KmipRefusal, NotFound):
    """The attribute has no instance of this index."""

    code = "kms.kmip_index_unknown"
    reason = Reason.INDEX_OUT_OF_BOUNDS
    zh = "属性 {attribute} 没有序号 {index}：请用 Get Attributes 查看。"
    en = "The attribute {attribute} has no index {index}: Get Attributes tells which it has."


class KmipAttributeFixed(KmipRefusal, NotPermitted):
    """The attribute is not the client's to change, or not now."""

    code = "kms.kmip_attribute_fixed"
    reason = Reason.PERMISSION_DENIED
    zh = "对象处于 {state} 状态时，客户端不能变更属性 {attribute}：请保持原值，或另建对象。"
    en = "The attribute {attribute} is not for the client to change while the object is {state}: leave it as it is, or make another object."


class KmipWrongState(KmipRefusal, Conflict):
    """The object's state does not allow it."""

    code = "kms.kmip_wrong_state"
    reason = Reason.PERMISSION_DENIED
    zh = "对象 {object} 处于 {state} 状态，不能执行 {operation}：请先按状态顺序操作。"
    en = "The object {object} is {state}, and {operation} is not for that state: follow the order of states."


class KmipIllegalOperation(KmipRefusal, Conflict):
    """The operation makes no sense for the object."""

    code = "kms.kmip_illegal_operation"
    reason = Reason.ILLEGAL_OPERATION
    zh = "对象 {object} 不能执行 {operation}（{rule}）：请换用适合的对象。"
    en = "{operation} is not for the object {object} ({rule}): name one that it is for."


class KmipNameTaken(KmipRefusal, Conflict):
    """Another object of the client has this name."""

    code = "kms.kmip_name_taken"
    reason = Reason.INVALID_FIELD
    zh = "该客户端已有名为 {name} 的对象：请换一个名称，或使用已有的对象。"
    en = "The client has an object named {name} already: choose another name, or use that object."


class KmipTooManyObjects(KmipRefusal, Conflict):
    """The client keeps as many objects as one may. The protocol has no reason of its own for it before version 1.4."""

    code = "kms.kmip_too_many_objects"
    reason = Reason.PERMISSION_DENIED
    zh = "该客户端存放的密钥和秘密已达上限 {most} 个：请销毁不再需要的对象（清除后才不再计数），或请管理员调高 kms.kmip.objects。"
    en = "The client keeps {most} keys and secrets, as many as it may: destroy what is not needed any more (it counts until it is overwritten), or have kms.kmip.objects raised."


class KmipAnswerTooLarge(KmipRefusal, Invalid):
    """The answer is larger than the client, or this server, allows."""

    code = "kms.kmip_answer_too_large"
    reason = Reason.RESPONSE_TOO_LARGE
    zh = "应答超过 {most} 字节：请放宽 Maximum Response Size，或缩小查询范围。"
    en = "The answer has more than {most} octets: raise the Maximum Response Size, or ask for less."


class KmipNotAdmitted(KmipRefusal, NotAuthenticated):
    """The certificate that was shown is no registered client's, or cannot be trusted now."""

    code = "kms.kmip_not_admitted"
    reason = Reason.AUTHENTICATION_NOT_SUCCESSFUL
    zh = "KMIP 连接被拒绝（{subject}：{reason}）：请由安全管理员用 yinxin kms kmip 登记该系统的有效证书。"
    en = "The KMIP connection was refused ({subject}: {reason}): have a security officer register the system's certificate with yinxin kms kmip."


# --- told to officers --------------------------------------------------------------------------------------------


class KmipClientUnknown(NotFound):
    """No client has this identifier."""

    code = "kms.kmip_client_unknown"
    zh = "没有标识为 {client} 的 KMIP 客户端：可用 yinxin kms kmip list 查看。"
    en = "There is no KMIP client {client}: yinxin kms kmip list tells which there are."


class KmipClientTaken(Conflict):
    """The identifier stands for another client, perhaps one that was ended."""

    code = "kms.kmip_client_taken"
    zh = "标识 {client} 已用于一个 KMIP 客户端（终止后也不再用）：请换一个标识。"
    en = "The identifier {client} is a KMIP client's, and is not given twice: choose another."


class KmipClientEnded(Conflict):
    """The client's registration is over."""

    code = "kms.kmip_client_ended"
    zh = "KMIP 客户端 {client} 的登记已终止：请用新标识重新登记。"
    en = "The registration of the KMIP client {client} has ended: register it anew under another identifier."


class KmipCertificateTaken(Conflict):
    """The certificate is a registered client's already."""

    code = "kms.kmip_certificate_taken"
    zh = "该证书已登记给 KMIP 客户端 {client}：每个系统请使用自己的证书。"
    en = "The certificate is that of the KMIP client {client} already: each system has one of its own."


class BadKmipClient(Invalid):
    """A client was to be registered with a field that is not allowed."""

    code = "kms.bad_kmip_client"
    zh = "KMIP 客户端的 {field} 不合规定（{reason}）：请更正后重试。"
    en = "The KMIP client's {field} is not allowed ({reason}): correct it and try again."


class KmipNothingToRecover(Conflict):
    """The object is not destroyed, or its material has been overwritten."""

    code = "kms.kmip_nothing_to_recover"
    zh = "KMIP 对象 {object} 没有可恢复的密钥（未销毁，或已清除）：请用 yinxin kms kmip objects 查看可恢复至何时。"
    en = "There is no key of the KMIP object {object} to recover (it is not destroyed, or was overwritten): see with yinxin kms kmip objects until when one is."
