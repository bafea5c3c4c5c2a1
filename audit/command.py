"""What the log's commands have in common."""

import click

from audit.service import Log
from yinxin.command import service


def log_of(context: click.Context) -> Log:
    """The log of the installation that a command is run on."""
    log: Log = service(context, "audit")
    return log
