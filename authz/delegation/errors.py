"""What a delegation can be refused for; each says what to do next."""

from yinxin.errors import Conflict, Invalid, NotFound, Untrue


class UnknownDelegation(NotFound):
    """No such delegation, or not for this caller to know."""

    code = "authz.unknown_delegation"
    zh = "没有授权代行 {delegation}：请核对标识。"
    en = "There is no delegation {delegation}: check the identifier."


class DelegationStatementWrong(Untrue):
    """A signed statement that is not the delegation asked for, or no longer."""

    code = "authz.delegation_statement"
    zh = "授权代行声明与所签不符（{field}）：请重新取得声明，用登录时的证书签署；未作任何更改。"
    en = "The delegation's statement is not what is needed ({field}): fetch it again and sign with the certificate you signed in with; nothing was changed."


class DelegationWindow(Invalid):
    """A window that is empty, past or too long."""

    code = "authz.delegation_window"
    zh = "授权代行的起止时间 {valid_from} 至 {valid_to} 不合规定：应从现在或以后开始，且不超过 {days} 天；未作任何更改。"
    en = "The window from {valid_from} to {valid_to} is not allowed: it begins now or later and lasts {days} days at most; nothing was changed."


class DelegationTooLong(Conflict):
    """A window beyond what the delegator herself holds."""

    code = "authz.delegation_too_long"
    zh = "{person} 本人在 {post} 的任职不能覆盖该时段：授权代行不得超出本人任期，也不得转授；未作任何更改。"
    en = "{person} does not hold {post} herself for the whole window: a delegation never outlasts the own appointment and is not passed on; nothing was changed."


class DelegationToOneself(Invalid):
    """A delegation to whoever gives it."""

    code = "authz.delegation_to_oneself"
    zh = "不能授权本人代行：请另选受托人；未作任何更改。"
    en = "Nobody delegates to herself: choose somebody else; nothing was changed."


class DelegationOver(Conflict):
    """A delegation that has ended, or is not in force."""

    code = "authz.delegation_over"
    zh = "授权代行 {delegation} 未生效或已终止：请核对起止时间。"
    en = "Delegation {delegation} is not in force or has ended: check its window."
