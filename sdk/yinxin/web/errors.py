"""What a request can be refused for before any module sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from yinxin.errors import (
    Conflict,
    Invalid,
    Misconfigured,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    YinxinError,
)
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where (JSON pointer, RFC 6901), pydantic's stable code, and a sentence."""

    place: Literal["body", "query", "path", "form"]
    pointer: str
    code: str
    text: Text


class InvalidRequest(Invalid):
    """The request does not fit the operation's contract; `faults` says where."""

    code = "request.invalid"
    zh = "请求有 {count} 处不合规定；请按 errors 逐项更正后重新提交。"
    en = "The request does not fit in {count} places; correct each one listed under errors and send it again."

    def __init__(self, *, faults: Sequence[Fault] = (), **facts: Any) -> None:
        super().__init__(**({"count": len(faults)} | facts))
        #: everything that is wrong, not only the first thing
        self.faults = tuple(faults)


class MalformedRequest(Invalid):
    """The request cannot be read at all."""

    code = "request.malformed"
    status = 400
    zh = "请求无法解析；请检查报文格式。"
    en = "The request cannot be read; check its form."


class NoSuchAddress(NotFound):
    """Nothing lives at this address."""

    code = "request.no_such_address"
    zh = "没有 {path} 这个地址；请从首页或 /api 的目录重新进入。"
    en = "There is nothing at {path}; start again from the home page or from the directory at /api."


class MethodNotAllowed(Invalid):
    """The address exists, the method does not."""

    code = "request.method_not_allowed"
    status = 405
    zh = "此地址不接受 {method} 方法；可用的方法见 Allow 响应头。"
    en = "This address does not take {method}; the methods it takes are in the Allow header."


class TooLarge(Invalid):
    """More bytes than this operation takes; refused before reading them."""

    code = "request.too_large"
    status = 413
    zh = "提交的内容超过 {limit} 字节的上限；请减小后重新提交。"
    en = "The content is larger than the limit of {limit} bytes; make it smaller and send it again."


class UnsupportedMediaType(Invalid):
    """A body in another format than the operation takes."""

    code = "request.unsupported_media_type"
    status = 415
    zh = "此操作不接受 {given} 类型的内容；请以 {wanted} 提交。"
    en = "This operation does not take {given}; send {wanted}."


class Refused(Invalid):
    """Any other refusal of the HTTP layer."""

    code = "request.refused"
    status = 400
    zh = "服务器拒绝了请求（HTTP {http_status}）；请检查请求后重试。"
    en = "The server refused the request (HTTP {http_status}); check it and try again."


class SignInRequired(NotAuthenticated):
    """Nobody is signed in."""

    code = "request.sign_in_required"
    zh = "请先登录。"
    en = "Sign in first."


class ScopeNeeded(NotPermitted):
    """A system's token, where people alone are let in, or for less than the operation asks (RFC 6750 3.1)."""

    code = "request.scope_needed"
    zh = "系统 {system} 的令牌不能用于此操作（所需范围：{scope}）：注明“-”的操作只限登录的人员办理。"
    en = "The token of the system {system} is not for this operation (scope: {scope}): where the scope is “-”, people alone are let in, signed in themselves."


class NoCertificate(NotAuthenticated):
    """Signing in by certificate, on a connection that shows none."""

    code = "request.no_certificate"
    zh = "浏览器没有出示证书；请插入证书介质或导入证书后重新打开浏览器，或改用挑战码登录。"
    en = "The browser showed no certificate; insert the token or import the certificate and reopen the browser, or answer the challenge instead."


class BadProxySecret(Misconfigured):
    """The proxy's secret cannot be read, or is too short to be one; the platform does not start."""

    code = "web.bad_proxy_secret"
    zh = "反向代理口令文件“{file}”不可用（{reason}）：请在 web.proxy_secret_file 指定一个至少含 32 个随机字符的文件。"
    en = "The file of the proxy's secret, “{file}”, cannot be used ({reason}): name one in web.proxy_secret_file that holds at least 32 random characters."


class CrossSite(NotPermitted):
    """A request that another site made the browser send."""

    code = "request.cross_site"
    zh = "请求来自其他网站（{origin}），已拒绝；请从本站页面操作。"
    en = "Another site ({origin}) sent this request and it was refused; act from this site's own pages."


class IdempotencyKeyNeeded(Invalid):
    """An act that must not happen twice needs a key."""

    code = "request.idempotency_key_needed"
    status = 400
    zh = "此操作需要 Idempotency-Key 请求头（1–128 个可见 ASCII 字符）；请为每次新操作生成一个新的键，重试时沿用原键。"
    en = "This operation needs an Idempotency-Key header (1–128 visible ASCII characters): a new key for each new act, the same one when trying again."


class IdempotencyKeyReused(Invalid):
    """The key belongs to another request."""

    code = "request.idempotency_key_reused"
    zh = "幂等键 {key} 已用于另一个内容不同的请求；请换用新的键。"
    en = "The idempotency key {key} was used for a request with other content; take a new key."


class RequestUnderWay(Conflict):
    """The same request is being carried out right now."""

    code = "request.under_way"
    retryable = True
    zh = "同一请求正在处理；请稍后用同一个键再试。"
    en = "The same request is being carried out; try again shortly with the same key."


#: what to do about a lost answer where nothing better can be said
LOOK = Text("请查询结果，不要换键重复提交", "look at the outcome instead of sending it again under a new key")


class AnswerLost(Conflict):
    """The act was recorded, but its answer was not kept: the process died, or it held a secret. Never done twice."""

    code = "request.answer_lost"
    zh = "该请求已有审计记录（{act}），不会再做一次，其答复已无法取得；{remedy}。"
    en = "The request was recorded (entry {act}) and is not carried out again, and its answer cannot be had any more; {remedy}."

    def __init__(self, *, act: str, remedy: Text = LOOK) -> None:
        super().__init__(act=act, remedy=remedy)


class BadCursor(Invalid):
    """A cursor that this server did not give."""

    code = "request.bad_cursor"
    status = 400
    zh = "分页游标无效；请从第一页重新开始。"
    en = "The page cursor is not valid; start again from the first page."


#: refusals that any operation may give, listed once in the OpenAPI document
COMMON: tuple[type[YinxinError], ...] = (InvalidRequest, MalformedRequest, TooLarge)
