"""What can be wrong with a set of policies that is, or shall be, in force."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotFound


class PoliciesRefused(Invalid):
    """A set that cannot come into force."""

    code = "authz.policies_refused"
    zh = "该授权策略不能启用（{reason}）：请更正后重新提出；现行策略不变。"
    en = "These policies cannot come into force ({reason}): correct them and propose again; those in force stay."


class PoliciesUnchanged(Conflict):
    """A change that changes nothing."""

    code = "authz.policies_unchanged"
    zh = "所提策略与现行第 {version} 版相同，无需变更。"
    en = "These policies are those in force (version {version}); there is nothing to change."


class PoliciesMoved(Conflict):
    """A change made from a version that is in force no longer."""

    code = "authz.policies_moved"
    zh = "该变更基于第 {made_from} 版，现行为第 {version} 版：请对照现行版本重新提出。"
    en = "This change was made from version {made_from}, but version {version} is in force: make it again from that one."


class UnknownVersion(NotFound):
    """A version that does not exist."""

    code = "authz.unknown_policy_version"
    zh = "没有第 {version} 版授权策略：可用 yinxin authz policy list 查看。"
    en = "There is no version {version} of the policies: see yinxin authz policy list."


class PoliciesForged(Misconfigured):
    """A version in the database that does not bear the site's signature, or whose text is another."""

    code = "authz.policies_forged"
    zh = "数据库中的第 {version} 版授权策略与其签名不符（{reason}），一切授权判定停止：请由审计员核查并从备份恢复。"
    en = "Version {version} of the policies in the database does not agree with its signature ({reason}); nothing is decided: have an auditor look, and restore from backup."
