"""Named steps of irreversible acts.

An act that cannot be undone calls `step("ca.issue.3-signed")` between its steps. In service this does nothing; the
crash tests listen here and kill the process, so that every gap between two steps is tried.
"""

from collections.abc import Callable

_listener: Callable[[str], None] | None = None


def step(name: str) -> None:
    """Say that the step `name` has been reached."""
    if _listener is not None:
        _listener(name)


def listen(listener: Callable[[str], None] | None) -> None:
    """Let `listener` hear every step (crash tests only); None ends it."""
    global _listener  # noqa: PLW0603 - one process, one listener; passing it through every call would burden the product for its tests
    _listener = listener
