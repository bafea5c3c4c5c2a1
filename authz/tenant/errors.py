"""What making and ending a tenant can fail by."""

from yinxin.errors import Conflict, Invalid, NotFound


class AlreadyTenant(Conflict):
    """An organ that is a tenant already, or has one below it."""

    code = "authz.already_tenant"
    zh = "机关 {organ} 已是租户：请核对租户清单；未作任何更改。"
    en = "Organ {organ} is a tenant already: see the list of tenants; nothing was changed."


class NoTenant(NotFound):
    """An organ that is no tenant."""

    code = "authz.no_tenant"
    zh = "机关 {organ} 不是租户：请从租户清单中选择。"
    en = "Organ {organ} is no tenant: choose one from the list of tenants."


class TenantUnmanned(Conflict):
    """An organ that lacks the people without whom it could not run its own affairs."""

    code = "authz.tenant_unmanned"
    zh = "机关 {organ} 尚不能自行管理：须有至少两名安全管理员和一名审计员在岗（现有 {officers} 名和 {auditors} 名），租户内的提案才有人批准、审计才有人负责。"
    en = "Organ {organ} could not run its own affairs: it takes two security officers and an auditor in post (there are {officers} and {auditors}), so that somebody approves its proposals and audits it."


class TenantPolicyMissing(Conflict):
    """The policies in force are older than tenants: nothing keeps a tenant's people out of the platform's affairs."""

    code = "authz.tenant_policy_missing"
    zh = "现行授权策略没有 {policy}，租户人员会参与平台自身的事务：请先以随软件提供的策略为基础更新本站点的策略。"
    en = "The policies in force lack {policy}, and a tenant's people would have a part in the platform's affairs: renew this site's policies from those that come with the software first."


class QuotasSo(Invalid):
    """A change of quotas that changes none."""

    code = "authz.quotas_so"
    zh = "租户 {organ} 的额度已经如此：请填写与现行额度不同的数值；未作任何更改。"
    en = "The quotas of tenant {organ} are so already: give others than those in force; nothing was changed."
