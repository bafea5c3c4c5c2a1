"""Holders whom one officer does not certify by herself, and what she is told instead."""

from yinxin.errors import NotPermitted


class ApplicationNeeded(NotPermitted):
    """A certificate for a person of power, asked for by one officer alone."""

    code = "ca.application_needed"
    zh = "{holder} 任有或将任重要岗位，或持有授权，其证书（{profile}）不能由一人直接办理：请提交证书申请（yinxin ca registration submit，双证书加 --pair），由另两人核验、批准后签发。"
    en = "{holder} holds, or will hold, a post of power or a grant, and no one person has a certificate ({profile}) issued for such a holder: submit an application (yinxin ca registration submit, with --pair for a pair), which two other people vet and approve."


class ReservedHolder(NotPermitted):
    """Certificates of this name are by which the platform's services know each other; nobody else is given one."""

    code = "ca.reserved_holder"
    zh = "持有者名称“{holder}”保留给平台自身的服务，未签发证书：请换一个名称；密钥管理中心的服务证书只由 yinxin kms-services 签发。"
    en = "The holder name “{holder}” is reserved for the platform's own services and no certificate was issued: use another name; yinxin kms-services alone issues the key centre's service certificates."
