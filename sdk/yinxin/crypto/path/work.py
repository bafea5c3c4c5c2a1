"""What one validation may cost: each kind of work has a bound, so that a hostile pool ends soon (RFC 5280 gives none)."""

from enum import Enum

from yinxin.crypto.errors import PathTooComplex
from yinxin.text import Text


class Kind(Enum):
    """A kind of work, how much of it there may be, and its name to readers."""

    CERTIFICATES = (12, Text("证书链层数", "certificates in one path"))
    CANDIDATES = (4000, Text("候选签发者次数", "candidate issuers"))
    PATHS = (200, Text("证书链条数", "whole paths"))
    SIGNATURES = (128, Text("证书签名验算次数", "signatures on certificates"))
    STATEMENTS = (256, Text("撤销信息签名验算次数", "signatures on revocation statements"))
    NAMES = (250_000, Text("名称比较次数", "comparisons of names"))
    POLICIES = (250_000, Text("证书策略运算次数", "steps over policies"))

    @property
    def limit(self) -> int:
        """How much of it one validation may do."""
        return self.value[0]

    def exceeded(self, subject: str) -> PathTooComplex:
        """The refusal."""
        return PathTooComplex(subject=subject, what=self.value[1], limit=self.limit)


class Work:
    """Counts what is done for one certificate, across every path tried and every signer of lists looked up."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._done = dict.fromkeys(Kind, 0)

    def spend(self, kind: Kind, amount: int = 1) -> None:
        """Count work before it is done; raises PathTooComplex."""
        self._done[kind] += amount
        if self._done[kind] > kind.limit:
            raise kind.exceeded(self._subject)
