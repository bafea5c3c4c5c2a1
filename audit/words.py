"""Entries in words: what was done, how it ended, and what part somebody or something had in it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from audit.entries import Entry
from audit.surroundings import Surroundings
from yinxin.act import Kind, Outcome
from yinxin.text import Text

OUTCOMES: Mapping[str, Text] = {
    Outcome.INTENT: Text("开始", "begun"),
    Outcome.DONE: Text("完成", "done"),
    Outcome.REFUSED: Text("被拒绝", "refused"),
    Outcome.FAILED: Text("失败", "failed"),
}
#: who is no person of the directory
ACTORS: Mapping[str, Text] = {
    Kind.SYSTEM: Text("平台自身", "the platform itself"),
    Kind.STRANGER: Text("未登录者", "somebody not signed in"),
}
#: kinds of things that are acted on: an identifier begins with its kind and a colon, or is one of them
KINDS: Mapping[str, Text] = {
    "account": Text("账户", "account"),
    "acme": Text("ACME 请求", "ACME request"),
    "acme-account": Text("ACME 账户", "ACME account"),
    "acme-authorization": Text("ACME 授权", "ACME authorization"),
    "acme-order": Text("ACME 订单", "ACME order"),
    "answers": Text("裁决答复", "answers to decisions"),
    "appointment": Text("任职", "appointment"),
    "archive": Text("归档", "archive"),
    "attachment": Text("附件", "attachment"),
    "attribute-certificate": Text("属性证书", "attribute certificate"),
    "attribute-certificates": Text("全部属性证书", "attribute certificates"),
    "attribute-list": Text("属性证书撤销列表", "list of revoked attribute certificates"),
    "authority": Text("签发机构", "authority"),
    "batch": Text("批次", "batch"),
    "bundle": Text("证据包", "bundle of evidence"),
    "calendar": Text("工作日历", "working-day calendar"),
    "ceremony": Text("密钥仪式", "ceremony"),
    "certificate": Text("证书", "certificate"),
    "certificates": Text("一批证书", "certificates at once"),
    "challenge": Text("登录质询", "challenge at sign-in"),
    "client": Text("接入系统", "client"),
    "credential": Text("注册凭据", "enrolment credential"),
    "crl": Text("撤销列表", "revocation list"),
    "custodians": Text("分片保管人", "custodians of a secret"),
    "delegation": Text("授权代行", "delegation"),
    "directory": Text("名录", "directory"),
    "document": Text("公文", "document"),
    "engine": Text("对密码机的一次调用", "call of the security module"),
    "exchange-peer": Text("交换站点", "site of the exchange"),
    "enrolment-list": Text("批量注册名册", "list for bulk enrolment"),
    "entry": Text("审计记录", "audit entry"),
    "generation": Text("包裹密钥的一代", "generation of the wrapping key"),
    "grant": Text("授权", "grant"),
    "horizon": Text("到期期限", "horizon of notices"),
    "import": Text("密钥导入", "import of a key"),
    "intake": Text("收文", "incoming document"),
    "key": Text("密钥", "key"),
    "key-list": Text("禁用密钥清单", "list of blocked keys"),
    "kmip": Text("KMIP 连接", "KMIP connection"),
    "kmip-client": Text("KMIP 客户端", "KMIP client"),
    "kmip-object": Text("KMIP 对象", "KMIP object"),
    "list": Text("撤销列表", "revocation list"),
    "log": Text("审计日志", "the log"),
    "message": Text("跨站点消息", "message between sites"),
    "organ": Text("机关", "organ"),
    "pair": Text("双证书", "pair"),
    "passkey": Text("通行密钥", "passkey"),
    "person": Text("人员", "person"),
    "policy-set": Text("授权策略", "policies"),
    "pool": Text("密钥池", "pool of keys"),
    "post": Text("岗位", "post"),
    "proposal": Text("提案", "proposal"),
    "proposal-kind": Text("提案种类", "kind of proposal"),
    "question": Text("审计查询", "saved question"),
    "receiver": Text("接收端", "receiver"),
    "reference": Text("申请编号", "reference of an application"),
    "registration": Text("申请", "registration"),
    "renewal": Text("证据续期", "renewal of proofs"),
    "report": Text("审计报告", "report"),
    "request": Text("申请", "application"),
    "review": Text("任职复核", "review"),
    "random": Text("随机数", "random octets"),
    "route": Text("接口", "route"),
    "schedule": Text("定期报告", "schedule"),
    "service-key": Text("服务密钥", "service key"),
    "holder-key": Text("个人签名密钥", "holder key"),
    "seal": Text("印章", "seal"),
    "seal-use": Text("用印", "use of a seal"),
    "session": Text("登录会话", "session"),
    "sign-on": Text("单点登录", "sign-on"),
    "sign-ons": Text("全部单点登录", "sign-ons"),
    "timestamp": Text("时间戳", "timestamp"),
    "token": Text("密码机令牌", "HSM token"),
    "upload": Text("上传的文件", "file sent"),
    "user-key": Text("用户加密密钥", "encryption key of a holder"),
    "witness": Text("见证方", "witness"),
}


class Part(StrEnum):
    """Which part somebody or something had in an act."""

    ACTED = "acted"
    SUBJECT = "subject"
    NAMED = "named"


PARTS: Mapping[str, Text] = {
    Part.ACTED: Text("办理人", "acted"),
    Part.SUBJECT: Text("办理对象", "was acted on"),
    Part.NAMED: Text("被涉及", "is named"),
}


def verb_of(around: Surroundings, verb: str) -> Text:
    """What an act is called; its own name when nobody knows better."""
    return around.verb(verb) or Text(verb, verb)


def part_of_person(entry: Entry, person: str) -> Part:
    """What part a person had."""
    if entry.actor == person:
        return Part.ACTED
    return part_of_object(entry, f"person:{person}")


def part_of_object(entry: Entry, name: str) -> Part:
    """What part a thing had."""
    return Part.SUBJECT if entry.fields()["subject"] == name else Part.NAMED


def policies_of(around: Surroundings, event: Mapping[str, Any]) -> list[tuple[str, Text]]:
    """The policies that decided, with what each says today; an identifier for one that is no longer in force."""
    decision = event.get("decision") or {}
    return [(name, around.policy(name) or Text(name, name)) for name in decision.get("policies", ())]
