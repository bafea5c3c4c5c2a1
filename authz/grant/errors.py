"""What can be wrong with a grant."""

from yinxin.errors import Conflict, Invalid, NotFound


class UnknownTemplate(Invalid):
    """A template that the policies in force do not have."""

    code = "authz.unknown_template"
    zh = "没有授权模板“{template}”：可用的有 {known}。"
    en = "There is no template “{template}” to grant: use one of {known}."


class BadHolder(Invalid):
    """A holder that is neither person, post, organ nor registered system."""

    code = "authz.bad_holder"
    zh = "被授权者“{holder}”有误：请写作 person:ID、post:ID、organ:ID 或 client:ID。"
    en = "The holder “{holder}” is wrong: write person:ID, post:ID, organ:ID or client:ID."


class BadGrantResource(Invalid):
    """A single thing that is not there, not of that organ, or not what the template is about."""

    code = "authz.bad_grant_resource"
    zh = "不能单独授予“{resource}”（{reason}）：请写作 ServiceKey:NAME（NAME 为密钥名称），并核对名称、模板和范围。"
    en = "“{resource}” cannot be granted by itself ({reason}): write ServiceKey:name of the key, and check name, template and organ."


class BadGrantPeriod(Invalid):
    """A grant that ends before it begins, is over already, or lasts too long."""

    code = "authz.bad_grant_period"
    zh = "授权期限 {valid_from} 至 {valid_to} 有误：起点须早于终点，终点须在将来，最长 {days} 天。"
    en = "The period from {valid_from} to {valid_to} is wrong: it begins before it ends, ends in the future and lasts at most {days} days."


class GrantWithoutSource(Invalid):
    """A grant that names no source."""

    code = "authz.grant_without_source"
    zh = "授权须注明授权来源（文号、批示等），1 至 400 字。"
    en = "A grant names its source (a document's number, an instruction): 1 to 400 characters."


class OwnGrant(Conflict):
    """Somebody who would grant to herself."""

    code = "authz.own_grant"
    zh = "{person} 不得为自己或自己的岗位、机关授权：请由他人办理。"
    en = "{person} does not grant to herself, her own post or her own organ: have somebody else do it."


class UnknownGrant(NotFound):
    """A grant that does not exist, or is not for this person to see."""

    code = "authz.unknown_grant"
    zh = "没有授权“{grant}”：可用 yinxin authz grant list 查看。"
    en = "There is no grant “{grant}”: see yinxin authz grant list."


class GrantOver(Conflict):
    """A grant that was revoked or has ended."""

    code = "authz.grant_over"
    zh = "授权 {grant} 已于 {at} 终止，无需再撤销。"
    en = "Grant {grant} ended at {at}; there is nothing left to revoke."
