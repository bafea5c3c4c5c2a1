"""Identifiers (RFC 8555 9.7.7, RFC 8738): host names and addresses in their one spelling, and who may have them."""

from ipaddress import ip_address
from typing import Any

from ca.acme.errors import Malformed, Rejected
from ca.acme.parts import Parts
from ca.acme.payload import many
from ca.enrolment import Credential
from ca.naming import within
from ca.profile.texts import host_fault
from ca.profile.wildcards import domain_of, is_wildcard, wildcard_fault
from yinxin.crypto.errors import MalformedTemplate
from yinxin.crypto.general_names import GeneralName, write_general_name
from yinxin.text import Text

_REJECTED = "rejectedIdentifier"
_FOREIGN = "unsupportedIdentifier"
#: longest name that a table and a certificate take (RFC 1035 2.3.4)
_LONGEST = 253

#: an identifier that is refused, the type of the problem, and why
Refused = tuple[dict[str, str], str, Text]


def identifiers(parts: Parts, credential: Credential, payload: Any) -> tuple[GeneralName, ...]:
    """The names that an order asks for, each once, in their order.

    Raises Malformed for what is no list of identifiers, and Rejected naming every name that cannot be had.
    """
    given = many(payload, "identifiers", parts.settings.most_identifiers)
    if not given:
        raise Malformed(field="identifiers", reason=Text("至少一个", "at least one"))
    names: dict[GeneralName, None] = {}
    refused: list[Refused] = []
    for each in given:
        kind, value = _read(each)
        if (why := _refusal(parts, credential, kind, value)) is not None:
            refused.append(({"type": kind[:20], "value": value[:_LONGEST]}, *why))
        names[kind, value.lower()] = None
    if refused:
        raise Rejected.of(refused)
    return tuple(names)


def _read(given: object) -> tuple[str, str]:
    if isinstance(given, dict):
        kind, value = given.get("type"), given.get("value")
        if isinstance(kind, str) and isinstance(value, str):
            return kind, value
    reason = Text("每项须有字符串 type 和 value", "each needs the strings type and value")
    raise Malformed(field="identifiers", reason=reason)


def _refusal(parts: Parts, credential: Credential, kind: str, value: str) -> tuple[str, Text] | None:
    if kind not in ("dns", "ip"):
        return _FOREIGN, Text("只支持 dns 和 ip", "only dns and ip are supported")
    if (why := _address(value) if kind == "ip" else _host(value)) is not None:
        return _REJECTED, why
    granted, allowed = credential.grant.bounds, parts.ctx.settings.dns_domains
    if kind == "dns" and is_wildcard(value) and (why := _wildcard(parts, credential)) is not None:
        return _REJECTED, why
    if granted and (kind != "dns" or not within(value.lower(), granted)):
        known = ", ".join(granted)
        return _REJECTED, Text(f"注册凭据只包括 {known}", f"the credential covers {known} only")
    if kind == "dns" and allowed and not within(value.lower(), allowed):
        known = ", ".join(allowed)
        return _REJECTED, Text(f"本机构只为 {known} 签发", f"this authority certifies {known} only")
    return None


def _wildcard(parts: Parts, credential: Credential) -> Text | None:
    """Whether the credential is good for wildcards: by a profile that has them, below domains that it names."""
    if not any(parts.ctx.profiles[each].wildcards for each in credential.grant.profiles):
        return Text("注册凭据没有允许通配符的证书模板", "no profile of the credential allows wildcards")
    if not credential.grant.bounds:
        return Text("注册凭据未限定域，不能用通配符", "the credential names no domains, as a wildcard needs")
    return None


def _address(value: str) -> Text | None:
    try:
        if str(ip_address(value)) == value:
            return None
    except ValueError:
        pass
    return Text("不是规范写法的 IP 地址", "no address in the canonical form (RFC 5952)")


def _host(value: str) -> Text | None:
    if is_wildcard(value):
        return wildcard_fault(value.lower()) or _host(domain_of(value))
    try:
        write_general_name("dns", value)
    except MalformedTemplate:
        return Text(
            "不是主机名，国际化域名须写成 xn-- 形式", "no host name; write an international one as xn--"
        )
    if value.rpartition(".")[2].isdigit():
        return Text("是地址而不是主机名，请用 ip 类型", "an address and no host name: use the type ip")
    # or it would be refused when its challenges are met and the certificate is asked for
    return host_fault(value)


def shown(name: GeneralName | list[str]) -> dict[str, str]:
    """An identifier of an order as JSON."""
    return {"type": name[0], "value": name[1]}
