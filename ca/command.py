"""What the authority's commands have in common."""

import click

from ca.service import Authority
from yinxin.command import service


def authority_of(context: click.Context) -> Authority:
    """The authority of the installation that a command is run on."""
    authority: Authority = service(context, "ca")
    return authority
