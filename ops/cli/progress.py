"""A progress display: one line a stage with its seconds; a spinner on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from types import TracebackType

    from ops.cli.context import Context
    from yinxin.text import Text


class Progress:
    """Stages, one after another; the one before is ticked off when the next begins."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._current: str | None = None
        self._since = 0.0
        self._spinner: Any = None

    def stage(self, text: Text) -> None:
        """A new stage begins."""
        self._finish("✓")
        self._current, self._since = self._context.words(text), time.monotonic()
        if sys.stdout.isatty():
            from rich.console import Console

            self._spinner = Console().status(self._current)
            self._spinner.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish("✓" if error is None else "✗")

    def _finish(self, mark: str) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None
        if self._current is not None:
            click.echo(f"  {mark} {self._current}  {time.monotonic() - self._since:.1f} s")
        self._current = None
