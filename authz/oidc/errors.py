"""What the provider can refuse. Those of the protocol carry its own word in `oauth` (RFC 6749 4.1.2.1 and 5.2)."""

from typing import ClassVar

from yinxin.errors import Conflict, Invalid, NotAuthenticated, NotFound, NotPermitted


class BadClient(Invalid):
    """A registration that is refused; nothing was registered."""

    code = "authz.oidc_bad_client"
    zh = "接入系统的 {field} 有误（{reason}）：请更正后重新登记，未作任何更改。"
    en = "The client's {field} is wrong ({reason}): correct it and register again; nothing was changed."


class UnknownClient(NotFound):
    """No such client, or one that was ended."""

    code = "authz.oidc_unknown_client"
    zh = "没有登记接入系统 {client}，或已停用：请核对 client_id，或请安全管理员登记。"
    en = "No client {client} is registered, or it was ended: check the client_id, or have the security officer register it."


class ClientTaken(Conflict):
    """A client_id that was given out before."""

    code = "authz.oidc_client_taken"
    zh = "接入系统标识 {client} 已用过：标识不重复使用，请另取一个。"
    en = "The client identifier {client} was used before: identifiers are never used twice; choose another."


class RedirectMismatch(Invalid):
    """A redirect address that the client did not register: nothing is sent there, not even the error."""

    code = "authz.oidc_redirect_mismatch"
    status = 400
    zh = "回调地址与接入系统 {client} 登记的不一致，登录未继续：请联系该系统的管理员；若您是从邮件或陌生链接来到此处，请关闭本页。"
    en = "The redirect address is not one that the client {client} registered, so the sign-in does not go on: tell that system's administrator; if a mail or a strange link led you here, close this page."


class RequestGone(Conflict):
    """A consent for a request that is over, answered before, or another session's."""

    code = "authz.oidc_request_gone"
    zh = "此登录请求已处理或已过期：请回到要使用的系统重新登录。"
    en = "This sign-in request was answered already or has expired: go back to the system and sign in there again."


class UnknownUserCode(NotFound):
    """A device's code that nobody gave out, that is over, or that was answered."""

    code = "authz.oidc_unknown_user_code"
    zh = "设备码不对、已过期或已用过：请核对设备屏幕上的代码，必要时在设备上重新开始。"
    en = "The device's code is wrong, has expired or was used: compare it with the device's screen, or begin again there."


class TooManyUserCodes(NotPermitted):
    """Guessing of device codes in one session."""

    code = "authz.oidc_too_many_user_codes"
    status = 429
    zh = "设备码输错次数过多：请一分钟后再试。"
    en = "Too many wrong device codes: try again in a minute."


class Protocol(Invalid):
    """Branch: told to the client in the protocol's own form; `description` is for its developer."""

    status = 400
    oauth: ClassVar[str] = ""


class InvalidRequest(Protocol):
    """A parameter is missing, doubled or malformed."""

    code = "authz.oidc_invalid_request"
    oauth = "invalid_request"
    zh = "请求参数有误（{parameter}）：请按接口说明更正。"
    en = "A parameter is missing, repeated or malformed ({parameter}): correct it as the manual says."


class InvalidScope(Protocol):
    """A scope that does not exist or is not this client's."""

    code = "authz.oidc_invalid_scope"
    oauth = "invalid_scope"
    zh = "接入系统 {client} 无权请求范围 {scope}：请登记后再用。"
    en = "The client {client} may not ask for the scope {scope}: have it registered first."


class InvalidTarget(Protocol):
    """A token was asked for that would be for two services, or for none that the scope is of (RFC 8707 section 2)."""

    code = "authz.oidc_invalid_target"
    oauth = "invalid_target"
    zh = "一个令牌只用于一个服务，接入系统 {client} 请求的是 {resource}：请用 scope 或 resource 指明其一，可用的有 {known}。"
    en = "A token is for one service, and the client {client} asked for {resource}: name one by scope or resource, of {known}."


class UnauthorizedClient(Protocol):
    """A grant that this client did not register."""

    code = "authz.oidc_unauthorized_client"
    oauth = "unauthorized_client"
    zh = "接入系统 {client} 未登记授权方式 {grant}。"
    en = "The client {client} is not registered for the grant {grant}."


