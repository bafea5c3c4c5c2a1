"""The roles a post can carry, in words: what stands in attribute certificates is read by strangers too."""

from collections.abc import Mapping

from yinxin.text import Text

ROLES: Mapping[str, Text] = {
    "clerk": Text("经办人", "clerk"),
    "reviewer": Text("审核人", "reviewer"),
    "leader": Text("签发领导", "leader"),
    "registrar": Text("收发登记员", "registrar"),
    "seal-keeper": Text("印章保管人", "seal keeper"),
    "registration-officer": Text("证书注册员", "registration officer"),
    "personnel-officer": Text("人事管理员", "personnel officer"),
    "security-officer": Text("安全管理员", "security officer"),
    "administrator": Text("系统管理员", "system administrator"),
    "auditor": Text("审计员", "auditor"),
}
