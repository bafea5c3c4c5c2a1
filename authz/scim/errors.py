"""What the SCIM service refuses, with the keyword (`scim_type`) that RFC 7644 3.12 gives it."""

from typing import ClassVar

from yinxin.errors import Conflict, Invalid, NotAuthenticated, NotFound, NotPermitted


class ScimError(Invalid):
    """Branch: a request that SCIM has a keyword for."""

    status = 400
    scim_type: ClassVar[str] = ""


class BadFilter(ScimError):
    """A filter that cannot be read, or names what nobody may look for."""

    code = "authz.scim_bad_filter"
    scim_type = "invalidFilter"
    zh = "筛选条件无法使用（{reason}）：请按 RFC 7644 第 3.4.2.2 节书写，只用 /Schemas 所列、可供筛选的属性。"
    en = "The filter cannot be used ({reason}): write it as RFC 7644 section 3.4.2.2 says, with attributes from /Schemas that can be looked for."


class BadSyntax(ScimError):
    """A body that is no SCIM message."""

    code = "authz.scim_bad_syntax"
    scim_type = "invalidSyntax"
    zh = "请求内容不是有效的 SCIM 消息（{reason}）：请按 RFC 7644 更正，未作任何更改。"
    en = "The body is not a SCIM message ({reason}): correct it as RFC 7644 says; nothing was changed."


class BadPath(ScimError):
    """A path that leads nowhere."""

    code = "authz.scim_bad_path"
    scim_type = "invalidPath"
    zh = "属性路径有误（{reason}）：请用 /Schemas 所列的属性，未作任何更改。"
    en = "The attribute path is wrong ({reason}): use attributes from /Schemas; nothing was changed."


class NoTarget(ScimError):
    """A path whose filter selects nothing, or a removal of nothing in particular."""

    code = "authz.scim_no_target"
    scim_type = "noTarget"
    zh = "该操作没有选中任何值（{reason}）：请先读取当前内容再修改，未作任何更改。"
    en = "The operation selects no value ({reason}): read the resource again before changing it; nothing was changed."


class BadAttribute(ScimError):
    """A value that its attribute cannot take."""

    code = "authz.scim_bad_value"
    scim_type = "invalidValue"
    zh = "属性取值有误（{reason}）：请更正后重新提交，未作任何更改。"
    en = "A value does not fit its attribute ({reason}): correct it and send it again; nothing was changed."


class NotMutable(ScimError):
    """A value that is set once, or never from outside."""

    code = "authz.scim_mutability"
    scim_type = "mutability"
    zh = "该属性不能这样更改（{reason}）：只读属性由平台维护，不可变属性只在新建时设定；未作任何更改。"
    en = "The attribute cannot be changed so ({reason}): what is readOnly the platform keeps, what is immutable is set when it is made; nothing was changed."


class Taken(Conflict):
    """A name that stands for somebody or something already."""

    code = "authz.scim_taken"
    scim_type = "uniqueness"
    zh = "{attribute}“{value}”已有所指：标识从不改指他人；同一对象请改用 PUT 或 PATCH，离职人员请由人事岗位办理复职。"
    en = "The {attribute} “{value}” already stands for something: names never pass to another; change the same thing by PUT or PATCH, and have a person who left reinstated by a personnel post."


class Stale(Conflict):
    """If-Match names a version that is no more."""

    code = "authz.scim_stale"
    status = 412
    zh = "该资源在您读取之后已有变化：请重新读取，再决定是否更改；未作任何更改。"
    en = "The resource has changed since you read it: read it again and decide anew; nothing was changed."


class MovedOn(Conflict):
    """Others changed the resource again and again while this request was decided."""

    code = "authz.scim_moved_on"
    retryable = True
    zh = "该资源正被他人更改：请稍后重试，未作任何更改。"
    en = "Others are changing the resource: try again shortly; nothing was changed."


class NoResource(NotFound):
    """There is no such resource, or not in the part of the tree that the client may see."""

    code = "authz.scim_no_resource"
    zh = "没有 {kind} {id}，或不在本系统可见的机关范围内：请核对标识。"
    en = (
        "There is no {kind} {id}, or not in the part of the tree that this system sees: check the identifier."
    )


class NoAddress(NotFound):
    """An address that the SCIM service does not have."""

    code = "authz.scim_no_address"
    zh = "SCIM 服务没有这个地址：可用的资源见 /scim/v2/ResourceTypes。"
    en = "The SCIM service has no such address: what there is stands at /scim/v2/ResourceTypes."


class NoMethod(Invalid):
    """The address exists, the method does not."""

    code = "authz.scim_no_method"
    status = 405
    zh = "此地址不接受 {method} 方法：可用的有 {allowed}。"
    en = "This address does not take {method}: it takes {allowed}."


class NotOffered(Invalid):
    """A part of the protocol that this service says it has not got."""

    code = "authz.scim_not_offered"
    status = 501
    zh = "本服务不提供 {what}（见 ServiceProviderConfig）：请逐个资源办理。"
    en = "This service does not offer {what} (see ServiceProviderConfig): work with one resource at a time."


class NoFilterHere(NotPermitted):
    """A filter on what describes the service (RFC 7644 section 4)."""

    code = "authz.scim_no_filter_here"
    zh = "此处不接受筛选条件：请读取全部内容。"
    en = "Nothing can be filtered here: read all of it."


class TokenNeeded(NotAuthenticated):
    """No token, or one that is not in force."""

    code = "authz.scim_token_needed"
    zh = "需要有效的访问令牌：请以登记的接入系统身份从 /oidc/token 取得（client_credentials）。"
    en = "A token in force is needed: get one at /oidc/token as a registered client (client_credentials)."


class ScopeNeeded(NotPermitted):
    """A token that was given for less."""

    code = "authz.scim_scope_needed"
    zh = "访问令牌不含 {scope} 范围：请以该范围申请令牌，或请安全管理员登记。"
    en = "The token was not given for {scope}: ask for a token with it, or have the security officer register it."


class TakesSeveral(NotPermitted):
    """A change that nobody makes alone, least of all a system."""

    code = "authz.scim_takes_several"
    zh = "{subject} 涉及三员、签发领导、证书注册员、人事岗位或另有授权的岗位，系统不能直接办理：请安全管理员以“authz.change-directory”提案办理，经多人批准后生效；未作任何更改。"
    en = "{subject} is about a post of power, or one with a grant, which no system fills or empties: have a security officer propose it (authz.change-directory) and others approve; nothing was changed."


class NotByScim(NotPermitted):
    """A change of the tree of organs."""

    code = "authz.scim_not_by_scim"
    zh = "机关的设立、调整和撤销须以“authz.change-directory”提案办理，不能通过 SCIM 更改；未作任何更改。"
    en = "Organs are founded, moved and dissolved by proposal (authz.change-directory), not by SCIM; nothing was changed."