class UnsupportedGrant(Protocol):
    """A grant that nobody is offered."""

    code = "authz.oidc_unsupported_grant"
    oauth = "unsupported_grant_type"
    zh = "不支持授权方式 {grant}：可用 authorization_code、refresh_token 和设备码。"
    en = "The grant {grant} is not offered: use authorization_code, refresh_token or the device grant."


class UnsupportedResponse(Protocol):
    """Another response type than `code`."""

    code = "authz.oidc_unsupported_response"
    oauth = "unsupported_response_type"
    zh = "只支持 response_type=code。"
    en = "Only response_type=code is offered."


class LoginRequired(Protocol):
    """`prompt=none`, and nobody is signed in, or not recently enough."""

    code = "authz.oidc_login_required"
    oauth = "login_required"
    zh = "用户尚未登录，或登录时间不够近：请让用户登录。"
    en = "Nobody is signed in, or not recently enough: let the user sign in."


class ConsentRequired(Protocol):
    """`prompt=none`, and the person has not consented in this session."""

    code = "authz.oidc_consent_required"
    oauth = "consent_required"
    zh = "用户尚未同意提供所请求的信息。"
    en = "The user has not consented to give what is asked for."


class AccessDenied(Protocol):
    """The person said no."""

    code = "authz.oidc_access_denied"
    oauth = "access_denied"
    zh = "用户拒绝了登录请求。"
    en = "The user refused."


class DelegationLimited(Protocol):
    """A sign-on from a session in a post that was delegated for some acts only: no other system would keep to those."""

    code = "authz.oidc_delegation_limited"
    oauth = "access_denied"
    zh = "授权代行仅限部分操作，不能以此身份登录其他系统：请以本人岗位登录后再进入该系统。"
    en = "The delegation is limited to certain acts, and other systems cannot keep to that: sign in in your own post and enter the system from there."


class InvalidGrant(Protocol):
    """A code or refresh token that is unknown, used, over, another client's, or does not fit its verifier."""

    code = "authz.oidc_invalid_grant"
    oauth = "invalid_grant"
    zh = "授权码或刷新令牌无效、已用过、已过期或不属于本系统：请重新登录。"
    en = "The code or refresh token is unknown, used, expired or another client's: sign in again."


class AuthorizationPending(Protocol):
    """The person has not answered the device yet."""

    code = "authz.oidc_authorization_pending"
    oauth = "authorization_pending"
    zh = "等待用户在浏览器中确认。"
    en = "The user has not answered in the browser yet."


class SlowDown(Protocol):
    """The device asks too often."""

    code = "authz.oidc_slow_down"
    oauth = "slow_down"
    zh = "查询过于频繁：请放慢，间隔增加 5 秒。"
    en = "The device asks too often: ask 5 seconds less often."


class ExpiredToken(Protocol):
    """The device's code is over."""

    code = "authz.oidc_expired_token"
    oauth = "expired_token"
    zh = "设备码已过期：请重新开始。"
    en = "The device's code has expired: begin again."


class InvalidClient(NotAuthenticated):
    """A client that does not prove who it is."""

    code = "authz.oidc_invalid_client"
    oauth = "invalid_client"
    zh = "接入系统未能证明身份：请核对登记的认证方式、密钥或证书。"
    en = "The client did not prove who it is: check the registered way, secret, key or certificate."


class TokenOfAnother(NotPermitted):
    """A client asked about another's token, or to take it back. The protocol has it told nothing; it is recorded."""

    code = "authz.oidc_token_of_another"
    zh = "令牌不属于接入系统 {client}：只能查询和收回自己的令牌，未作任何更改。"
    en = "The token is not one of the client {client}: a client asks about and takes back its own alone; nothing was changed."


class InvalidToken(NotAuthenticated):
    """An access token that is unknown, revoked or over (RFC 6750 3.1)."""

    code = "authz.oidc_invalid_token"
    oauth = "invalid_token"
    zh = "访问令牌无效、已过期、不用于本服务，或不是由其绑定的证书出示：请刷新或重新取得。"
    en = "The access token is unknown, revoked, expired, for another service or shown without the certificate it is bound to: refresh it, or get another."
