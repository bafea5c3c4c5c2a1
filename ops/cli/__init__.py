"""The `yinxin` command."""

from ops.cli.main import main

__all__ = ["main"]
