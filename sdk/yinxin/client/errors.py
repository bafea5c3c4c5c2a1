"""What can go wrong between here and the platform. What the platform refuses comes back as its own error class.

    try:
        client.ca.certificate(serial)
    except NotFound as error:          # a branch of the tree: always safe to catch
        print(error.text("zh"), error.entry)

A refusal whose class is not installed here comes as `RemoteProblem`, with everything the platform said of it.
"""

from collections.abc import Mapping
from typing import Any

from yinxin.errors import Invalid, NotAuthenticated, Unavailable, Untrue, YinxinError
from yinxin.text import Language


class RemoteProblem(YinxinError):
    """A refusal by the platform whose class is not installed here; read `problem`, `http_status` and `retry`."""

    code = "client.remote_problem"
    exit = 69
    zh = "平台拒绝了请求（{remote_code}）：{detail}"
    en = "The platform refused the request ({remote_code}): {detail}"

    @property
    def problem(self) -> Mapping[str, Any]:
        """The problem document (RFC 9457), with `errors` when the request did not fit."""
        document: Mapping[str, Any] = self.facts.get("problem", {})
        return document

    @property
    def http_status(self) -> int:
        """The HTTP status it came with."""
        return int(self.facts.get("http_status", 0))

    @property
    def retry(self) -> bool:
        """Whether the platform said that trying again can help."""
        return bool(self.problem.get("retryable", False))

    def text(self, language: Language = "zh") -> str:
        """The platform's sentence, and each fault of a request that did not fit."""
        faults = "".join(
            f"\n  {each.get('pointer')}: {each.get('detail')}" for each in self.problem.get("errors", ())
        )
        return super().text(language) + faults


class Unreachable(Unavailable):
    """No answer from the platform; whether it acted is unknown, so try again with the same call."""

    code = "client.unreachable"
    zh = "无法连接平台 {url}（{reason}）；请检查网络、地址和信任文件后重试。"
    en = "The platform at {url} does not answer ({reason}); check the network, the address and the trust file, then try again."


class NotAPlatform(Unavailable):
    """An answer that the platform would not give."""

    code = "client.not_a_platform"
    retryable = False
    zh = "{url} 的答复不是印信平台的格式（HTTP {http_status}）；请核对地址和中间的代理。"
    en = "The answer of {url} is not the platform's (HTTP {http_status}); check the address and any proxy in between."


class IdentityNeeded(NotAuthenticated):
    """A call that needs a signed-in caller, and nothing to sign in with."""

    code = "client.identity_needed"
    zh = "此调用需要登录；请在创建 Client 时提供 identity（证书和私钥），系统以自身名义调用的提供 system。"
    en = "This call needs a signed-in caller; give the Client an identity (certificate and key), or a system that calls in its own name."


class SystemRefused(NotAuthenticated):
    """The platform gave a system no token: `error` is the protocol's word (RFC 6749 5.2), `reason` the platform's sentence."""

    code = "client.system_refused"
    zh = "平台未给系统 {system} 令牌（{error}：{reason}）；请核对登记的 client_id、认证方式和范围。"
    en = "The platform gave the system {system} no token ({error}: {reason}); check the client_id, its way to prove itself and its scopes as registered."


class UnusableForTls(Invalid):
    """An identity that TLS here cannot use."""

    code = "client.unusable_for_tls"
    zh = "算法 {algorithm} 的身份不能用于 TLS 客户端认证；请使用 intl 套件的证书，或改用签名登录。"
    en = "An identity of algorithm {algorithm} cannot authenticate a TLS client here; use a certificate of the intl suite, or sign in by signature."


class NotTheFile(Untrue):
    """A fetched file that is not the one on record."""

    code = "client.not_the_file"
    zh = "取回的文件“{name}”与记录的摘要不符，已丢弃；请重新下载，仍不符则报告管理员。"
    en = "File “{name}” as fetched is not the one on record and was thrown away; fetch it again, and tell an operator if it stays so."
