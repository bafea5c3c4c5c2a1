"""The facts that modules give about themselves, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yinxin.clock import BadInstant, parse_rfc3339
from yinxin.text import Text

_WORDS: Mapping[str, Text] = {
    "engine": Text("数据库引擎", "engine"),
    "jobs": Text("任务数", "jobs"),
    "leased": Text("正在运行", "running"),
    "failing": Text("失败待重试", "failing"),
    "size": Text("日志记录数", "entries"),
    "signed": Text("已被签名检查点覆盖", "under a signed checkpoint"),
    "waiting": Text("等待写入", "waiting to be entered"),
    "oldest_seconds": Text("最久已等（秒）", "longest wait (seconds)"),
    "failures": Text("失败的步骤", "failed steps"),
    "address": Text("密钥管理中心地址", "address of the key centre"),
    "token": Text("令牌", "token"),
    "serial": Text("令牌序列号", "token serial number"),
    "manufacturer": Text("制造商", "manufacturer"),
    "library": Text("PKCS#11 库", "PKCS#11 library"),
    "native": Text("令牌内直接完成的算法", "algorithms done inside the token"),
    "missing": Text("缺失的密钥", "missing keys"),
    "altered": Text("与登记不符的密钥", "keys that are not the registered ones"),
    "loose": Text("可被导出的密钥", "keys that could leave the token"),
    "unfinished": Text("未完成的密钥", "unfinished keys"),
    "wrapped": Text("密码机外保存的密钥", "keys kept outside the token"),
    "generation": Text("现行密钥加密密钥", "current wrapping key"),
    "rewrapping": Text("正在重新加密（已移出 + 剩余）", "being rewrapped (moved + left)"),
    "unopened": Text("无法打开的密文", "ciphertexts that do not open"),
    "pool": Text("备用加密密钥", "encryption keys on standby"),
    "organs": Text("机关数", "organs"),
    "sessions": Text("在线会话", "open sessions"),
    "expiring_90": Text("90 天内到期的证书", "certificates that end within 90 days"),
    "expiring_30": Text("30 天内到期的证书", "certificates that end within 30 days"),
    "expiring_7": Text("7 天内到期的证书", "certificates that end within 7 days"),
    "site": Text("本站点", "this site"),
    "unreceipted": Text("待回执的消息", "messages without a receipt"),
    "refused": Text("被对方拒收", "refused by peers"),
    "rejected": Text("被本站点拒收", "refused here"),
    "early": Text("提前到达", "came early"),
    "undelivered": Text("待交付应用", "to be delivered"),
    "undeliverable": Text("无法交付", "undeliverable"),
    "unreached": Text("最近呼叫失败的站点", "sites that the last call failed to"),
    "differences": Text("对账不符", "differences"),
    "policy_set": Text("生效策略集", "policy set in force"),
}
_ENDINGS: Mapping[str, Text] = {
    "crl": Text("撤销列表有效至", "revocation list good until"),
    "ocsp-responder": Text("状态应答证书有效至", "status responder's certificate good until"),
    "tsa": Text("时间戳证书有效至", "timestamp unit's certificate good until"),
}
#: said by the module's own sentence already, or of no use to a reader
_UNTOLD = frozenset({"peers", "sm2", "reachable", "keys", "error", "tokens"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact under its label; `at` when it is an instant, else `value`."""

    label: Text
    value: str
    at: datetime | None = None


def facts_of(facts: Mapping[str, Any]) -> Iterator[Fact]:
    """The facts worth telling; an empty list is none."""
    for name, value in facts.items():
        if name in _UNTOLD or value in ([], {}, ""):
            continue
        yield Fact(_label(name), _plain(value), _instant(value))


def _label(name: str) -> Text:
    owner, _, ending = name.rpartition(".")
    if owner and ending in _ENDINGS:
        words = _ENDINGS[ending]
        return Text(f"{owner} {words.zh}", f"{owner}: {words.en}")
    return _WORDS.get(name, Text(name, name))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {item}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_rfc3339(value)
    except BadInstant:
        return None
