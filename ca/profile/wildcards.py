"""Wildcards: one `*` in the place of a whole label, the first one, for every host right below a domain (RFC 9525 6.3)."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from yinxin.crypto.general_names import GeneralName
from yinxin.text import Text

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_STAR = "*."


def is_wildcard(name: str) -> bool:
    """Whether a host name has a `*` anywhere."""
    return "*" in name


def any_wildcard(names: Iterable[GeneralName]) -> bool:
    """Whether one of these alternative names is a host name with a `*`."""
    return any(kind == "dns" and is_wildcard(text) for kind, text in names)


def domain_of(name: str) -> str:
    """The domain right below which a wildcard stands for every host; a name without `*` itself."""
    return name.removeprefix(_STAR)


def wildcard_fault(name: str) -> Text | None:
    """What is wrong with a name that has a `*`: it stands elsewhere, or right below a public suffix; None when all is well.

    A public suffix is one below which anybody registers (publicsuffix.org): `*.gov.cn` would be everybody's name. A top
    level that the list does not know is held to be one.
    """
    domain = domain_of(name)
    if not name.startswith(_STAR) or is_wildcard(domain):
        return Text(
            "“*”只能单独作为最左边的一段", "a “*” stands for one whole label, the first, and nowhere else"
        )
    if not domain or _suffixes().is_public(domain):
        return Text(
            f"“{domain}”是公共后缀，其下属于不同的单位",
            f"“{domain}” is a public suffix: what is below it belongs to many",
        )
    return None


@cache
def _suffixes() -> "PublicSuffixList":
    # read when the first wildcard is asked for: most installations never do
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
