"""What the proof refuses."""

from yinxin.errors import Invalid


class PowersNotSeparated(Invalid):
    """Policies under which a theorem does not hold; the counterexample is told in words."""

    code = "authz.powers_not_separated"
    zh = "该授权策略违反“{theorem}”，共 {count} 处，例如：{example}（依据规则 {policies}）。请更正后重新提出；现行策略不变。"
    en = "These policies break “{theorem}”, {count} times in all, for example: {example} (by the policies {policies}). Correct them and propose again; those in force stay."
