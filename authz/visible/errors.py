"""What a list question cannot answer."""

from yinxin.errors import Misconfigured


class NotExpressible(Misconfigured):
    """A policy that cannot be told as a condition of the table; the list is refused rather than guessed."""

    code = "authz.not_expressible"
    zh = "规则 {policy} 无法转换为列表条件（{part}）：请改写该规则，或逐条判定。"
    en = "Policy {policy} cannot be told as a condition of a list ({part}): write it otherwise, or decide each row."
