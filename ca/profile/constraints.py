"""What an authority's certificate imposes on everything below it, as a profile says it."""

from pydantic import Field

from yinxin.crypto.constraints import NameConstraints, PolicyConstraints, PolicyMapping
from yinxin.crypto.general_names import GeneralName
from yinxin.settings import Section


class Constraints(Section):
    """What an authority's certificate imposes on everything below it (RFC 5280 4.2.1.5, 10, 11, 14)."""

    permitted: tuple[GeneralName, ...] = ()
    """Names within which it may issue, as [kind, text]; kinds that are not named are free."""
    excluded: tuple[GeneralName, ...] = ()
    """Names that it may not issue within."""
    mappings: tuple[PolicyMapping, ...] = ()
    """Pairs of a policy of ours and the subject's equal of it."""
    require_explicit_policy: int | None = Field(default=None, ge=0)
    """After how many further certificates a path needs an explicit policy."""
    inhibit_mapping: int | None = Field(default=None, ge=0)
    """After how many further certificates mappings count no more."""
    inhibit_any_policy: int | None = Field(default=None, ge=0)
    """After how many further certificates anyPolicy means nothing."""

    @property
    def names(self) -> NameConstraints | None:
        """As they stand in a certificate."""
        return NameConstraints(self.permitted, self.excluded) if self.permitted or self.excluded else None

    @property
    def policies(self) -> PolicyConstraints | None:
        """As they stand in a certificate."""
        counts = PolicyConstraints(self.require_explicit_policy, self.inhibit_mapping)
        return None if counts == PolicyConstraints() else counts
