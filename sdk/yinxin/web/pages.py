"""Pages rendered on the server: the frame around them, and what a module's pages are declared with."""

from dataclasses import dataclass

from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the navigation: shown to callers with one of `roles`, or to everybody signed in when there are none."""

    text: Text
    endpoint: str
    roles: frozenset[str] = frozenset()
